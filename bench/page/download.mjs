/*
 * What a machine is made of, from its URLs, with word of how far it is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/* Progress is not worth more messages than this. */
const TELL_MS = 50;

async function get(url) {
    let response;
    try {
        response = await fetch(url);
    } catch (e) {
        throw new Error(`${url} cannot be fetched: ${e.message}`);
    }
    if (!response.ok) {
        throw new Error(`${url} cannot be fetched: ${response.status} ` +
                        response.statusText);
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
    const reader = response.body.getReader();
    let loaded = 0, told = 0;
    for (;;) {
        const { done, value } = await reader.read();
        if (done) {
            break;
        }
        loaded += value.length;
        if (performance.now() - told >= TELL_MS) {
            told = performance.now();
            progress({ path, loaded, total });
        }
        yield value;
    }
    progress({ path, loaded, total: loaded });
}

async function body(response, path, progress) {
    /* A size that was said is only a good guess. */
    let bytes = new Uint8Array(sizeOf(response)), size = 0;
    for await (const piece of pieces(response, path, progress)) {
        if (size + piece.length > bytes.length) {
            const more = new Uint8Array(2 * (size + piece.length));
            more.set(bytes.subarray(0, size));
            bytes = more;
        }
        bytes.set(piece, size);
        size += piece.length;
    }
    return size === bytes.length ? bytes : bytes.slice(0, size);
}

/* The bytes of a file: { path, url } or { path, data }. */
export async function download({ path, url, data }, progress) {
    if (data instanceof Blob) {
        return new Uint8Array(await data.arrayBuffer());
    }
    return data ? new Uint8Array(data)
                : body(await get(url), path, progress);
}

/* The compiled program whose JavaScript is at that URL: compiled on its way. */
export async function downloadProgram(program, progress) {
    const url = program.replace(/\.m?js(?=$|[?#])/, '.wasm');
    const response = await get(url);
    const copy = response.clone();
    /* Of a response as it came, the browser may keep the compiled code. */
    const [compiled] = await Promise.all([
        WebAssembly.compileStreaming(response),
        (async () => {
            for await (const _ of pieces(copy, url, progress)) {
                /* only counted */
            }
        })(),
    ]);
    return compiled;
}
