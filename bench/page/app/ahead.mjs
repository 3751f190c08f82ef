/*
 * The run that the user probably wants next. Between the choice of a guest, or the
 * pointer's arrival at the button, and the click there is time to fetch the guest's
 * files, to compile QEMU, and to have QEMU make the machine, which then waits.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
/** @import { Run } from './run.mjs' */

/* A waiting run takes memory; after so long without a click it is given up. */
const KEPT_MS = 60000;

export class Ahead {
    /** @param {() => Promise<Run>} load makes a Run that was told to load() */
    constructor(load) {
        this.load = load;
        /** @type {Promise<Run> | null} */
        this.run = null;
        /** @type {ReturnType<typeof setTimeout> | undefined} */
        this.timer = undefined;
    }

    /** A run may be wanted soon: begin to load it. */
    expect() {
        if (this.run === null) {
            this.run = this.load();
            this.run.catch(() => {});
        }
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.forget(), KEPT_MS);
    }

    /** The expected run is not wanted any more: give it up. */
    forget() {
        clearTimeout(this.timer);
        this.run?.then((run) => run.kill(), () => {});
        this.run = null;
    }

    /** The user has clicked: gives a run for go(). */
    async take() {
        const clicked = performance.now();
        const expected = this.run ?? this.load();
        clearTimeout(this.timer);
        /* From here on forget() does not end the run. */
        this.run = null;
        let run = await expected.catch(() => null);
        if (!run || run.isBroken) {
            run = await this.load();
        }
        run.clicked = clicked;
        run.started = new Date();
        return run;
    }
}
