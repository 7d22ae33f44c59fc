const fs = require("fs");
let seen = false;
const watcher = fs.watch("a", () => {
    if (!seen) {
        seen = true;
        console.log("changed");
        watcher.close();
    }
});
setTimeout(() => fs.appendFileSync("a", process.env.MARKER), 200);
setTimeout(() => {
    if (!seen) {
        console.log("not seen");
        watcher.close();
    }
}, 10000).unref();
