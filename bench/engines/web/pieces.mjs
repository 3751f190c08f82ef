/*
 * The content of a disk's image, piece by piece, from where it is: from an URL in packed
 * pieces, from an URL whose server answers ranges, or from a file of the user's. A piece
 * is fetched when it is wanted. Who wants a piece twice fetches it twice: disk-file.mjs
 * keeps pieces.
 *
 * The image in pieces is what bench/page/pieces.py writes; docs/page.md describes the
 * files.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { download } from './download.mjs';

/** @import { Bytes, DiskSource, Progress, Source } from './types.d.ts' */

const MAGIC = 'TLPIECES', VERSION = 1;
const AT_VERSION = 8, AT_PIECE = 12, AT_SIZE = 16, AT_COUNT = 24, HEAD = 32;
const DIGEST = 32;
/* The size of a piece where the image is not in pieces. */
const PIECE = 256 << 10;
/* How many digits of a digest a message shows. */
const SHOWN = 12;
/* How long a piece may take to arrive. */
const TIMEOUT_MS = 20_000;

/**
 * A disk's content.
 *
 * @typedef {object} Content
 * @property {number} size in bytes
 * @property {number} piece the size of all pieces but the last, in bytes
 * @property {(n: number) => boolean} isHole whether the piece has nothing but zeros
 * @property {(n: number, again?: boolean) => Promise<Bytes>} fetch the bytes of a piece;
 *     rejects with an Error of one line. After a failure, `again` passes by what the
 *     browser has kept
 */

/** A failure that would not pass: the next attempt would fail as well. */
export class Lasting extends Error {}

/**
 * How many bytes a piece has.
 *
 * @param {{ size: number, piece: number }} content
 * @param {number} n
 */
export const bytesOf = ({ size, piece }, n) => Math.min(piece, size - n * piece);

/**
 * Read an index.
 *
 * @param {Bytes} bytes
 */
export function readIndex(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const magic = new TextDecoder().decode(bytes.subarray(0, MAGIC.length));
    if (bytes.length < HEAD || magic !== MAGIC) {
        throw new Error('it is no index of a disk');
    }
    if (view.getUint32(AT_VERSION, true) !== VERSION) {
        throw new Error(`it has version ${view.getUint32(AT_VERSION, true)}, and this ` +
                        `page reads ${VERSION}`);
    }
    const piece = view.getUint32(AT_PIECE, true);
    const size = Number(view.getBigUint64(AT_SIZE, true));
    const count = view.getUint32(AT_COUNT, true);
    if (!piece || piece % 4096 || count !== Math.ceil(size / piece) ||
        bytes.length !== HEAD + count * DIGEST) {
        throw new Error('it is damaged');
    }
    return { piece, size, digests: bytes.subarray(HEAD) };
}

/** @param {Bytes} bytes */
const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');

/** @param {Bytes} bytes */
async function sha256(bytes) {
    return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

/**
 * An image in pieces.
 *
 * @param {Source & { url: string, sha256: string }} index
 * @param {(progress: Progress) => void} progress
 * @param {AbortSignal} [signal]
 * @returns {Promise<Content>}
 */
async function inPieces(index, progress, signal) {
    const bytes = await download(index, progress, signal);
    if (await sha256(bytes) !== index.sha256) {
        throw new Error(`${index.url} is not the index of this page: reload the page`);
    }
    const { piece, size, digests } = readIndex(bytes);
    /** @param {number} n */
    const digestOf = (n) => digests.subarray(n * DIGEST, (n + 1) * DIGEST);
    return {
        piece, size,
        isHole: (n) => digestOf(n).every((byte) => byte === 0),
        async fetch(n, again) {
            const digest = hex(digestOf(n));
            const url = new URL(`${digest}.gz`, index.url).href;
            const what = `piece ${digest.slice(0, SHOWN)}`;
            const response = await get(url, { cache: again ? 'reload' : 'default' }, what);
            const { body } = response;
            if (!body) {
                throw new Error(`${what} is empty`);
            }
            /* A server may tell the browser to unpack the file. */
            const unpacked = response.headers.has('Content-Encoding')
                ? body : body.pipeThrough(new DecompressionStream('gzip'));
            const found = new Uint8Array(await new Response(unpacked).arrayBuffer());
            if (await sha256(found) !== digest) {
                throw new Error(`${what} does not have the content that its name tells`);
            }
            return found;
        },
    };
}

/**
 * A file that its server gives in ranges.
 *
 * @param {string} url
 * @param {number} size
 * @returns {Content}
 */
function inRanges(url, size) {
    return {
        size, piece: PIECE,
        isHole: () => false,
        async fetch(n) {
            const at = n * PIECE, wanted = bytesOf(this, n);
            const range = `bytes=${at}-${at + wanted - 1}`;
            const response = await get(url, { headers: { Range: range } }, 'the range');
            const found = new Uint8Array(await response.arrayBuffer());
            if (found.length !== wanted) {
                throw new Error(`the range has ${found.length} bytes, not ${wanted}`);
            }
            return found;
        },
    };
}

/**
 * A file of the user's.
 *
 * @param {Blob} blob
 * @returns {Content}
 */
function inBlob(blob) {
    return {
        size: blob.size, piece: PIECE,
        isHole: () => false,
        async fetch(n) {
            const part = blob.slice(n * PIECE, (n + 1) * PIECE);
            const found = await part.arrayBuffer().catch(() => new ArrayBuffer());
            if (found.byteLength !== part.size) {
                /* Browsers say nothing that helps. */
                throw new Lasting('the file was changed or removed meanwhile');
            }
            return new Uint8Array(found);
        },
    };
}

/**
 * @param {string} url
 * @param {RequestInit} request
 * @param {string} what is fetched: for errors
 */
async function get(url, request, what) {
    let response;
    try {
        response = await fetch(url, { ...request,
                                      signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch (e) {
        throw new Error(`${what} cannot be fetched: is there a network?`, { cause: e });
    }
    if (!response.ok) {
        const why = `${what} cannot be fetched: ${response.status} ` +
                    response.statusText;
        /* Servers that are too busy, or behind another, say so by 408, 429 or 5xx. */
        const passes = response.status >= 500 || [408, 429].includes(response.status);
        throw passes ? new Error(why.trim()) : new Lasting(why.trim());
    }
    return response;
}

/**
 * Find a disk's content: fetches the index, if there is one.
 *
 * @param {DiskSource} source
 * @param {(progress: Progress) => void} [progress]
 * @param {AbortSignal} [signal]
 * @returns {Promise<Content>}
 */
export async function contentOf({ blob, index, url, bytes }, progress = () => {}, signal) {
    if (blob) {
        return inBlob(blob);
    }
    if (index) {
        return await inPieces(index, progress, signal);
    }
    if (url === undefined || bytes === undefined) {
        throw new Error('a disk has neither content nor URL');
    }
    return inRanges(url, bytes);
}
