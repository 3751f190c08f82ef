/*
 * Writes a folder as a tar archive in GNU's format: names of files and targets of links
 * are bytes and may be long.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
/** @import { FoundEntry } from './qemu.d.ts' */

/** @typedef {{ at: number, size: number }} Field */

const BLOCK = 512;
const NAME = { at: 0, size: 100 }, MODE = { at: 100, size: 8 };
const UID = { at: 108, size: 8 }, GID = { at: 116, size: 8 };
const SIZE = { at: 124, size: 12 }, MTIME = { at: 136, size: 12 };
const SUM = { at: 148, size: 8 }, TYPE = 156, TARGET = { at: 157, size: 100 };
const MAGIC = 257;

const FILE = '0', LINK = '2', FOLDER = '5', LONG_TARGET = 'K', LONG_NAME = 'L';
/* The name of an entry that holds nothing but a long name for the next entry. */
const LONG = '././@LongLink';

const encoder = new TextEncoder();

/**
 * Write a number in octal digits or, if it does not fit, in base 256 with the first bit
 * set.
 *
 * @param {Uint8Array} block
 * @param {Field} field
 * @param {number} value
 */
function number(block, { at, size }, value) {
    const whole = Math.floor(value);
    if (whole >= 0 && whole < 8 ** (size - 1)) {
        const digits = whole.toString(8).padStart(size - 1, '0');
        block.set(encoder.encode(digits), at);
        return;
    }
    let rest = BigInt.asUintN(8 * size, BigInt(whole));
    for (let i = at + size - 1; i >= at; i--) {
        block[i] = Number(rest & 255n);
        rest >>= 8n;
    }
    block[at] |= 128;
}

/**
 * @param {{ name: Uint8Array, type: string, mode: number, size: number, mtime: number,
 *           target?: Uint8Array }} entry
 */
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

/** @param {number} size */
const padding = (size) => new Uint8Array((BLOCK - size % BLOCK) % BLOCK);

/**
 * An entry that holds a long name or target for the next entry.
 *
 * @param {string} type
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
function *long(type, bytes) {
    const size = bytes.length + 1;
    yield header({ name: encoder.encode(LONG), type, mode: 0, size, mtime: 0 });
    yield bytes;
    yield new Uint8Array(1);
    yield padding(size);
}

/**
 * The archive in pieces, of entries as MemoryFolders.walk() gives them. The archive has
 * a slash behind the paths of folders.
 *
 * @param {Iterable<FoundEntry>} entries
 * @returns {Generator<Uint8Array<ArrayBuffer>, void>}
 */
export function *tar(entries) {
    for (const { path, mode, size = 0, mtime = 0, target, pieces } of entries) {
        const type = pieces ? FILE : target ? LINK : FOLDER;
        const name = type === FOLDER ? Uint8Array.from([...path, 0x2f]) : path;
        if (name.length > NAME.size) {
            yield *long(LONG_NAME, name);
        }
        if (target && target.length > TARGET.size) {
            yield *long(LONG_TARGET, target);
        }
        const held = type === FILE ? size : 0;
        yield header({ name, type, mode: mode & 0o7777, size: held, mtime, target });
        if (pieces) {
            yield *pieces();
            yield padding(held);
        }
    }
    yield new Uint8Array(2 * BLOCK);
}
