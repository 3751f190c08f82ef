/*
 * What an earlier boot executed, for the policy `profile`: as a file of
 * `tierlab profile`, or made of a result, as bench/harness/run/profile.py does.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
const FIRST_LINE = 'tierlab-profile 1';
/* The columns of executions, one for each tier, begin so. */
const EXECUTIONS = 'exec_tier';
/* More than any boot has. */
const MAX_BYTES = 256 << 20;

/* @hashes: in hexadecimal; @counts: executions of each, column by column. */
function profileText(hashes, counts) {
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

async function ofResult(result) {
    const tbs = result?.stats?.tbs;
    if (tbs?.encoding !== 'columns+json+zlib+base64') {
        throw new Error('it has no rows of TBs');
    }
    const packed = Uint8Array.from(atob(tbs.data), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream()
        .pipeThrough(new DecompressionStream('deflate'));
    const columns = JSON.parse(await new Response(stream).text());
    const hashes = columns[tbs.columns.indexOf('hash')] ?? [];
    const counts = columns.filter((_, i) => tbs.columns[i].startsWith(EXECUTIONS));
    return profileText(hashes, counts);
}

/* The profile in a user's file: { name, text }; an Error of one line if none. */
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
