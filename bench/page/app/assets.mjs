/*
 * A guest's files: how much they are, and how much of them is there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/* Bytes to fetch for a guest; packed, if anything is known of that. */
export function weight(site, guest, more = []) {
    const program = site.programs[guest.arch];
    const files = [...program.files, ...guest.files, ...more];
    return (program.packed ?? program.bytes) +
        files.reduce((sum, file) => sum + file.packed, 0);
}

/* What is fetched for a guest and its program, as URLs. */
export function filesOf(site, guest, more = []) {
    const { url, files } = site.programs[guest.arch];
    return [url, url.replace(/js$/, 'wasm'),
            ...[...files, ...guest.files, ...more].map((file) => file.url)];
}

/* Whether the browser has kept them all from an earlier visit. */
export async function isKept(urls) {
    const found = await Promise.all(urls.map((url) =>
        caches.match(new URL(url, document.baseURI), { ignoreVary: true })));
    return found.every(Boolean);
}

/* How much of a guest is there. */
export class Loading {
    /*
     * @more are files as the site describes them, beside those of the guest and its
     * program. @progress gets a part of 1, bytes, and bytes of all.
     */
    constructor(site, guest, more, progress) {
        const { files, bytes } = site.programs[guest.arch];
        /* The program's bytes are counted unpacked, the others' packed. */
        this.total = [...files, ...guest.files, ...more]
            .reduce((sum, file) => sum + file.packed, bytes);
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
