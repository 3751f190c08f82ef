/*
 * Shows a run's newest figures: tiles, and how much is interpreted and compiled.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { byId, bytes, compact, count, make, millis, percent, replace } from './dom.mjs';

/** @import { Row } from '../../engines/web/types.d.ts' */
/** @import { Run } from './run.mjs' */

/**
 * @typedef {object} Tile
 * @property {string} id
 * @property {string} label
 * @property {string} kind the tile's colour
 * @property {(row: Row) => number | undefined} value
 * @property {(n: number) => string} show
 * @property {(row: Row) => string} more a second line
 */

/**
 * The timeline's names are explained in docs/results.md.
 *
 * @type {Tile[]}
 */
const TILES = [
    { id: 'translated', label: 'TBs translated', value: (row) => row.tbs_translated,
      show: compact, kind: 'translated', more: (row) =>
          row.translate_ns === undefined ? ''
              : `in ${millis(row.translate_ns / 1e6)}` },
    { id: 'interpreted', label: 'TBs interpreted', show: compact, kind: 'tier0',
      value: (row) => row.tbs_live - (row.tbs_in_modules ?? 0),
      more: (row) => `of ${compact(row.tbs_live)} alive` },
    { id: 'compiled', label: 'TBs compiled', show: compact, kind: 'tier1',
      value: (row) => row.tbs_in_modules ?? row.slots,
      more: (row) => row.tbs_compiled === undefined ? ''
          : `${compact(row.tbs_compiled)} in all` },
    { id: 'modules', label: 'modules alive', value: (row) => row.modules,
      show: compact, kind: 'tier1', more: (row) => `${bytes(row.wasm_bytes)} of Wasm` },
    { id: 'compile', label: 'compile time', value: (row) => row.compile_ns,
      kind: 'tier1', show: (ns) => millis(ns / 1e6), more: (row) =>
          row.compile_ns && row.tbs_compiled
              ? `${Math.round(row.compile_ns / 1e3 / row.tbs_compiled)} µs a TB`
              : '' },
    { id: 'memory', label: 'memory', value: (row) => row.memory_bytes, show: bytes,
      kind: 'plain', more: () => 'of the emulator' },
];

export class Figures {
    constructor() {
        this.tiles = TILES.map((tile) => {
            const value = make('dd', { class: 'number', id: `tile-${tile.id}` }, '–');
            const more = make('dd', { class: 'more' });
            const element = make('div', { class: `tile ${tile.kind}` },
                                 make('dt', {}, tile.label), value, more);
            return { tile, value, more, element };
        });
        replace(byId('tiles'), ...this.tiles.map(({ element }) => element));
        this.now = new ShareBar('now');
        this.all = new ShareBar('since the start');
        replace(byId('shares'),
                make('h3', {}, 'Who executes'),
                this.now.element, this.all.element);
    }

    /** @param {Run} run */
    show(run) {
        const row = run.samples.at(-1);
        if (!row) {
            this.clear();
            return;
        }
        for (const { tile, value, more } of this.tiles) {
            const n = tile.value(row);
            value.textContent = n === undefined ? '–' : tile.show(n);
            more.textContent = tile.more(row);
        }
        const counted = run.machineValues.counts !== 'off' &&
            row.exec_tier1 !== undefined;
        byId('shares').hidden = !counted;
        if (counted) {
            const before = run.samples.at(-5) ?? { exec_tier0: 0, exec_tier1: 0 };
            this.now.show(row.exec_tier0 - before.exec_tier0,
                          row.exec_tier1 - before.exec_tier1);
            this.all.show(row.exec_tier0, row.exec_tier1);
        }
    }

    clear() {
        for (const { value, more } of this.tiles) {
            value.textContent = '–';
            more.textContent = '';
        }
        this.now.show(0, 0);
        this.all.show(0, 0);
    }
}

/** The shares of both tiers in what was executed. */
class ShareBar {
    /** @param {string} label */
    constructor(label) {
        this.tier0 = make('span', { class: 'part tier0' });
        this.tier1 = make('span', { class: 'part tier1' });
        this.text = make('span', { class: 'share-text' });
        this.element = make('div', { class: 'share' },
            make('span', { class: 'share-label' }, label),
            make('span', { class: 'share-bar', 'aria-hidden': 'true' },
                 this.tier0, this.tier1),
            this.text);
    }

    /**
     * @param {number} tier0 how many TBs were executed interpreted
     * @param {number} tier1 how many TBs were executed compiled
     */
    show(tier0, tier1) {
        const all = tier0 + tier1;
        const part = all > 0 ? tier1 / all : 0;
        this.tier0.style.flexGrow = String(all > 0 ? 1 - part : 0);
        this.tier1.style.flexGrow = String(part);
        replace(this.text,
            make('span', { class: 'is-tier0' },
                 `${all > 0 ? percent(1 - part) : '–'} interpreted`),
            make('span', { class: 'is-tier1' },
                 `${all > 0 ? percent(part) : '–'} compiled`));
        this.element.title = `${count(tier0)} and ${count(tier1)} TBs executed`;
    }
}
