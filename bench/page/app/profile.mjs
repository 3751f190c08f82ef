/*
 * Reads what an earlier boot executed, for the policy `profile`: a file of
 * `tierlab profile`, or a result, of which a profile is made as the harness does.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
/** @typedef {{ name: string, text: string }} Profile */
/** @typedef {{ encoding: string, columns: string[], data: string }} PackedTbs */

const FIRST_LINE = 'tierlab-profile 1';
/* The columns of executions, one for each tier, begin so. */
const EXECUTIONS = 'exec_tier';
/* More than any boot has. */
const MAX_BYTES = 256 << 20;

/**
 * @param {string[]} hashes in hexadecimal
 * @param {number[][]} counts executions of each TB, column by column
 */
function profileText(hashes, counts) {
    /** @type {Map<bigint, number>} */
    const executed = new Map();
    hashes.forEach((text, i) => {
        const hash = BigInt(`0x${text}`);
        const count = counts.reduce((sum, column) => sum + (column[i] ?? 0), 0);
        executed.set(hash, (executed.get(hash) ?? 0) + count);
    });
    /* Hash 0 stands for an unknown one. */
    const lines = [...executed].filter(([hash, count]) => hash && count)
        .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
        .map(([hash, count]) => `${hash.toString(16).padStart(16, '0')} ${count}`);
    return [FIRST_LINE, ...lines, ''].join('\n');
}

/** @param {{ stats?: { tbs?: PackedTbs | null } | null } | null} result */
async function ofResult(result) {
    const tbs = result?.stats?.tbs;
    if (tbs?.encoding !== 'columns+json+zlib+base64') {
        throw new Error('it has no rows of TBs');
    }
    const packed = Uint8Array.from(atob(tbs.data), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream()
        .pipeThrough(new DecompressionStream('deflate'));
    /** @type {unknown[][]} */
    const columns = JSON.parse(await new Response(stream).text());
    const hashes = columns[tbs.columns.indexOf('hash')] ?? [];
    const counts = columns.filter((_, i) => tbs.columns[i].startsWith(EXECUTIONS));
    return profileText(hashes.map(String), counts.map((some) => some.map(Number)));
}

/**
 * The profile in a user's file; an Error of one line if there is none.
 *
 * @param {File} file
 * @returns {Promise<Profile>}
 */
export async function readProfile(file) {
    if (file.size > MAX_BYTES) {
        throw new Error('it is too large for a profile');
    }
    const text = await file.text();
    if (text.startsWith(`${FIRST_LINE}\n`)) {
        return { name: file.name, text };
    }
    let result;
    try {
        result = JSON.parse(text);
    } catch {
        throw new Error('it is neither a profile nor a result');
    }
    return { name: file.name, text: await ofResult(result) };
}
