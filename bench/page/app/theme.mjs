/*
 * The page's colours, light or dark: as the system has them, or as the user chose.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { byId } from './dom.mjs';
import { load, store } from './storage.mjs';

const KEY = 'tierlab.theme';
const ORDER = ['system', 'light', 'dark'];
/** @type {Record<string, string>} */
const SAYS = { system: 'as the system', light: 'light', dark: 'dark' };

export class Theme {
    /** @param {(dark: boolean) => void} changed */
    constructor(changed) {
        this.system = matchMedia('(prefers-color-scheme: dark)');
        this.choice = ORDER.find((choice) => choice === load(KEY)) ?? 'system';
        this.changed = changed;
        this.apply();
        this.system.addEventListener('change', () => this.apply());
        byId('theme').addEventListener('click', () => {
            const next = (ORDER.indexOf(this.choice) + 1) % ORDER.length;
            this.choice = ORDER[next];
            store(KEY, this.choice);
            this.apply();
        });
    }

    get dark() {
        return this.choice === 'system' ? this.system.matches
                                        : this.choice === 'dark';
    }

    apply() {
        document.documentElement.dataset.theme = this.dark ? 'dark' : 'light';
        byId('theme').setAttribute('aria-label', `Colours: ${SAYS[this.choice]}`);
        byId('theme').title = `Colours: ${SAYS[this.choice]}`;
        this.changed(this.dark);
    }
}
