/*
 * Writes a run as a result file, in the form that the harness writes (docs/results.md);
 * `tierlab` reads both. What a page cannot know is null.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { browser } from './browser.mjs';
import { save, sha256 } from './dom.mjs';

/** @import { Run } from './run.mjs' */
/** @import { Row } from '../../engines/web/types.d.ts' */

const STDERR_KEPT = 16 * 1024;

/**
 * A text, its size and its digest. The digest is null if the text was cut.
 *
 * @param {string} text
 * @param {number} [size] of the whole text
 */
export async function textFacts(text, size) {
    const data = new TextEncoder().encode(text);
    const whole = size === undefined || size === data.length;
    return { bytes: size ?? data.length,
             sha256: whole ? await sha256(data) : null, text };
}

/** @param {Row[]} rows */
function table(rows) {
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    return rows.length
        ? { columns, rows: rows.map((row) => columns.map((c) => row[c] ?? null)) }
        : null;
}

/**
 * Why there are no statistics.
 *
 * @param {Run} run
 */
const noStats = (run) => ({
    present: false,
    note: run.isOver ? 'the engine wrote no statistics' : 'the run has not ended',
});

/**
 * The statistics as a result has them, packed in a worker, because a guest has so many
 * TBs.
 *
 * @param {Blob} file
 * @param {number} epoch when the guest began
 * @returns {Promise<object>}
 */
function packed(file, epoch) {
    const worker = new Worker(new URL('./result-worker.mjs', import.meta.url),
                              { type: 'module' });
    return new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => reject(new Error(event.message));
        worker.postMessage({ file, epoch });
    }).finally(() => worker.terminate());
}

/**
 * All settings, null where the page has no control for one, and what else is known.
 *
 * @param {Run} run
 */
function config(run) {
    const { site, guest } = run;
    return {
        ...site.config, ...run.machineValues,
        guest: guest.name, engine: browser().name, tier: run.tier,
        policy: { spec: run.tier, short: run.tier, name: run.policy.name,
                  params: run.policyValues },
        workload: run.workload, machine: guest.config,
        boot_phase: guest.boot_phase, devices: run.devices,
        icount: run.saved?.icount ?? null, profile_sha256: run.profileSha256 ?? null,
        engine_budgets: run.budgets, repetition: 1,
        resumed: run.saved?.resumed ?? null,
    };
}

/** @param {Run} run */
export async function resultOf(run) {
    const { site, guest } = run;
    const program = site.programs[guest.arch];
    const { name, version } = browser();
    const rows = run.samples;
    const file = run.ended?.statsFile;
    const stats = file
        ? await packed(file, performance.timeOrigin + (run.origin ?? 0)) : noStats(run);
    const text = run.console.text();
    return {
        schema: site.run_schema,
        started: run.started.toISOString(),
        config: config(run),
        command: [program.url, ...run.arguments],
        ok: run.isOver && !run.failure,
        failure: run.failure ??
            (run.isOver ? null : { kind: 'timeout', message: 'it has not ended' }),
        exit: { status: run.ended?.status ?? null, signal: null,
                killed: run.stopped ? 'user' : null },
        engine_start: null,
        phases: run.phases,
        rounds: run.reader.rounds,
        figures: run.reader.figures,
        resources: {
            wall_ms: run.now(), user_ms: null, system_ms: null,
            peak_rss_mib: null, peak_rss_note: 'a page does not know',
            peak_mappings: null,
        },
        samples: null,
        timeline: table(rows),
        stats,
        snapshot: run.resumedMs === undefined
            ? null : { resumed: { load_ms: run.resumedMs } },
        console: await textFacts(text, run.console.total),
        stderr: await textFacts(run.errors.join('\n').slice(-STDERR_KEPT)),
        provenance: {
            ...site.provenance,
            host: { cores: navigator.hardwareConcurrency, os: navigator.platform,
                    agent: navigator.userAgent },
            engine: { name, engine: `${name} ${version}`, ...program.versions },
            guest: guest.provenance,
            products: { [`qemu-wasm-${guest.arch}`]: program.product },
            load_ms: run.loadMs ?? null,
        },
    };
}

/**
 * Hand the result to the user as a file.
 *
 * @param {Run} run
 */
export async function download(run) {
    const text = JSON.stringify(await resultOf(run));
    const tier = run.tier.replace(/[^\w=.-]+/g, '_');
    save(new Blob([text], { type: 'application/json' }),
         `${run.guest.name}-${tier}-${run.workload.split(':')[0]}.json`);
}
