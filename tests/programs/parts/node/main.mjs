import part from "part";
import { readFile } from "node:fs/promises";

const self = await readFile(new URL(import.meta.url));
console.log(part === process.env.MARKER, self.length);
