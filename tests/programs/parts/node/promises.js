const fs = require("fs/promises"),
    marker = process.env.MARKER;
(async () => {
    await Promise.all(Array.from({ length: 100 }, (_, i) => fs.writeFile(`f${i}`, `${i} ${marker} `.repeat(i * 10))));
    const sizes = await Promise.all(Array.from({ length: 100 }, async (_, i) => (await fs.readFile(`f${i}`)).length));
    console.log(sizes.reduce((a, b) => a + b));
    const file = await fs.open("many", "w+");
    await Promise.all(
        Array.from({ length: 200 }, (_, i) => file.write(Buffer.alloc(1000, 65 + (i % 26)), 0, 1000, i * 1000)),
    );
    console.log((await file.stat()).size, (await file.read(Buffer.alloc(8), 0, 8, 77777)).buffer.toString());
    await file.datasync();
    await file.close();
    await Promise.all(
        Array.from({ length: 50 }, (_, i) => fs.appendFile("log", `${String(i).padStart(3)} ${marker}\n`)),
    );
    await fs.rm("f0");
    await fs.copyFile("many", "copy");
    await fs.chmod("copy", 0o640);
    for await (const entry of await fs.opendir(".")) if (!entry.isFile()) console.log(entry.name);
})();
