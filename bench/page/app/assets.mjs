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

/* How much of a guest is there: files, and the program, which the machine fetches. */
export class Loading {
    /* @progress gets a part of 1, bytes, and bytes of all. */
    constructor(site, guest, more, progress) {
        const { files, bytes } = site.programs[guest.arch];
        this.own = [...files, ...guest.files];
        this.files = [...this.own, ...more];
        /* The program's bytes are counted unpacked, the others' packed. */
        this.total = bytes + this.files.reduce((sum, file) => sum + file.packed, 0);
        this.fetched = this.program = 0;
        this.progress = progress;
    }

    tell() {
        const loaded = Math.min(this.fetched + this.program, this.total);
        this.progress(loaded / this.total, loaded, this.total);
    }

    /* So much of the program is there. */
    toldProgram(loaded) {
        this.program = loaded;
        this.tell();
    }

    /*
     * What start() of machine.mjs takes as files, and @more as the site describes
     * them, with their `data`: [files, more].
     */
    async fetchAll(signal) {
        const tell = (n) => {
            this.fetched += n;
            this.tell();
        };
        const fetched = await Promise.all(this.files.map(async (file) => ({
            path: file.path,
            data: await unpacked(
                await counting(await get(file.url, signal), tell), file),
        })));
        return [fetched.slice(0, this.own.length), fetched.slice(this.own.length)];
    }
}
