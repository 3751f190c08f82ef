/*
 * The run that is probably wanted next. From when somebody chooses a guest, or comes to
 * the button, until the click there is time to fetch its files, to compile QEMU and to
 * have it make the machine, which waits.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/* It takes memory, and who has not clicked by then may not want it. */
const KEPT_MS = 60000;

export class Ahead {
    /* @load: promises a Run that was told to load(). */
    constructor(load) {
        this.load = load;
        this.run = null;
    }

    /* It may be wanted soon. */
    expect() {
        if (this.run === null) {
            this.run = this.load();
            this.run.catch(() => {});
        }
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.forget(), KEPT_MS);
    }

    /* What was expected is not wanted any more. */
    forget() {
        clearTimeout(this.timer);
        this.run?.then((run) => run.kill(), () => {});
        this.run = null;
    }

    /* It is wanted: a run for go(). */
    async take() {
        const clicked = performance.now();
        const expected = this.run ?? this.load();
        clearTimeout(this.timer);
        /* From here on it is not to be forgotten. */
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
