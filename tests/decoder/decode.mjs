// An independent reader of docs/format.md, for tests: nothing of it is shared with the C# code. aes-256-gcm only.
// usage: node decode.mjs BACKING_FILE DATA_KEY_HEX [OTHER_DATA_KEY_HEX]  → the plain bytes on standard output; exit 1 and a line for damage.
import { createDecipheriv, hkdfSync } from 'node:crypto';
import { readFileSync, writeSync } from 'node:fs';

const PAGE = 4096, BLOCKS = 29, CHILDREN = 208;
const [, , path, ...keysHex] = process.argv;
const keys = keysHex.map(hex => Buffer.from(hex, 'hex'));
const file = readFileSync(path);

function fail(cause) {
    process.stderr.write(`decode: ${path}: ${cause}\n`);
    process.exit(1);
}

function at(offset, length) { // holes and what lies beyond the end are zeros
    const bytes = Buffer.alloc(length);
    file.copy(bytes, 0, offset, Math.min(offset + length, file.length));
    return bytes;
}

function open(nonce, associated, text, tag, what, odd) {
    const key = odd === current.odd ? current.key : other;
    if (!key) fail(`${what} was sealed with another key`);
    const cipher = createDecipheriv('aes-256-gcm', key, nonce.subarray(0, 12));
    cipher.setAAD(associated);
    cipher.setAuthTag(tag.subarray(0, 16));
    if (tag.subarray(16).some(byte => byte !== 0)) fail(`${what}: bytes behind the tag`);
    try {
        return Buffer.concat([cipher.update(text), cipher.final()]);
    } catch {
        fail(`${what} does not authenticate`);
    }
}

function u64(number) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(number));
    return bytes;
}

// LZ4 block format.
function expand(packed, limit) {
    const plain = [];
    for (let i = 0; i < packed.length;) {
        const token = packed[i++];
        const length = nibble => {
            let count = nibble;
            if (nibble === 15) for (let byte = 255; byte === 255;) count += byte = packed[i++];
            return count;
        };
        for (let n = length(token >> 4); n > 0; n--) plain.push(packed[i++]);
        if (i >= packed.length) break;
        const distance = packed[i] | packed[i + 1] << 8;
        i += 2;
        if (distance === 0 || distance > plain.length) fail('LZ4: a match before the start');
        for (let n = length(token & 15) + 4; n > 0; n--) plain.push(plain[plain.length - distance]);
        if (plain.length > limit) fail('LZ4: longer than a block');
    }
    return Buffer.from(plain);
}

const header = at(0, 256);
if (!header.subarray(0, 8).equals(Buffer.from('894f564c590d0a1a', 'hex'))) fail('no magic');
if (header.readUInt16LE(8) !== 1 || header.readUInt16LE(14) > 7) fail('unknown version');
if (header[10] !== 1) fail('this decoder knows aes-256-gcm only');
const checkOf = key => Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), 'overlay key check v1', 8));
// The header is sealed with the key of its check; the other one is needed while it has bit 6 or 7.
const rekeyed = (header.readUInt16LE(14) & 2) !== 0, epoch = header[13] >> 1 & 31, two = (header[13] & 0xc0) !== 0;
if (rekeyed !== (epoch !== 0 || two) || (header[13] & 0xc0) === 0xc0) fail('flags that cannot be');
const current = { key: keys.find(key => checkOf(key).equals(header.subarray(48, 56))), odd: epoch & 1 };
if (!current.key) fail('wrong key');
const other = two ? keys.find(key => key !== current.key) : undefined;
open(header.subarray(208, 224), Buffer.concat([Buffer.from([1]), header.subarray(0, 208)]), Buffer.alloc(0), header.subarray(224, 256), 'header', current.odd);

const fileId = header.subarray(16, 32), B = 1 << header[12], indexed = (header[13] & 1) !== 0;
const size = Number(header.readBigUInt64LE(56));
const G = BLOCKS * B, stride = 3 * PAGE + 3 * G;

