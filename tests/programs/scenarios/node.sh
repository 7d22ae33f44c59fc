# about: node's fs: sync, promises, streams, descriptors, copyFile, mkdtemp, watchers, worker threads
# needs: node
# case-limit: 90

run() { UV_USE_IO_URING=0 node --no-warnings "$@"; }

case_sync() {
    run -e '
        const fs = require("fs"), marker = process.env.MARKER;
        fs.writeFileSync("a", `hello ${marker}\n`); fs.appendFileSync("a", "more\n"); console.log(fs.readFileSync("a", "utf8"));
        fs.writeFileSync("b", Buffer.alloc(100000, "pattern " + marker)); fs.truncateSync("b", 50001); fs.copyFileSync("b", "c");
        const fd = fs.openSync("b", "r+"); fs.writeSync(fd, "MIDDLE", 30000); const part = Buffer.alloc(20); fs.readSync(fd, part, 0, 20, 29995);
        console.log(part.toString("hex"), fs.fstatSync(fd).size); fs.ftruncateSync(fd, 40000); fs.fsyncSync(fd); fs.futimesSync(fd, 1e9, 1e9); fs.fchmodSync(fd, 0o600); fs.closeSync(fd);
        const s = fs.statSync("b"); console.log(s.size, s.mode.toString(8), s.mtimeMs, s.nlink);
        fs.linkSync("b", "d"); fs.symlinkSync("b", "e"); fs.renameSync("c", "f"); console.log(fs.readdirSync("."), fs.readlinkSync("e"));
        try { fs.writeFileSync("a", "x", { flag: "wx" }); } catch (error) { console.log(error.code); }
        try { fs.copyFileSync("a", "b", fs.constants.COPYFILE_EXCL); } catch (error) { console.log(error.code); }
        try { fs.readFileSync("missing"); } catch (error) { console.log(error.code); }
        fs.mkdirSync("x/y/z", { recursive: true }); fs.writeFileSync("x/y/z/file", marker); fs.cpSync("x", "w", { recursive: true }); fs.rmSync("x", { recursive: true }); console.log(fs.readFileSync("w/y/z/file", "utf8") === marker);
        fs.writevSync(fs.openSync("g", "w"), [Buffer.from("one "), Buffer.from("two "), Buffer.from(marker)]);
        const temporary = fs.mkdtempSync("t-"); fs.writeFileSync(temporary + "/x", marker); fs.rmSync(temporary, { recursive: true });'
    checksum a b d f g
}

case_streams() {
    run -e '
        const fs = require("fs"), zlib = require("zlib"), { pipeline } = require("stream/promises");
        (async () => {
            const source = process.env.INPUTS + "/text.txt";
            await pipeline(fs.createReadStream(source), fs.createWriteStream("a"));
            await pipeline(fs.createReadStream("a", { start: 1000, end: 99999, highWaterMark: 777 }), fs.createWriteStream("b"));
            await pipeline(fs.createReadStream("a"), zlib.createGzip(), fs.createWriteStream("a.gz"));
            await pipeline(fs.createReadStream("a.gz"), zlib.createGunzip(), fs.createWriteStream("c"));
            await pipeline(fs.createReadStream("b"), fs.createWriteStream("a", { flags: "r+", start: 200000 }));
            await pipeline(fs.createReadStream("b"), fs.createWriteStream("log", { flags: "a" }));
            let lines = 0; for await (const line of require("readline").createInterface({ input: fs.createReadStream("c") })) lines++;
            console.log(lines, fs.statSync("a").size);
        })();'
    cmp c "$INPUTS/text.txt" && echo same
    checksum a b c log
}

case_promises() {
    run -e '
        const fs = require("fs/promises"), marker = process.env.MARKER;
        (async () => {
            await Promise.all(Array.from({ length: 100 }, (_, i) => fs.writeFile(`f${i}`, `${i} ${marker} `.repeat(i * 10))));
            const sizes = await Promise.all(Array.from({ length: 100 }, async (_, i) => (await fs.readFile(`f${i}`)).length));
            console.log(sizes.reduce((a, b) => a + b));
            const file = await fs.open("many", "w+");
            await Promise.all(Array.from({ length: 200 }, (_, i) => file.write(Buffer.alloc(1000, 65 + i % 26), 0, 1000, i * 1000)));
            console.log((await file.stat()).size, (await file.read(Buffer.alloc(8), 0, 8, 77777)).buffer.toString()); await file.datasync(); await file.close();
            await Promise.all(Array.from({ length: 50 }, (_, i) => fs.appendFile("log", `${String(i).padStart(3)} ${marker}\n`)));
            await fs.rm("f0"); await fs.copyFile("many", "copy"); await fs.chmod("copy", 0o640); for await (const entry of await fs.opendir(".")) if (!entry.isFile()) console.log(entry.name);
        })();'
    sort log | checksum; volatile 'case_promises/log'; ls | wc -l
}

case_threads_and_children() {
    run -e '
        const { Worker } = require("worker_threads"), fs = require("fs"), { spawnSync } = require("child_process");
        const code = "const fs = require(\"fs\"), { workerData: n } = require(\"worker_threads\"); for (let i = 0; i < 30; i++) { fs.writeFileSync(`w${n}`, `${process.env.MARKER} `.repeat(i * n)); if (fs.readFileSync(`w${n}`).length !== fs.statSync(`w${n}`).size) throw 1; }";
        let left = 4; for (let n = 1; n <= 4; n++) new Worker(code, { eval: true, workerData: n }).on("exit", status => {
            if (status !== 0) console.log("worker", n, status);
            if (--left > 0) return;
            const out = fs.openSync("child", "w"); spawnSync("sh", ["-c", "echo from a child $MARKER; cat w3"], { stdio: ["ignore", out, out] }); fs.closeSync(out);
            console.log(fs.statSync("child").size, spawnSync("cat", { stdio: [fs.openSync("w2"), "pipe", "inherit"] }).stdout.length);
        });'
    checksum w1 w2 w3 w4 child
}

case_watch() {
    echo start >a
    run -e '
        const fs = require("fs"); let seen = false;
        const watcher = fs.watch("a", () => { if (!seen) { seen = true; console.log("changed"); watcher.close(); } });
        setTimeout(() => fs.appendFileSync("a", process.env.MARKER), 200); setTimeout(() => { if (!seen) { console.log("not seen"); watcher.close(); } }, 10000).unref();'
}

case_modules() {
    mkdir -p node_modules/part
    echo '{ "name": "part", "version": "1.0.0", "main": "index.js" }' >node_modules/part/package.json
    echo "module.exports = '$MARKER';" >node_modules/part/index.js
    echo "console.log(require('part') === process.env.MARKER, require('./data.json').list.length);" >main.js
    echo '{ "list": [1, 2, 3] }' >data.json
    echo "import part from 'part'; import { readFile } from 'node:fs/promises'; console.log(part.length === process.env.MARKER.length, (await readFile(new URL(import.meta.url))).length > 10);" >main.mjs
    run main.js; run main.mjs; run <main.js
}
