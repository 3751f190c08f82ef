/*
 * Downloads a machine's files and its program, and tells the progress.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
/** @import { Bytes, Progress, Source } from './types.d.ts' */

/** @typedef {(progress: Progress) => void} Tell */

/* The time between two messages of progress. */
const TELL_MS = 50;

/**
 * @param {string} url
 * @param {AbortSignal} [signal]
 */
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

/**
 * The size of the body when it is unpacked; 0 if the server did not tell.
 *
 * @param {Response} response
 */
function sizeOf(response) {
    const packed = response.headers.get('Content-Encoding');
    return packed ? Number(response.headers.get('X-Unpacked-Length') ?? 0)
                  : Number(response.headers.get('Content-Length') ?? 0);
}

/**
 * The pieces of the body; tells the progress.
 *
 * @param {Response} response
 * @param {string} path
 * @param {Tell} progress
 */
async function *pieces(response, path, progress) {
    const total = sizeOf(response);
    let loaded = 0, told = 0;
    for await (const value of response.body ? read(response.body) : []) {
        loaded += value.length;
        if (performance.now() - told >= TELL_MS) {
            told = performance.now();
            progress({ path, loaded, total });
        }
        yield value;
    }
    progress({ path, loaded, total: loaded });
}

/**
 * The pieces of a stream: not every browser lets a stream be iterated.
 *
 * @param {ReadableStream<Bytes>} stream
 * @returns {AsyncGenerator<Bytes, void>}
 */
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

/**
 * The pieces of a gzip stream, unpacked.
 *
 * @param {AsyncIterable<Bytes>} found
 */
async function *unpacked(found) {
    const { readable, writable } = new DecompressionStream('gzip');
    const writer = writable.getWriter();
    const written = (async () => {
        for await (const piece of found) {
            await writer.write(piece);
        }
        await writer.close();
    })();
    /* The reader throws this error, too, or the last line does. */
    written.catch((error) => writer.abort(error).catch(() => {}));
    yield *read(readable);
    await written;
}

/**
 * All pieces as one.
 *
 * @param {AsyncIterable<Bytes>} found
 * @param {number} size a good guess of the size, or 0
 */
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

/**
 * The bytes of a file. A file with `packed` is gzip at its URL, but the server may tell
 * the browser to unpack the file. Progress is told with the file's path, or without one
 * with its URL.
 *
 * @param {Source} source
 * @param {Tell} progress
 * @param {AbortSignal} [signal] gives the download up
 * @returns {Promise<Bytes>}
 */
export async function download({ path, url, data, packed, bytes }, progress, signal) {
    if (data instanceof Blob) {
        return new Uint8Array(await data.arrayBuffer());
    }
    if (data) {
        return new Uint8Array(data);
    }
    if (url === undefined) {
        throw new Error(`${path} has neither content nor URL`);
    }
    const response = await get(url, signal);
    const counted = pieces(response, path ?? url, progress);
    const found = packed && !response.headers.has('Content-Encoding')
        ? await collected(unpacked(counted), bytes ?? 0)
        : await collected(counted, bytes ?? sizeOf(response));
    if (bytes !== undefined && found.length !== bytes) {
        throw new Error(`${url} has ${found.length} bytes, not ${bytes}: ` +
                        'reload the page, or report it to its host');
    }
    return found;
}

/**
 * The URL of a program's .wasm.
 *
 * @param {string} script the URL of the program's JavaScript
 */
export const wasmOf = (script) => script.replace(/\.m?js(?=$|[?#])/, '.wasm');

/**
 * The compiled program: the browser compiles the program while it arrives.
 *
 * @param {string} program the URL of the program's JavaScript
 * @param {Tell} progress
 * @param {AbortSignal} [signal]
 */
export async function downloadProgram(program, progress, signal) {
    const url = wasmOf(program);
    const response = await get(url, signal);
    const loaded = sizeOf(response);
    /* The browser may keep the compiled code of a response, but not of bytes. */
    const compiled = await WebAssembly.compileStreaming(response);
    progress({ path: url, loaded, total: loaded });
    return compiled;
}
