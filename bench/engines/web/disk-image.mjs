/*
 * A disk's image with what a guest wrote to the disk, as one file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { messageOf } from '../js/errors.mjs';
import { BLOCK, DiskFile } from './disk-file.mjs';
import { contentOf } from './pieces.mjs';
import { locatedDisk } from './urls.mjs';

/** @import { DiskChanges, MachineDisk } from './types.d.ts' */

/* The image is made in parts of this size; the browser keeps finished parts. */
const PART = 1 << 20;

/**
 * Fetch what is missing, and put together the image: an Error of one line if something
 * cannot be fetched.
 *
 * @param {MachineDisk} disk
 * @param {DiskChanges} changes
 */
export async function imageOf(disk, changes) {
    try {
        const file = new DiskFile(await contentOf(locatedDisk(disk)),
                                  { writtenBytes: Infinity });
        const writes = inOrder(changes);
        file.truncate(changes.contentSize);
        file.truncate(changes.size);
        const zeros = new Blob([new Uint8Array(PART)]);
        /** @type {Blob[]} */
        const parts = [];
        for (let at = 0; at < changes.size; at += PART) {
            const size = Math.min(PART, changes.size - at);
            const written = await writes(at + size);
            if (!written.length && isHole(file, at, size)) {
                parts.push(zeros.slice(0, size));
                continue;
            }
            for (const { block, bytes } of written) {
                /* Only whole blocks are written: nothing is fetched for them. */
                file.blocks.set(block, bytes);
            }
            parts.push(new Blob([await file.read(at, size)]));
            file.blocks.clear();
        }
        return new Blob(parts);
    } catch (error) {
        throw new Error(`the disk ${disk.name} cannot be saved: ${messageOf(error)}`,
                        { cause: error });
    }
}

/**
 * Whether a part of the content has nothing but zeros.
 *
 * @param {DiskFile} file
 * @param {number} at
 * @param {number} size
 */
function isHole({ content, contentSize }, at, size) {
    const end = Math.min(at + size, contentSize);
    for (let from = at - at % content.piece; from < end; from += content.piece) {
        if (!content.isHole(Math.floor(from / content.piece))) {
            return false;
        }
    }
    return true;
}

/**
 * What was written, in order: the function that this returns gives the blocks before a
 * position which it has not given yet.
 *
 * @param {DiskChanges} changes
 */
function inOrder({ blocks, data }) {
    let given = 0;
    return async (/** @type {number} */ end) => {
        const first = given;
        while (given < blocks.length && blocks[given] * BLOCK < end) {
            given++;
        }
        const part = data.slice(first * BLOCK, given * BLOCK);
        const all = new Uint8Array(await part.arrayBuffer());
        return blocks.slice(first, given).map((block, i) =>
            ({ block, bytes: all.subarray(i * BLOCK, (i + 1) * BLOCK) }));
    };
}
