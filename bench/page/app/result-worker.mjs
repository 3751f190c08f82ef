/*
 * The runtime's statistics as a result has them: the table of TBs by columns, as
 * zlib's JSON in base64 (bench/harness/run/tb_rows.py), and what follows from the counters.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

async function base64(blob) {
    const data = new Uint8Array(await blob.arrayBuffer());
    const pieces = [];
    for (let at = 0; at < data.length; at += 0x8000) {
        pieces.push(String.fromCharCode(...data.subarray(at, at + 0x8000)));
    }
    return btoa(pieces.join(''));
}

async function packTbs(tbs) {
    if (!tbs?.columns?.length) {
        return null;
    }
    const columns = tbs.columns.map((_, i) => tbs.rows.map((row) => row[i]));
    const stream = new Blob([JSON.stringify(columns)]).stream()
        .pipeThrough(new CompressionStream('deflate'));
    return {
        columns: tbs.columns, count: tbs.rows.length,
        encoding: 'columns+json+zlib+base64',
        data: await base64(await new Response(stream).blob()),
    };
}

/* Of the TBs that were compiled: from wanting it to having it, in ms. */
function medianWait(tbs) {
    const column = tbs?.columns?.indexOf('wait_ns') ?? -1;
    if (column < 0) {
        return null;
    }
    const waits = tbs.rows.map((row) => row[column]).filter(Boolean)
        .sort((a, b) => a - b);
    const middle = waits.length >> 1;
    return waits.length
        ? (waits[middle] + waits[(waits.length - 1) >> 1]) / 2 / 1e6 : null;
}

onmessage = async ({ data: { file, epoch } }) => {
    const stats = JSON.parse(await file.text());
    const first = stats.counters?.first_insn_epoch_ms;
    postMessage({
        present: true,
        policy: stats.policy ?? null,
        runtime: stats.runtime ?? null,
        counters: stats.counters ?? {},
        first_insn_ms: first ? first - epoch : null,
        wait_ms_median: medianWait(stats.tbs),
        tbs: await packTbs(stats.tbs),
    });
};
