const { Worker } = require("worker_threads"),
    fs = require("fs"),
    { spawnSync } = require("child_process");
const code = `
    const fs = require("fs");
    const { workerData: n } = require("worker_threads");
    for (let i = 0; i < 30; i++) {
        fs.writeFileSync("w" + n, (process.env.MARKER + " ").repeat(i * n));
        if (fs.readFileSync("w" + n).length !== fs.statSync("w" + n).size) throw 1;
    }`;
let left = 4;
for (let n = 1; n <= 4; n++)
    new Worker(code, { eval: true, workerData: n }).on("exit", (status) => {
        if (status !== 0) console.log("worker", n, status);
        if (--left > 0) return;
        const out = fs.openSync("child", "w");
        spawnSync("sh", ["-c", "echo from a child $MARKER; cat w3"], { stdio: ["ignore", out, out] });
        fs.closeSync(out);
        console.log(
            fs.statSync("child").size,
            spawnSync("cat", { stdio: [fs.openSync("w2"), "pipe", "inherit"] }).stdout.length,
        );
    });
