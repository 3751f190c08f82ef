/*
 * Earlier runs: what the browser keeps of them, and the comparison of the present run
 * with one of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { columnsOf } from './charts.mjs';
import { byId, bytes, count, make, millis, percent, replace, seconds,
         selectById } from './dom.mjs';
import { hasPrompt } from './spec.mjs';
import { forget, load, store } from './storage.mjs';

/** @import { Row } from '../../engines/web/types.d.ts' */
/** @import { Series } from './charts.mjs' */
/** @import { Run } from './run.mjs' */
/** @import { Phase } from './site.d.ts' */

/**
 * What is kept of a run, and compared.
 *
 * @typedef {object} Summary
 * @property {string} id when the run started
 * @property {string} guest
 * @property {string} tier
 * @property {string} workload
 * @property {string} from the saved machine's name, or ''
 * @property {number} smp
 * @property {string} counts
 * @property {string} state
 * @property {string | null} failure
 * @property {Phase[]} phases
 * @property {number} wall_ms
 * @property {number} offset
 * @property {Partial<Row>} last the last line of the timeline
 * @property {Partial<Row>[]} rows some lines of the timeline
 */
/** @typedef {Summary & { series: Series }} Comparable a summary with its charts' data */
/**
 * @typedef {object} Line a row of the comparison
 * @property {string} name
 * @property {-1} [better] there if less is better
 * @property {(n: number) => string} show
 * @property {(summary: Summary) => number | undefined} of
 */

const KEY = 'tierlab.runs';
const KEPT = 12;
const SAMPLES = 120;
const COLUMNS = ['t_ms', 'tbs_live', 'tbs_in_modules', 'slots', 'exec_tier0',
                 'exec_tier1'];

/** @param {Partial<Row>} row */
const exec = (row) => (row.exec_tier0 ?? NaN) + (row.exec_tier1 ?? NaN);

/** @type {Line[]} */
const ROWS = [
    { name: 'to the resume', better: -1, show: seconds,
      of: (s) => phase(s, 'resume') },
    { name: 'to the guest’s init', better: -1, show: seconds,
      of: (s) => phase(s, 'init') },
    { name: 'to the prompt', better: -1, show: seconds,
      of: (s) => phase(s, 'prompt') },
    { name: 'workload', better: -1, show: seconds, of: (s) => {
        const start = phase(s, 'workload-start'), end = phase(s, 'workload-end');
        return hasPrompt(s.workload) || end === undefined ? undefined
                                                           : end - (start ?? NaN);
    } },
    { name: 'TBs translated', show: count, of: (s) => s.last.tbs_translated },
    { name: 'TBs compiled', show: count, of: (s) => s.last.tbs_compiled },
    { name: 'modules alive', show: count, of: (s) => s.last.modules },
    { name: 'TBs a module', show: (n) => n.toFixed(1), of: (s) =>
        s.last.modules_installed
            ? (s.last.tbs_compiled ?? NaN) / s.last.modules_installed : undefined },
    { name: 'compile time', better: -1, show: millis, of: (s) =>
        s.last.compile_ns === undefined ? undefined : s.last.compile_ns / 1e6 },
    { name: 'Wasm of the modules', show: bytes, of: (s) => s.last.wasm_bytes },
    { name: 'executed compiled', show: percent, of: (s) =>
        s.counts !== 'off' && exec(s.last) > 0
            ? (s.last.exec_tier1 ?? NaN) / exec(s.last) : undefined },
    { name: 'memory', show: bytes, of: (s) => s.last.memory_bytes },
];

/**
 * @param {Summary} summary
 * @param {string} name
 */
function phase(summary, name) {
    return summary.phases.find((p) => p.phase === name)?.host_ms;
}

/**
 * @param {Run} run
 * @returns {Summary}
 */
export function summarise(run) {
    const step = Math.max(1, Math.ceil(run.samples.length / SAMPLES));
    const rows = run.samples.filter((_, i) => i % step === 0)
        .map((row) => Object.fromEntries(COLUMNS.filter((c) => c in row)
            .map((c) => [c, row[c]])));
    return {
        id: run.started.toISOString(), guest: run.guest.name, tier: run.tier,
        workload: run.workload, from: run.saved?.name ?? '', smp: run.machineValues.smp,
        counts: run.machineValues.counts, state: run.state,
        failure: run.failure?.message ?? null, phases: run.phases,
        wall_ms: run.now(), offset: run.offset ?? 0,
        last: run.samples.at(-1) ?? {}, rows,
    };
}

/**
 * @param {Summary} summary
 * @returns {Comparable}
 */
const withSeries = (summary) => ({
    ...summary,
    series: columnsOf(summary.rows, (row) => (row.t_ms ?? NaN) + summary.offset),
});

