/*
 * A guest's files: fetched when they are needed, unpacked here, with word of how
 * far it is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/* What is packed, however much of it a server unpacks on its own. */
async function unpacked(blob, file) {
    if (blob.size === file.packed) {
        const stream = blob.stream().pipeThrough(new DecompressionStream('gzip'));
        blob = await new Response(stream).blob();
    }
    if (blob.size !== file.bytes) {
        throw new Error(`${file.url} has ${blob.size} bytes, not ${file.bytes}: ` +
                        'reload the page, or report it to its host');
    }
    return blob;
}

async function get(url, signal) {
    let response;
    try {
        response = await fetch(url, { signal });
    } catch (e) {
        signal.throwIfAborted();
        throw new Error(`${url} cannot be fetched: is there a network?`, { cause: e });
    }
    if (!response.ok) {
        throw new Error(`${url} cannot be fetched: ${response.status} ` +
                        `${response.statusText}; reload the page`);
    }
    return response;
}

/* Bytes as they come, whatever they are packed in. */
function counting(response, tell) {
    const counter = new TransformStream({
        transform(piece, controller) {
            tell(piece.length);
            controller.enqueue(piece);
        },
    });
    return new Response(response.body.pipeThrough(counter)).blob();
}

/* Bytes to fetch for a guest; packed, if anything is known of that. */
export function weight(site, guest, more = []) {
    const program = site.programs[guest.arch];
    const files = [...program.files, ...guest.files, ...more];
    return (program.packed ?? program.bytes) +
        files.reduce((sum, file) => sum + file.packed, 0);
}

/* How much of a guest is there. */
export class Loading {
    /*
     * @more are files as the site describes them; those of the guest and its program
     * are for the machine to fetch. @progress gets a part of 1, bytes, and bytes of all.
     */
    constructor(site, guest, more, progress) {
        const { files, bytes } = site.programs[guest.arch];
        this.own = [...files, ...guest.files];
        this.more = more;
        /* The program's bytes are counted unpacked, the others' packed. */
        this.total = bytes +
            [...this.own, ...more].reduce((sum, file) => sum + file.packed, 0);
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

    /* What start() of machine.mjs takes as files. */
    get files() {
        return this.own.map(({ path, url, packed, bytes }) =>
            ({ path, url, packed, bytes }));
    }

    /* The rest, with their `data`. */
    fetchMore(signal) {
        return Promise.all(this.more.map(async (file) => {
            let loaded = 0;
            const tell = (n) => this.tell(file.url, loaded += n);
            const blob = await counting(await get(file.url, signal), tell);
            return { path: file.path, data: await unpacked(blob, file) };
        }));
    }
}
