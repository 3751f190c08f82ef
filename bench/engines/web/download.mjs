/*
 * What a machine is made of, from its URLs, with word of how far it is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/* Progress is not worth more messages than this. */
const TELL_MS = 50;

async function get(url, signal) {
    let response;
    try {
        response = await fetch(url, { signal });
    } catch (e) {
        signal?.throwIfAborted();
        throw new Error(`${url} cannot be fetched: is there a network?`, { cause: e });
    }
    if (!response.ok) {
        throw new Error(`${url} cannot be fetched: ${response.status} ` +
                        `${response.statusText}; reload the page`);
    }
    return response;
}

/* Bytes of the body to come, as they are when unpacked; 0 if nobody said. */
function sizeOf(response) {
    const packed = response.headers.get('Content-Encoding');
    return packed ? Number(response.headers.get('X-Unpacked-Length') ?? 0)
                  : Number(response.headers.get('Content-Length') ?? 0);
}

/* Every piece of the body, and word of it. */
async function *pieces(response, path, progress) {
    const total = sizeOf(response);
    let loaded = 0, told = 0;
    for await (const value of read(response.body)) {
        loaded += value.length;
        if (performance.now() - told >= TELL_MS) {
            told = performance.now();
            progress({ path, loaded, total });
        }
        yield value;
    }
    progress({ path, loaded, total: loaded });
}

/* As not every browser lets a stream be iterated. */
async function *read(stream) {
    const reader = stream.getReader();
    for (;;) {
        const { done, value } = await reader.read();
        if (done) {
            return;
        }
        yield value;
    }
}

/* Of what is packed by gzip. */
async function *unpacked(found) {
    const { readable, writable } = new DecompressionStream('gzip');
    const writer = writable.getWriter();
    const written = (async () => {
        for await (const piece of found) {
            await writer.write(piece);
        }
        await writer.close();
    })();
    /* It is thrown by the reader, too, or below. */
    written.catch((error) => writer.abort(error).catch(() => {}));
    yield *read(readable);
    await written;
}

/* All of it; @size is a good guess, or 0. */
async function collected(found, size) {
    let bytes = new Uint8Array(size), at = 0;
    for await (const piece of found) {
        if (at + piece.length > bytes.length) {
            const more = new Uint8Array(2 * (at + piece.length));
            more.set(bytes.subarray(0, at));
            bytes = more;
        }
        bytes.set(piece, at);
        at += piece.length;
    }
    return at === bytes.length ? bytes : bytes.slice(0, at);
}

/*
 * The bytes of a file: { path, url } or { path, data }. If `packed` and `bytes` are
 * there, it has so many as gzip, which the server may unpack on its own, and then.
 * Without a path, its URL is what @progress is told. An AbortSignal gives it up.
 */
export async function download({ path, url, data, packed, bytes }, progress, signal) {
    if (data instanceof Blob) {
        return new Uint8Array(await data.arrayBuffer());
    }
    if (data) {
        return new Uint8Array(data);
    }
    const response = await get(url, signal);
    const counted = pieces(response, path ?? url, progress);
    const found = packed && !response.headers.has('Content-Encoding')
        ? await collected(unpacked(counted), bytes)
        : await collected(counted, bytes ?? sizeOf(response));
    if (bytes !== undefined && found.length !== bytes) {
        throw new Error(`${url} has ${found.length} bytes, not ${bytes}: ` +
                        'reload the page, or report it to its host');
    }
    return found;
}

/* Where the program is whose JavaScript is at that URL. */
export const wasmOf = (script) => script.replace(/\.m?js(?=$|[?#])/, '.wasm');

/* The compiled program whose JavaScript is at that URL: compiled on its way. */
export async function downloadProgram(program, progress, signal) {
    const url = wasmOf(program);
    const response = await get(url, signal);
    const loaded = sizeOf(response);
    /* Of a response as it came, the browser may keep the compiled code. */
    const compiled = await WebAssembly.compileStreaming(response);
    progress({ path: url, loaded, total: loaded });
    return compiled;
}
