/*
 * Draws a run over its time, with an earlier run faintly behind it, by uPlot.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { byId, compact, make, replace } from './dom.mjs';

/** @import { Row } from '../../engines/web/types.d.ts' */
/** @import { Comparable } from './history.mjs' */
/** @import { Run } from './run.mjs' */

/** @typedef {import('uplot')} Plot */
/** @typedef {(number | null | undefined)[]} Points */
/** @typedef {Record<string, number[]>} Columns samples by the name of their column */
/** @typedef {{ times: number[], columns: Columns }} Series times are in s */
/**
 * @typedef {object} Curve
 * @property {string} label
 * @property {string} color a variable of the style sheet
 * @property {boolean} [fill]
 * @property {(columns: Columns, times: number[]) => Points} of
 */
/**
 * @typedef {object} Chart
 * @property {string} title
 * @property {string} [needs] the column without which there is no chart
 * @property {Curve[]} series
 */
/** @typedef {{ chart: Chart, element: HTMLElement, plot: Plot, place: HTMLElement }}
 *            Drawn */

const HEIGHT = 190;
/* How many samples a chart needs. */
const FEWEST = 2;

/** @param {string} name */
function color(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/**
 * By how much values grow in a second between two samples.
 *
 * @param {number[]} times
 * @param {number[]} values
 */
function rate(times, values) {
    return values.map((value, i) => {
        const dt = i ? times[i] - times[i - 1] : 0;
        return dt > 0 ? Math.max(0, value - values[i - 1]) / dt : null;
    });
}

/** @type {Chart[]} */
const CHARTS = [
    {
        title: 'Translation blocks',
        series: [
            { label: 'alive', color: '--translated', of: (c) => c.tbs_live },
            { label: 'compiled', color: '--tier1', fill: true,
              of: (c) => c.tbs_in_modules ?? c.slots },
        ],
    },
    {
        title: 'TBs executed each second',
        needs: 'exec_tier1',
        series: [
            { label: 'interpreted', color: '--tier0', fill: true,
              of: (c, t) => rate(t, c.exec_tier0) },
            { label: 'compiled', color: '--tier1',
              of: (c, t) => rate(t, c.exec_tier1) },
        ],
    },
];

/**
 * The samples by columns.
 *
 * @template {Partial<Row>} T
 * @param {T[]} rows
 * @param {(row: T) => number} at when a row was sampled, in ms
 * @returns {Series}
 */
export function columnsOf(rows, at) {
    /** @type {Columns} */
    const columns = {};
    for (const name of Object.keys(rows[0] ?? {})) {
        columns[name] = rows.map((row) => /** @type {number} */ (row[name]));
    }
    return { times: rows.map((row) => at(row) / 1000), columns };
}

/**
 * The curves of two runs on one x axis, with gaps where a run has no sample.
 *
 * @param {Series} now
 * @param {Series | undefined} then
 * @param {Chart} chart
 * @returns {[number[], ...Points[]]}
 */
function joined(now, then, chart) {
    const { series } = chart;
    const own = series.map((s) => s.of(now.columns, now.times));
    if (!then || (chart.needs && !then.columns[chart.needs])) {
        return [now.times, ...own, ...series.map(() => now.times.map(() => null))];
    }
    const old = series.map((s) => s.of(then.columns, then.times));
    const times = [...new Set([...now.times, ...then.times])].sort((a, b) => a - b);
    /**
     * @param {number[]} xs
     * @param {Points} ys
     */
    const spread = (xs, ys) => {
        const byTime = new Map(xs.map((x, i) => [x, ys[i]]));
        return times.map((x) => byTime.get(x));
    };
    return [times, ...own.map((ys) => spread(now.times, ys)),
            ...old.map((ys) => spread(then.times, ys))];
}

export class Charts {
    /** @param {typeof import('uplot')} uPlot */
    constructor(uPlot) {
        this.uPlot = uPlot;
        /** @type {Drawn[]} */
        this.plots = [];
        /** @type {Run | null} */
        this.run = null;
        /** @type {Comparable | null} */
        this.earlier = null;
        new ResizeObserver(() => this.resize()).observe(byId('charts'));
    }

    /**
     * Make the charts, or make them again with other colours or another earlier run.
     *
     * @param {Run} run
     * @param {Comparable | null} earlier
     */
    prepare(run, earlier) {
        this.run = run;
        this.earlier = earlier;
        for (const { plot } of this.plots) {
            plot.destroy();
        }
        this.plots = CHARTS.filter((chart) => !chart.needs ||
                                   run.machineValues.counts !== 'off')
            .map((chart) => this.make(chart));
        replace(byId('charts'), ...this.plots.map(({ element }) => element));
        this.resize();
        this.show();
    }

    /**
     * @param {Chart} chart
     * @returns {Drawn}
     */
    make(chart) {
        const names = chart.series.map((s) => s.label).join(' and ');
        const place = make('div', {
            class: 'plot', role: 'img', 'aria-label':
                `${chart.title}, ${names}, over time: the figures are above`,
        });
        const legend = chart.series.map((s) =>
            make('span', { class: 'key', 'data-color': s.color }, s.label));
        if (this.earlier) {
            legend.push(make('span', { class: 'key old' }, 'earlier run'));
        }
        const element = make('figure', {},
            make('figcaption', {}, chart.title, make('span', { class: 'legend' },
                                                     ...legend)), place);
        /**
         * @param {Curve} s
         * @param {boolean} old
         */
        const line = (s, old) => ({
            label: s.label, spanGaps: true, points: { show: false },
            stroke: color(s.color), width: old ? 1.25 : 2,
            dash: old ? [4, 4] : undefined, alpha: old ? 0.6 : 1,
            fill: s.fill && !old ? `${color(s.color)}26` : undefined,
        });
        const axis = {
            stroke: color('--muted'), font: '11px system-ui, sans-serif',
            grid: { stroke: color('--line'), width: 1 }, ticks: { show: false },
        };
        const plot = new this.uPlot({
            width: 300, height: HEIGHT, legend: { show: false },
            cursor: { show: false },
            scales: { x: { time: false }, y: { range: (u, min, max) =>
                [0, max > 0 ? max * 1.08 : 1] } },
            axes: [
                { ...axis, size: 28, space: 60, values: (u, all) =>
                    all.map((v) => `${v} s`) },
                { ...axis, size: 46, values: (u, all) => all.map(compact) },
            ],
            series: [{}, ...chart.series.map((s) => line(s, false)),
                     ...chart.series.map((s) => line(s, true))],
            hooks: { draw: [(u) => this.drawPhases(u)] },
        }, [[0], ...chart.series.map(() => [null]), ...chart.series.map(() => [null])],
        place);
        return { chart, element, plot, place };
    }

    /**
     * Draw a line at the beginning of each phase.
     *
     * @param {Plot} u
     */
    drawPhases(u) {
        const { ctx, bbox } = u;
        ctx.save();
        ctx.strokeStyle = color('--muted');
        ctx.fillStyle = color('--muted');
        ctx.globalAlpha = 0.7;
        ctx.font = `${10 * devicePixelRatio}px system-ui, sans-serif`;
        ctx.textAlign = 'left';
        ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
        const marks = (this.run?.phases ?? [])
            .map(({ phase, host_ms: ms }) =>
                ({ phase, x: u.valToPos(ms / 1000, 'x', true) }))
            .filter(({ x }) => x >= bbox.left && x <= bbox.left + bbox.width);
        marks.forEach(({ phase, x }, i) => {
            ctx.beginPath();
            ctx.moveTo(x, bbox.top);
            ctx.lineTo(x, bbox.top + bbox.height);
            ctx.stroke();
            /* The phase's name, if there is room for it. */
            const end = marks[i + 1]?.x ?? bbox.left + bbox.width;
            if (x + ctx.measureText(phase).width + 8 < end) {
                ctx.fillText(phase, x + 4, bbox.top + 11 * devicePixelRatio);
            }
        });
        ctx.restore();
    }

    show() {
        const { run } = this;
        if (!run || run.samples.length < FEWEST) {
            return;
        }
        const now = columnsOf(run.samples, (row) => run.at(row));
        for (const { chart, plot, element } of this.plots) {
            const has = !chart.needs || now.columns[chart.needs]?.[0] !== undefined;
            element.hidden = !has;
            if (has) {
                plot.setData(joined(now, this.earlier?.series, chart));
            }
        }
    }

    resize() {
        for (const { plot, place } of this.plots) {
            const width = place.clientWidth;
            if (width > 0 && width !== plot.width) {
                plot.setSize({ width, height: HEIGHT });
            }
        }
    }
}
