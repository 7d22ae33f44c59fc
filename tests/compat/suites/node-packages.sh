# about: npm in the directory: packages installed with native modules, run from it, and some packages' own kind of work (fs-extra, tar, archiver, lmdb, level, sql.js, TypeScript, Rollup)
# packages:
# limit: 600

version() { echo "node $(node --version), npm $(npm --version)"; }

prepare() {
    command -v npm || return
    # Fetched once; both runs install from the cache alone.
    mkdir -p fetch && cd fetch && packages && npm install --cache "$SCRATCH/cache" --no-audit --no-fund --ignore-scripts
}

packages() {
    cat >package.json <<'TEXT'
{ "name": "job", "version": "1.0.0", "private": true,
  "dependencies": { "fs-extra": "11.2.0", "tar": "7.4.3", "archiver": "7.0.1", "lmdb": "3.0.8", "classic-level": "1.4.1", "sql.js": "1.10.3",
    "typescript": "5.4.5", "rollup": "4.17.2", "express": "4.19.2", "chokidar": "3.6.0", "graceful-fs": "4.2.11", "write-file-atomic": "5.0.1",
    "proper-lockfile": "4.1.2", "rimraf": "5.0.7", "glob": "10.3.12", "lodash": "4.17.21", "mocha": "10.4.0", "esbuild": "0.21.1" } }
TEXT
}

suite() {
    export HOME=$PWD TMPDIR=$PWD/temporary npm_config_cache=$PWD/cache npm_config_update_notifier=false
    mkdir temporary
    cp -r "$SCRATCH/cache" .
    mkdir job && cd job && packages
    check "npm install" npm install --offline --no-audit --no-fund --ignore-scripts
    value "npm ls" bash -c 'npm ls --depth=0 2>&1 | sed 1d | LC_ALL=C sort | paste -sd" "'
    check "npm ci" npm ci --offline --no-audit --no-fund --ignore-scripts
    check "npm rebuild without scripts, prune, dedupe" bash -c 'npm dedupe --offline --no-audit --no-fund --ignore-scripts && npm prune --offline --no-audit --no-fund'
    value "npm pack" bash -c 'npm pack --silent; tar -tzf job-1.0.0.tgz | grep -c package.json'
    value "npm cache verify" bash -c 'npm cache verify 2>&1 | grep -cE "^Content verified"'
    jobs_of_packages >job.js
    node job.js
    echo 'const x: number = 6; export const y: string = `${x * 7}`; console.log(y);' >a.ts
    value "tsc" bash -c 'npx --offline tsc --strict --target es2020 --module commonjs --outDir built --incremental a.ts; node built/a.js'
    value "rollup with its native module" bash -c 'echo "import { y } from \"./m.mjs\"; console.log(y + 1)" >e.mjs; echo "export const y = 41; export const unused = 2" >m.mjs; npx --offline rollup e.mjs --format cjs --file r.cjs --silent; node r.cjs'
    value "mocha" bash -c 'mkdir -p test; echo "const fs = require(\"fs\"); describe(\"x\", () => { for (let i = 0; i < 50; i++) it(\"n\" + i, async () => { await fs.promises.writeFile(\"t\" + i, \"x\".repeat(i * 999)); if (fs.statSync(\"t\" + i).size !== i * 999) throw 1; }); });" >test/a.js; npx --offline mocha --reporter dot | grep passing | sed "s/(.*//"'
    value "esbuild, a Go program" bash -c 'node_modules/.bin/esbuild --bundle e.mjs --outfile=b.js >/dev/null 2>&1; node b.js'
}

