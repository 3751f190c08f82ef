/*
 * A run over its time, with an earlier one faintly behind it: uPlot.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { byId, compact, make, replace } from './dom.mjs';

const HEIGHT = 190;
const FEWEST = 2;

function color(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/* Values a second between two samples. */
function rate(times, values) {
    return values.map((value, i) => {
        const dt = i ? times[i] - times[i - 1] : 0;
        return dt > 0 ? Math.max(0, value - values[i - 1]) / dt : null;
    });
}

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

/* { times in s, columns by name } of what was sampled. */
export function columnsOf(rows, at) {
    const columns = {};
    for (const name of Object.keys(rows[0] ?? {})) {
        columns[name] = rows.map((row) => row[name]);
    }
    return { times: rows.map((row) => at(row) / 1000), columns };
}

/* Two x axes as one, with gaps where one of them has nothing. */
function joined(now, then, chart) {
    const series = chart.series;
    const own = series.map((s) => s.of(now.columns, now.times));
    if (!then || (chart.needs && !then.columns[chart.needs])) {
        return [now.times, ...own, ...series.map(() => now.times.map(() => null))];
    }
    const old = series.map((s) => s.of(then.columns, then.times));
    const times = [...new Set([...now.times, ...then.times])].sort((a, b) => a - b);
    const spread = (xs, ys) => {
        const byTime = new Map(xs.map((x, i) => [x, ys[i]]));
        return times.map((x) => byTime.get(x));
    };
    return [times, ...own.map((ys) => spread(now.times, ys)),
            ...old.map((ys) => spread(then.times, ys))];
}

export class Charts {
    constructor(uPlot) {
        this.uPlot = uPlot;
        this.plots = [];
        new ResizeObserver(() => this.resize()).observe(byId('charts'));
    }

    /* Anew, with other colours or another run behind. */
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
            /* Where there is room for its name. */
            const end = marks[i + 1]?.x ?? bbox.left + bbox.width;
            if (x + ctx.measureText(phase).width + 8 < end) {
                ctx.fillText(phase, x + 4, bbox.top + 11 * devicePixelRatio);
            }
        });
        ctx.restore();
    }

    show() {
        if (!this.run || this.run.samples.length < FEWEST) {
            return;
        }
        const now = columnsOf(this.run.samples, (row) => this.run.at(row));
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