/** @param {Summary} summary */
function label({ id, guest, tier, smp, state, from }) {
    const time = new Date(id).toLocaleTimeString([], { timeStyle: 'short' });
    const cpus = smp > 1 ? `, ${smp} vCPUs` : '';
    const end = state === 'failed' ? ' · failed' : '';
    const resumed = from ? ` · ${from}` : '';
    return `${time} · ${guest}${resumed} · ${tier}${cpus}${end}`;
}

/**
 * The summaries that an earlier visit kept; another version of the page may have kept
 * them in another form.
 */
function loadSummaries() {
    const kept = /** @type {Partial<Summary>[]} */ (load(KEY) ?? []);
    return /** @type {Summary[]} */ (
        kept.filter((s) => s?.phases && s?.last && s?.rows));
}

export class Earlier {
    /** @param {() => void} changed called when another run is compared */
    constructor(changed) {
        this.runs = loadSummaries();
        this.changed = changed;
        /* The ids of the run that is compared, and of the present run. */
        /** @type {string | null} */
        this.chosen = null;
        this.own = '';
        const select = selectById('earlier');
        select.addEventListener('change', () => {
            this.chosen = select.value;
            changed();
        });
        byId('forget').addEventListener('click', () => {
            forget(KEY);
            this.runs = this.runs.filter((s) => s.id === this.own);
            this.show();
            changed();
        });
    }

    /**
     * A run begins: it is compared with the run of the same guest before it.
     *
     * @param {Run} run
     */
    begin(run) {
        this.own = run.started.toISOString();
        const same = this.runs.find((s) => s.guest === run.guest.name);
        this.chosen = (same ?? this.runs[0])?.id ?? null;
        this.show();
    }

    /**
     * Keep what is known about a run by now.
     *
     * @param {Run} run
     */
    keep(run) {
        const summary = summarise(run);
        this.runs = [summary, ...this.runs.filter((s) => s.id !== summary.id)]
            .slice(0, KEPT);
        /* Where the browser has no room, the oldest runs go. */
        while (!store(KEY, this.runs) && this.runs.length > 1) {
            this.runs.pop();
        }
    }

    get selected() {
        const found = this.runs.find((s) => s.id === this.chosen);
        return found ? withSeries(found) : null;
    }

    show() {
        const others = this.runs.filter((s) => s.id !== this.own);
        replace(byId('earlier'), ...(others.length ? others : [null]).map((s) =>
            s ? make('option', { value: s.id, selected: s.id === this.chosen },
                     label(s))
              : make('option', { value: '' }, 'no earlier run yet')));
        selectById('earlier').disabled = !others.length;
    }
}

/**
 * @param {Run} run
 * @param {Comparable | null} earlier
 */
export function showComparison(run, earlier) {
    const now = { ...summarise(run), rows: [] };
    const rows = ROWS.map((row) => ({ row, a: row.of(now),
                                      b: earlier ? row.of(earlier) : undefined }))
        .filter(({ a, b }) => a !== undefined || b !== undefined);
    /**
     * @param {Line} row
     * @param {number | undefined} value
     */
    const cell = (row, value) => make('td', {},
        value === undefined || Number.isNaN(value) ? '–' : row.show(value));
    const names = ['of', 'this run', ...(earlier ? ['earlier', 'ratio'] : [])];
    const head = () => make('tr', {}, ...names.map((n) =>
        make('th', { scope: 'col' }, n)));
    replace(byId('compare'), make('table', {},
        make('caption', { class: 'visually-hidden' }, 'This run and an earlier one'),
        make('thead', {}, head()),
        make('tbody', {},
            make('tr', {}, make('th', { scope: 'row' }, 'policy'),
                 make('td', { class: 'word' }, run.tier),
                 ...(earlier ? [make('td', { class: 'word' }, earlier.tier),
                                make('td', {})] : [])),
            ...rows.map(({ row, a, b }) => make('tr', {},
                make('th', { scope: 'row' }, row.name), cell(row, a),
                ...(earlier ? [cell(row, b), ratio(row, a, b)] : []))))));
}

/**
 * @param {Line} row
 * @param {number | undefined} a
 * @param {number | undefined} b
 */
function ratio(row, a, b) {
    if (a === undefined || b === undefined || !(a > 0) || !(b > 0)) {
        return make('td', {}, '–');
    }
    const times = a / b;
    const clear = Math.abs(times - 1) > 0.03 && row.better;
    const good = clear && Math.sign(times - 1) === row.better;
    return make('td', { class: clear ? (good ? 'good' : 'bad') : '' },
                `${times.toFixed(2)}×`);
}