jobs_of_packages() {
    cat <<'TEXT'
const fs = require('fs'), path = require('path'), crypto = require('crypto');
const sha = b => crypto.createHash('sha256').update(b).digest('hex').slice(0, 16);
async function test(name, job) {
    let outcome;
    try { outcome = String(await job()); } catch (e) { outcome = 'fail ' + (e.stack || e).toString().split('\n').slice(0, 2).join(' '); }
    console.log(`RESULT\t${name}\t${outcome}`);
}
const bytes = (n, seed) => Buffer.from(Array.from({ length: n }, (_, i) => (i * seed) % 251));
(async () => {
    const fse = require('fs-extra');
    await test('fs-extra', async () => { await fse.outputFile('x/y/z.txt', bytes(70000, 7)); await fse.copy('x', 'x2'); await fse.move('x2', 'x3'); await fse.outputJson('j/a.json', { a: 1 }); await fse.emptyDir('x'); return sha(fs.readFileSync('x3/y/z.txt')) + fs.readdirSync('x').length + (await fse.readJson('j/a.json')).a; });
    const tar = require('tar');
    await test('tar', async () => { await tar.c({ file: 'a.tgz', gzip: true }, ['x3', 'node_modules/lodash']); fs.mkdirSync('out'); await tar.x({ file: 'a.tgz', cwd: 'out' }); return sha(fs.readFileSync('out/node_modules/lodash/lodash.js')); });
    await test('archiver', async () => { const a = require('archiver')('zip'); const o = fs.createWriteStream('a.zip'); a.pipe(o); a.directory('node_modules/express', 'e'); a.append(bytes(100000, 3), { name: 'b' }); const done = new Promise(r => o.on('close', r)); await a.finalize(); await done; return fs.statSync('a.zip').size > 50000; });
    await test('lmdb, a native module that maps', async () => { const { open } = require('lmdb'); const db = open({ path: 'db.lmdb', compression: false }); for (let i = 0; i < 3000; i++) db.put(i, { i, s: 'v'.repeat(i % 99) }); await db.flushed; let n = 0; for (const { value } of db.getRange()) n += value.i; await db.close(); const again = open({ path: 'db.lmdb' }); const v = again.get(2999).i; await again.close(); return n + ' ' + v; });
    await test('level, a native module', async () => { const { ClassicLevel } = require('classic-level'); const db = new ClassicLevel('lvl', { valueEncoding: 'json' }); for (let k = 0; k < 20; k++) await db.batch(Array.from({ length: 200 }, (_, i) => ({ type: 'put', key: `k${k}:${i}`, value: { i } }))); let n = 0; for await (const [, v] of db.iterator()) n += v.i; await db.close(); const again = new ClassicLevel('lvl', { valueEncoding: 'json' }); const v = (await again.get('k7:9')).i; await again.close(); return n + ' ' + v; });
    await test('sql.js', async () => { const S = await require('sql.js')(); const d = new S.Database(); d.run('create table t (a); insert into t values (1), (2)'); fs.writeFileSync('s.db', d.export()); return new S.Database(fs.readFileSync('s.db')).exec('select sum(a) from t')[0].values; });
    await test('express', async () => { const e = require('express'); const app = e(); app.use(e.static('x3')); app.get('/f', (q, r) => r.sendFile(path.resolve('x3/y/z.txt'))); const s = app.listen(path.resolve('sock')); const get = p => new Promise((r, j) => require('http').get({ socketPath: path.resolve('sock'), path: p }, m => { const c = []; m.on('data', d => c.push(d)); m.on('end', () => r(Buffer.concat(c))); }).on('error', j)); await new Promise(r => s.on('listening', r)); const a = sha(await get('/y/z.txt')), b = sha(await get('/f')); s.close(); return a + b; });
    await test('chokidar', async () => { const w = require('chokidar').watch('j', { ignoreInitial: true }); await new Promise(r => w.on('ready', r)); const seen = new Promise(r => w.on('add', r)); fs.writeFileSync('j/new', 'n'); const p = await seen; await w.close(); return p; });
    await test('write-file-atomic', async () => { const w = require('write-file-atomic'); await Promise.all(Array.from({ length: 20 }, (_, i) => w('atomic', 'v' + i))); return fs.readFileSync('atomic').length; });
    await test('proper-lockfile', async () => { const l = require('proper-lockfile'); const release = await l.lock('atomic'); let second = 'taken twice'; try { await l.lock('atomic'); } catch (e) { second = e.code; } await release(); return second; });
    await test('graceful-fs with many files', async () => { const g = require('graceful-fs'); await Promise.all(Array.from({ length: 2000 }, (_, i) => new Promise((r, j) => g.writeFile('many' + i, bytes(i, 3), e => e ? j(e) : r())))); const all = await Promise.all(Array.from({ length: 2000 }, (_, i) => new Promise((r, j) => g.readFile('many' + i, (e, b) => e ? j(e) : r(b.length))))); return all.reduce((a, b) => a + b); });
    await test('glob and rimraf', async () => { const n = (await require('glob').glob('many*')).length; await require('rimraf').rimraf('many*', { glob: true }); return n + ' ' + fs.readdirSync('.').filter(f => f.startsWith('many')).length; });
    await test('streams', async () => { const { pipeline } = require('stream/promises'), z = require('zlib'); fs.writeFileSync('s', bytes(3000000, 11)); await pipeline(fs.createReadStream('s'), z.createGzip(), fs.createWriteStream('s.gz')); await pipeline(fs.createReadStream('s.gz'), z.createGunzip(), fs.createWriteStream('s2')); return sha(fs.readFileSync('s2')) === sha(fs.readFileSync('s')); });
    await test('worker threads', async () => { const { Worker } = require('worker_threads'); const run = i => new Promise((r, j) => { const w = new Worker(`const fs = require('fs'); for (let k = 0; k < 50; k++) fs.appendFileSync('w${i}', 'x'.repeat(k)); require('worker_threads').parentPort.postMessage(fs.statSync('w${i}').size)`, { eval: true }); w.on('message', r); w.on('error', j); }); return await Promise.all([0, 1, 2, 3].map(run)); });
    await test('cluster of processes', async () => { const cp = require('child_process'); const run = i => new Promise(r => cp.execFile(process.execPath, ['-e', `const fs = require('fs'); const f = fs.openSync('shared.log', 'a'); for (let k = 0; k < 200; k++) fs.writeSync(f, 'p${i} line ' + k + '\\n');`], r)); await Promise.all([0, 1, 2, 3].map(run)); const l = fs.readFileSync('shared.log', 'utf8').split('\n'); return l.length + ' ' + l.filter(x => x && !/^p[0-3] line \d+$/.test(x)).length; });
    process.exit(0);
})();
TEXT
}
