const fs = require("fs"),
    marker = process.env.MARKER;
fs.writeFileSync("a", `hello ${marker}\n`);
fs.appendFileSync("a", "more\n");
console.log(fs.readFileSync("a", "utf8"));
fs.writeFileSync("b", Buffer.alloc(100000, "pattern " + marker));
fs.truncateSync("b", 50001);
fs.copyFileSync("b", "c");
const fd = fs.openSync("b", "r+");
fs.writeSync(fd, "MIDDLE", 30000);
const part = Buffer.alloc(20);
fs.readSync(fd, part, 0, 20, 29995);
console.log(part.toString("hex"), fs.fstatSync(fd).size);
fs.ftruncateSync(fd, 40000);
fs.fsyncSync(fd);
fs.futimesSync(fd, 1e9, 1e9);
fs.fchmodSync(fd, 0o600);
fs.closeSync(fd);
const s = fs.statSync("b");
console.log(s.size, s.mode.toString(8), s.mtimeMs, s.nlink);
fs.linkSync("b", "d");
fs.symlinkSync("b", "e");
fs.renameSync("c", "f");
console.log(fs.readdirSync("."), fs.readlinkSync("e"));
try {
    fs.writeFileSync("a", "x", { flag: "wx" });
} catch (error) {
    console.log(error.code);
}
try {
    fs.copyFileSync("a", "b", fs.constants.COPYFILE_EXCL);
} catch (error) {
    console.log(error.code);
}
try {
    fs.readFileSync("missing");
} catch (error) {
    console.log(error.code);
}
fs.mkdirSync("x/y/z", { recursive: true });
fs.writeFileSync("x/y/z/file", marker);
fs.cpSync("x", "w", { recursive: true });
fs.rmSync("x", { recursive: true });
console.log(fs.readFileSync("w/y/z/file", "utf8") === marker);
fs.writevSync(fs.openSync("g", "w"), [Buffer.from("one "), Buffer.from("two "), Buffer.from(marker)]);
const temporary = fs.mkdtempSync("t-");
fs.writeFileSync(temporary + "/x", marker);
fs.rmSync(temporary, { recursive: true });
