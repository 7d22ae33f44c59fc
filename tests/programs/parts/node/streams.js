const fs = require("fs"),
    zlib = require("zlib"),
    { pipeline } = require("stream/promises");
(async () => {
    const source = process.env.INPUTS + "/text.txt";
    await pipeline(fs.createReadStream(source), fs.createWriteStream("a"));
    await pipeline(
        fs.createReadStream("a", { start: 1000, end: 99999, highWaterMark: 777 }),
        fs.createWriteStream("b"),
    );
    await pipeline(fs.createReadStream("a"), zlib.createGzip(), fs.createWriteStream("a.gz"));
    await pipeline(fs.createReadStream("a.gz"), zlib.createGunzip(), fs.createWriteStream("c"));
    await pipeline(fs.createReadStream("b"), fs.createWriteStream("a", { flags: "r+", start: 200000 }));
    await pipeline(fs.createReadStream("b"), fs.createWriteStream("log", { flags: "a" }));
    let lines = 0;
    for await (const line of require("readline").createInterface({ input: fs.createReadStream("c") })) lines++;
    console.log(lines, fs.statSync("a").size);
})();