const groups = new Map();
function group(g) { // the index page of a group that exists, or null
    if (groups.has(g)) return groups.get(g);
    let page = null;
    const parent = g === 0 ? null : Math.floor((g - 1) / CHILDREN), child = (g - 1) % CHILDREN;
    if (g === 0 || (group(parent) && group(parent)[256 + 64 + (child >> 3)] >> (child & 7) & 1)) {
        page = at(g * stride, PAGE);
        const record = page.subarray(256, 384);
        open(record.subarray(16, 32), Buffer.concat([Buffer.from([2]), fileId, u64(g), record.subarray(0, 16), record.subarray(64)]),
            Buffer.alloc(0), record.subarray(32, 64), `record of group ${g}`, record[11] >> 7);
    }
    groups.set(g, page);
    return page;
}

// A block in units: the version's seal covers a table, which has a place, a nonce and a tag for each. Units whose place is 3 are those of the base, a
// version of before: its nonce and tag are where the first such unit's would be, its first 16 bytes behind the version's tag (those of 32 bytes are not for this decoder).
function units(g, slot, block, version, length, half) {
    const table = at(g * stride + PAGE + (2 * slot + half) * 128, 128), unit = Math.max(PAGE, B / 4), parts = [], odd = version[11] >> 4 & 1;
    const behind = version.subarray(48, 64), described = behind.some(byte => byte !== 0);
    open(version.subarray(16, 32), Buffer.concat([Buffer.from([3]), fileId, u64(block), version.subarray(0, 16), table, described ? behind : Buffer.alloc(0)]),
        Buffer.alloc(0), version.subarray(32, 48), `table of block ${block}`, odd);
    let base = null;
    for (let i = 0; i * unit < length; i++) {
        const place = table.readUInt32LE(0) >>> 2 * i & 3, entry = table.subarray(4 + 28 * i, 32 + 28 * i), size = Math.min(unit, length - i * unit);
        if (place === 3) {
            if (!described || !(header.readUInt16LE(14) & 4) || (behind[11] >> 4 & 1) !== odd) fail(`block ${block}: a base that cannot be`);
            base ??= whole(g, slot, block, Buffer.concat([behind, entry.subarray(0, 12), table.subarray(4 + 28 * (B / unit)).subarray(0, 4), entry.subarray(12), Buffer.alloc(16)]));
            parts.push(base.subarray(i * unit, i * unit + size));
            continue;
        }
        const text = at(g * stride + 3 * PAGE + place * G + slot * B + i * unit, size);
        parts.push(open(entry.subarray(0, 12), Buffer.concat([Buffer.from([4]), fileId, u64(block), Buffer.from([i])]), text, entry.subarray(12),
            `unit ${i} of block ${block}`, odd));
    }
    if (described !== (base !== null)) fail(`block ${block}: a base that no unit is in`);
    return Buffer.concat(parts);
}

function whole(g, slot, block, version) { // with zeros up to the block's end
    const word = version.readUInt32LE(8), length = word & 0xffffff, place = word >>> 24 & 3, kind = word >>> 26 & 3, plain = Buffer.alloc(B);
    const offset = place === 3 ? 512 : g * stride + 3 * PAGE + place * G + slot * B;
    if (kind === 3 || (place === 3 && (block !== 0 || indexed))) fail(`block ${block}: stored as it cannot be`);
    const stored = open(version.subarray(16, 32), Buffer.concat([Buffer.from([3]), fileId, u64(block), version.subarray(0, 16)]),
        at(offset, length), version.subarray(32, 64), `block ${block}`, version[11] >> 4 & 1);
    (kind === 2 ? expand(stored, B) : stored).copy(plain);
    return plain;
}

for (let block = 0; block * B < size; block++) {
    const g = Math.floor(block / BLOCKS), slot = block % BLOCKS, page = group(g);
    const plain = Buffer.alloc(B);
    if (page && page.readUInt32LE(256 + 8) >>> slot & 1) {
        const version = page.subarray(384 + slot * 128, 384 + slot * 128 + 64), word = version.readUInt32LE(8);
        ((word >>> 26 & 3) === 3 ? units(g, slot, block, version, word & 0xffffff, word >>> 24 & 3) : whole(g, slot, block, version)).copy(plain);
    }
    writeSync(1, plain.subarray(0, Math.min(B, size - block * B)));
}
