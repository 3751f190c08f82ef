/*
 * Packs the runtime's statistics as a result has them: the table of TBs by columns, as
 * JSON that is compressed by zlib and encoded in base64, and what follows from the
 * counters.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
/** @import { Stats } from '../../engines/web/types.d.ts' */

/** @param {Blob} blob */
async function base64(blob) {
    const data = new Uint8Array(await blob.arrayBuffer());
    const pieces = [];
    for (let at = 0; at < data.length; at += 0x8000) {
        pieces.push(String.fromCharCode(...data.subarray(at, at + 0x8000)));
    }
    return btoa(pieces.join(''));
}

/** @param {Stats['tbs']} tbs */
async function packTbs(tbs) {
    if (!tbs?.columns?.length) {
        return null;
    }
    const { rows = [] } = tbs;
    const columns = tbs.columns.map((_, i) => rows.map((row) => row[i]));
    const stream = new Blob([JSON.stringify(columns)]).stream()
        .pipeThrough(new CompressionStream('deflate'));
    return {
        columns: tbs.columns, count: rows.length,
        encoding: 'columns+json+zlib+base64',
        data: await base64(await new Response(stream).blob()),
    };
}

/**
 * The median time from the decision to compile a TB to its code, in ms.
 *
 * @param {Stats['tbs']} tbs
 */
function medianWait(tbs) {
    const column = tbs?.columns?.indexOf('wait_ns') ?? -1;
    if (column < 0) {
        return null;
    }
    const waits = (tbs?.rows ?? []).map((row) => Number(row[column])).filter(Boolean)
        .sort((a, b) => a - b);
    const middle = waits.length >> 1;
    return waits.length
        ? (waits[middle] + waits[(waits.length - 1) >> 1]) / 2 / 1e6 : null;
}

/** @param {MessageEvent<{ file: Blob, epoch: number }>} event */
onmessage = async ({ data: { file, epoch } }) => {
    /** @type {Stats} */
    const stats = JSON.parse(await file.text());
    const first = stats.counters?.first_insn_epoch_ms;
    postMessage({
        present: true,
        policy: stats.policy ?? null,
        counters: stats.counters ?? {},
        first_insn_ms: first ? first - epoch : null,
        wait_ms_median: medianWait(stats.tbs),
        tbs: await packTbs(stats.tbs),
    });
};
