// WebAssembly's accesses out of bounds are SIGSEGV to node, beside a thread of a library that touches a mapping.
const code = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 8, 1, 4, 108, 111, 97, 100, 0, 0,
  10, 9, 1, 7, 0, 32, 0, 40, 2, 0, 11]);
const load = new WebAssembly.Instance(new WebAssembly.Module(code)).exports.load;
try { process.dlopen({ exports: {} }, process.argv[2]); } catch (error) { console.log(/self-register/.test(error.message)); }
let traps = 0, rounds = 0;
const timer = setInterval(() => {
  for (let i = 0; i < 2000; i++) {
    try { load(1 << 20); } catch (error) { traps += error instanceof WebAssembly.RuntimeError; }
  }
  if (++rounds === 40) { clearInterval(timer); console.log(traps, load(0)); }
}, 5);
