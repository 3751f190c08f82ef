/*
 * A guest's files: how much they are, and how much of them is there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { wasmOf } from '../../engines/web/download.mjs';

/* As the site describes them; @more beside those of the guest and its program. */
const filesOf = (site, guest, more) =>
    [...site.programs[guest.arch].files, ...guest.files, ...more];
const packed = (files) => files.reduce((sum, file) => sum + file.packed, 0);

/* Bytes to fetch for a guest; packed, if anything is known of that. */
export function weight(site, guest, more = []) {
    const program = site.programs[guest.arch];
    return (program.packed ?? program.bytes) + packed(filesOf(site, guest, more));
}

/* What is fetched for a guest. */
export function urlsOf(site, guest, more) {
    const { url } = site.programs[guest.arch];
    return [url, wasmOf(url), ...filesOf(site, guest, more).map((file) => file.url)]
        .map((found) => new URL(found, document.baseURI).href);
}

/* Whether the browser has kept them all from an earlier visit. */
export async function isKept(urls) {
    const found = await Promise.all(urls.map((url) => caches.match(url)));
    return found.every(Boolean);
}

/* How much of a guest is there. */
export class Loading {
    /* @progress gets a part of 1, bytes, and bytes of all. */
    constructor(site, guest, more, progress) {
        /* The program's bytes are counted unpacked, the others' packed. */
        this.total = site.programs[guest.arch].bytes +
            packed(filesOf(site, guest, more));
        this.loaded = new Map();
        this.progress = progress;
    }

    /* So many bytes of something are there. */
    tell(what, bytes) {
        this.loaded.set(what, bytes);
        const sum = [...this.loaded.values()].reduce((all, one) => all + one, 0);
        const loaded = Math.min(sum, this.total);
        this.progress(loaded / this.total, loaded, this.total);
    }
}
