/*
 * Shows the boot as a bar of phases, and an earlier run's boot below it on the same
 * scale.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { byId, make, replace, seconds } from './dom.mjs';
import { hasPrompt } from './spec.mjs';

/** @import { Comparable } from './history.mjs' */
/** @import { Run } from './run.mjs' */
/** @import { Phase } from './site.d.ts' */

/** @typedef {{ phase: string, name: string, start: number, end: number }} Segment */

/**
 * What goes on from a marker on. Before the first marker QEMU starts.
 *
 * @type {Record<string, string>}
 */
const NAMES = {
    'resume': 'resumed', 'firmware': 'firmware', 'kernel': 'kernel', 'init': 'init',
    'workload-start': 'workload', 'prompt': 'prompt', 'workload-end': 'power off',
};
const FIRST = 'QEMU starts';
/* A segment that is a smaller part of the bar has no room for its name. */
const LABEL_FROM = 0.09;

/**
 * The segments of a boot, which is over where the user can type.
 *
 * @param {Pick<Phase, 'phase' | 'host_ms'>[]} phases
 * @param {number} wallMs
 * @param {boolean} interactive
 */
export function segments(phases, wallMs, interactive) {
    const marks = [{ phase: '', host_ms: 0 }, ...phases];
    /** @type {Segment[]} */
    const found = [];
    for (let i = 0; i < marks.length; i++) {
        const { phase, host_ms: start } = marks[i];
        const end = marks[i + 1]?.host_ms ?? wallMs;
        if (phase === 'prompt' || (interactive && phase === 'workload-end')) {
            break;
        }
        found.push({ phase, name: phase ? NAMES[phase] ?? phase : FIRST,
                     start, end: Math.max(start, end) });
    }
    return found;
}

/**
 * @param {string} label
 * @param {Segment[]} parts
 * @param {number} scale how many ms the whole width stands for
 */
function bar(label, parts, scale) {
    const total = parts.at(-1)?.end ?? 0;
    const cells = parts.map(({ phase, name, start, end }) => {
        const part = scale > 0 ? (end - start) / scale : 0;
        const cell = make('span', { class: 'phase', 'data-phase': phase || 'start',
                                    title: `${name}: ${seconds(end - start)}` },
            part >= LABEL_FROM ? make('span', { class: 'phase-name' }, name) : null,
            part >= LABEL_FROM
                ? make('span', { class: 'phase-time' }, seconds(end - start)) : null);
        cell.style.flexGrow = String(part);
        return cell;
    });
    const rest = make('span', { class: 'phase-rest' });
    rest.style.flexGrow = String(scale > 0 ? Math.max(0, 1 - total / scale) : 1);
    const said = parts.map(({ name, start, end }) =>
        `${name} ${seconds(end - start)}`).join(', ');
    return make('div', { class: 'phases-row' },
        make('span', { class: 'phases-label' }, label),
        make('div', { class: 'phases-bar', role: 'img', 'aria-label': said },
             ...cells, rest),
        make('span', { class: 'phases-total' }, seconds(total)));
}

/**
 * @param {Run} run
 * @param {Comparable | null} earlier
 */
export function showPhases(run, earlier) {
    const now = segments(run.phases, run.now(), hasPrompt(run.workload));
    const then = earlier
        ? segments(earlier.phases, earlier.wall_ms, hasPrompt(earlier.workload))
        : [];
    const scale = Math.max(now.at(-1)?.end ?? 0, then.at(-1)?.end ?? 0);
    replace(byId('phases'), bar('this run', now, scale),
            then.length ? bar('earlier', then, scale) : null,
            run.loadMs === undefined ? null
                : make('p', { class: 'muted small' },
                       `The files and QEMU were ready after ${seconds(run.loadMs)}; ` +
                       'times count from then on.'));
}
