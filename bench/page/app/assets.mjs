/*
 * The files of a guest: how many bytes they have, and how many have been fetched.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { wasmOf } from '../../engines/web/download.mjs';

/** @import { Guest, SavedMachine, Site } from './site.d.ts' */

/** @typedef {SavedMachine['part']} Asset a file of the site's, or of a user's own */

/**
 * The files of a guest and its program, and the others that a run needs.
 *
 * @param {Site} site
 * @param {Guest} guest
 * @param {Asset[]} more
 * @returns {Asset[]}
 */
const filesOf = (site, guest, more) =>
    [...site.programs[guest.arch].files, ...guest.files, ...more];

/** @param {Asset[]} files */
const packed = (files) => files.reduce((sum, file) => sum + file.packed, 0);

/**
 * How many bytes are fetched for a guest: packed, where the packed size is known.
 *
 * @param {Site} site
 * @param {Guest} guest
 * @param {Asset[]} more
 */
export function weight(site, guest, more = []) {
    const program = site.programs[guest.arch];
    return (program.packed ?? program.bytes) + packed(filesOf(site, guest, more));
}

/**
 * The URLs that are fetched for a guest.
 *
 * @param {Site} site
 * @param {Guest} guest
 * @param {Asset[]} more
 */
export function urlsOf(site, guest, more) {
    const { url } = site.programs[guest.arch];
    const urls = filesOf(site, guest, more).map((file) => file.url)
        .filter((found) => found !== undefined);
    return [url, wasmOf(url), ...urls]
        .map((found) => new URL(found, document.baseURI).href);
}

/**
 * Whether the browser keeps all of these from an earlier visit.
 *
 * @param {string[]} urls
 */
export async function isKept(urls) {
    const found = await Promise.all(urls.map((url) => caches.match(url)));
    return found.every(Boolean);
}

/** How much of a guest has been fetched. */
export class Loading {
    /**
     * @param {Site} site
     * @param {Guest} guest
     * @param {Asset[]} more
     * @param {(part: number, loaded: number, total: number) => void} progress gets the
     *     part (1 is all), the bytes that were fetched, and the bytes of all files
     */
    constructor(site, guest, more, progress) {
        /* The program's bytes are counted unpacked, the others' packed. */
        this.total = site.programs[guest.arch].bytes +
            packed(filesOf(site, guest, more));
        /** @type {Map<string, number>} */
        this.loaded = new Map();
        this.progress = progress;
    }

    /**
     * So many bytes of a file have been fetched.
     *
     * @param {string} what
     * @param {number} bytes
     */
    tell(what, bytes) {
        this.loaded.set(what, bytes);
        const sum = [...this.loaded.values()].reduce((all, one) => all + one, 0);
        const loaded = Math.min(sum, this.total);
        this.progress(loaded / this.total, loaded, this.total);
    }
}
