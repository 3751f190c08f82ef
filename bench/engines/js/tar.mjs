/*
 * A folder as a tar archive, in GNU's form of it: names and targets are bytes and
 * may be long.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
const BLOCK = 512;
const NAME = { at: 0, size: 100 }, MODE = { at: 100, size: 8 };
const UID = { at: 108, size: 8 }, GID = { at: 116, size: 8 };
const SIZE = { at: 124, size: 12 }, MTIME = { at: 136, size: 12 };
const SUM = { at: 148, size: 8 }, TYPE = 156, TARGET = { at: 157, size: 100 };
const MAGIC = 257;

const FILE = '0', LINK = '2', FOLDER = '5', LONG_TARGET = 'K', LONG_NAME = 'L';
/* The name of an entry that only has a long name for the next. */
const LONG = '././@LongLink';

const encoder = new TextEncoder();

/* In octal, or with the first bit set as a number of base 256. */
function number(header, { at, size }, value) {
    const whole = Math.floor(value);
    if (whole >= 0 && whole < 8 ** (size - 1)) {
        const digits = whole.toString(8).padStart(size - 1, '0');
        header.set(encoder.encode(digits), at);
        return;
    }
    let rest = BigInt.asUintN(8 * size, BigInt(whole));
    for (let i = at + size - 1; i >= at; i--) {
        header[i] = Number(rest & 255n);
        rest >>= 8n;
    }
    header[at] |= 128;
}

function header({ name, type, mode, size, mtime, target }) {
    const block = new Uint8Array(BLOCK);
    block.set(name.subarray(0, NAME.size), NAME.at);
    number(block, MODE, mode);
    number(block, UID, 0);
    number(block, GID, 0);
    number(block, SIZE, size);
    number(block, MTIME, mtime);
    block[TYPE] = type.charCodeAt(0);
    block.set((target ?? new Uint8Array(0)).subarray(0, TARGET.size), TARGET.at);
    block.set(encoder.encode('ustar  \0'), MAGIC);
    block.fill(0x20, SUM.at, SUM.at + SUM.size);
    const sum = block.reduce((a, b) => a + b);
    block.set(encoder.encode(`${sum.toString(8).padStart(6, '0')}\0 `), SUM.at);
    return block;
}

const padding = (size) => new Uint8Array((BLOCK - size % BLOCK) % BLOCK);

function *long(type, bytes) {
    const size = bytes.length + 1;
    yield header({ name: encoder.encode(LONG), type, mode: 0, size, mtime: 0 });
    yield bytes;
    yield new Uint8Array(1);
    yield padding(size);
}

/*
 * The archive in pieces; entries as MemoryFolders.walk() has them, which only
 * `path` and `mode` are needed of. Paths of folders get a slash.
 */
export function *tar(entries) {
    for (const { path, mode, size = 0, mtime = 0, target, pieces } of entries) {
        const type = pieces ? FILE : target ? LINK : FOLDER;
        const name = type === FOLDER ? Uint8Array.from([...path, 0x2f]) : path;
        if (name.length > NAME.size) {
            yield *long(LONG_NAME, name);
        }
        if (target?.length > TARGET.size) {
            yield *long(LONG_TARGET, target);
        }
        const held = type === FILE ? size : 0;
        yield header({ name, type, mode: mode & 0o7777, size: held, mtime, target });
        if (type === FILE) {
            yield *pieces();
            yield padding(held);
        }
    }
    yield new Uint8Array(2 * BLOCK);
}
