/*
 * Uses a disk of a page's as QEMU would, for a test: reads what to do as JSON, and
 * prints what happened.
 *
 *   { index, sha256, bytes, packed }  an image in pieces, by the URL of its index; or
 *   { url, bytes }                    a file that is served in ranges; or
 *   { file }                          a user's own file
 *   options                           of DiskFile
 *   steps                             [what, ...], see STEPS
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import crypto from 'node:crypto';
import fs from 'node:fs';
import { messageOf } from '../../engines/js/errors.mjs';
import { DiskFile } from '../../engines/web/disk-file.mjs';
import { imageOf } from '../../engines/web/disk-image.mjs';
import { contentOf } from '../../engines/web/pieces.mjs';

/** @import { Options } from '../../engines/web/disk-file.mjs' */
/** @import { DiskSource } from '../../engines/web/types.d.ts' */

/**
 * @typedef {object} Asked
 * @property {string} [file]
 * @property {{ url: string, sha256: string, bytes: number, packed: number }} [index]
 * @property {string} [url]
 * @property {number} [bytes]
 * @property {Options} [options]
 * @property {[keyof typeof STEPS, ...number[]][]} steps
 */

/** @type {string[]} */
const troubles = [];
/** @type {Asked} */
const asked = JSON.parse(fs.readFileSync(0, 'utf8'));
const { steps, options, file, ...where } = asked;
/** @type {DiskSource} */
const source = file ? { blob: await fs.openAsBlob(file) } : where;

/** @param {Uint8Array} bytes */
const sha256 = (bytes) => crypto.createHash('sha256').update(bytes).digest('hex');

/**
 * What is written at a position; a test makes the same bytes.
 *
 * @param {number} at
 * @param {number} size
 */
const pattern = (at, size) =>
    Uint8Array.from({ length: size }, (_, i) => 1 + (at + i) % 251);

const STEPS = {
    /**
     * @param {DiskFile} disk
     * @param {number} at
     * @param {number} size
     */
    read: async (disk, at, size) => sha256(await disk.read(at, size)),
    /**
     * @param {DiskFile} disk
     * @param {number} at
     * @param {number} size
     */
    async write(disk, at, size) {
        await disk.write(at, pattern(at, size));
        return disk.size;
    },
    /**
     * @param {DiskFile} disk
     * @param {number} size
     */
    truncate(disk, size) {
        disk.truncate(size);
        return disk.size;
    },
    /** @param {DiskFile} disk */
    fetched: (disk) => disk.fetched,
    /** @param {DiskFile} disk */
    kept: (disk) => disk.pieces.size,
    /**
     * @param {DiskFile} _
     * @param {number} ms
     */
    pause: (_, ms) => new Promise((resolve) => setTimeout(resolve, ms, ms)),
    /** Make a user's own file shorter. */
    cut: () => fs.truncateSync(file ?? '', 100),
    /**
     * The image with all that was written: its size and digest.
     *
     * @param {DiskFile} disk
     */
    async image(disk) {
        const image = await imageOf({ path: '/disks/0-a', name: 'a.img', readonly: false,
                                      ...source }, disk.changes());
        return [image.size, sha256(new Uint8Array(await image.arrayBuffer()))];
    },
};

/* A page's URLs are relative to the page. */
Object.assign(globalThis, { document: { baseURI: asked.index?.url ?? asked.url ??
                                                 'http://page.invalid/' } });
/** @type {unknown[]} */
const found = [];
try {
    const disk = new DiskFile(await contentOf(source), {
        ...options, trouble: (why) => { troubles.push(why); } });
    for (const [what, ...given] of steps) {
        const [at, size] = given;
        try {
            found.push(await STEPS[what](disk, at, size));
        } catch (e) {
            found.push({ error: messageOf(e), errno: /** @type {any} */ (e).errno });
        }
    }
} catch (e) {
    found.push({ error: messageOf(e) });
}
console.log(JSON.stringify({ found, troubles }));
