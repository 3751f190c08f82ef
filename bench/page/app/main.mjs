/*
 * The page: settings on one side, a run on the other.
 *
 * Before a guest is chosen, the page loads only what the settings need. The terminal,
 * the charts and the emulator come with the first boot, or when a boot seems to be near.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { messageOf } from '../../engines/js/errors.mjs';
import { Ahead } from './ahead.mjs';
import { isKept, urlsOf, weight } from './assets.mjs';
import { addStyles, buttonById, byId, bytes, save, seconds } from './dom.mjs';
import { Form } from './form.mjs';
import { keep, register } from './offline.mjs';
import { Settings } from './settings.mjs';
import { Theme } from './theme.mjs';

/** @import { Bytes } from '../../engines/web/types.d.ts' */
/** @import { Run, State } from './run.mjs' */
/** @import { Param, Site } from './site.d.ts' */
/** @import { GuestTerminal } from './terminal.mjs' */

/** @typedef {'figures' | 'charts' | 'phases' | 'table'} Part a part that is drawn */

/* How often the clock changes. */
const CLOCK_MS = 200;
/* How often the bar of phases, the charts, and the table are drawn. */
const PHASES_MS = 500;
const CHARTS_MS = 500;
const TABLE_MS = 1000;
/* How often what is known of a running guest is kept for comparisons. */
const KEEP_MS = 2000;

/* A user who does nothing for so long is not disturbed by work of the page. */
const CALM_MS = 3000;
/* Events that announce a click on a button. */
const APPROACHES = ['pointerenter', 'pointerdown', 'focus'];
/* A user may type on, or choose the next at once; so a run is not expected before. */
const CHOSEN_MS = 150;

/** @param {string} name of a meta element */
const said = (name) => {
    const meta = document.querySelector(`meta[name="${name}"]`);
    return meta instanceof HTMLMetaElement ? meta.content : '';
};
/** @param {string} name of a library's file */
const library = (name) => new URL(said('tierlab-lib') + '/' + name,
                                  document.baseURI).href;

/** @type {Partial<Record<State | 'idle', string>>} */
const STATES = {
    idle: 'ready', loading: 'fetching', starting: 'starting',
    booting: 'booting', running: 'at the prompt', ended: 'ended', failed: 'failed',
};

/* Let the browser do what waits: no task of the page shall be long. */
const breathe = () => new Promise((resolve) => setTimeout(resolve));

/**
 * Load a module, and let the browser do what waits.
 *
 * @template T
 * @param {Promise<T>} module
 */
async function loaded(module) {
    const found = await module;
    await breathe();
    return found;
}

/** Lay out what has become visible, in a task of its own. */
async function layOut() {
    await breathe();
    document.body.getBoundingClientRect();
    await breathe();
}

/** @typedef {Awaited<ReturnType<Page['makeParts']>>} Parts the parts that show a run */

export class Page {
    /** @param {Site} site */
    constructor(site) {
        this.site = site;
        /** @type {Run | null} */
        this.run = null;
        /** @type {GuestTerminal | null} */
        this.terminal = null;
        /**
         * The parts that show a run, once they are made.
         *
         * @type {Parts | null}
         */
        this.parts = null;
        /**
         * The making of these parts, once it has begun.
         *
         * @type {Promise<void> | null}
         */
        this.preparing = null;
        /* Whether a boot is being prepared. */
        this.busy = false;
        /**
         * Parts to draw again.
         *
         * @type {Set<Part>}
         */
        this.stale = new Set();
        /**
         * When parts were drawn.
         *
         * @type {Partial<Record<Part, number>>}
         */
        this.drawnAt = {};
        /** @type {number | null} */
        this.drawing = null;
        /** @type {ReturnType<typeof setTimeout> | undefined} */
        this.chosen = undefined;
        this.ahead = new Ahead(() => this.load());
        this.settings = new Settings(site);
        this.theme = new Theme((dark) => this.recolour(dark));
        this.form = new Form(this.settings, (guest) => weight(site, guest),
                             () => this.settingsChanged());
        this.connect();
        this.settingsChanged();
        this.showVersions();
        this.allowBoot(true);
        setInterval(() => this.tick(), CLOCK_MS);
    }

    /** @param {boolean} allowed */
    allowBoot(allowed) {
        buttonById('boot').disabled = buttonById('boot-here').disabled = !allowed;
    }

    connect() {
        /**
         * @param {string} id
         * @param {() => void} action
         */
        const on = (id, action) => byId(id).addEventListener('click', action);
        byId('setup').addEventListener('submit', (event) => {
            event.preventDefault();
            void this.boot();
        });
        on('boot-here', () => void this.boot());
        for (const choice of ['input', 'change']) {
            byId('setup').addEventListener(choice, () => {
                clearTimeout(this.chosen);
                this.chosen = setTimeout(() => this.expect(), CHOSEN_MS);
            });
        }
        for (const id of ['boot', 'boot-here']) {
            for (const approach of APPROACHES) {
                byId(id).addEventListener(approach, () => this.expect());
            }
        }
        on('stop', () => this.run?.stop());
        on('kill', () => this.run?.kill());
        on('copy', () => void this.attempt('copied', () => this.terminal?.copy()));
        on('paste', () => void this.attempt('', () => this.terminal?.paste()));
        on('reader', () => this.toggle('reader', (pressed) => {
            if (this.terminal) {
                this.terminal.reader = pressed;
            }
        }));
        on('larger', () => this.toggle('larger', (pressed) => {
            document.body.toggleAttribute('data-larger', pressed);
            this.terminal?.focus();
        }));
        /** @param {(run: Run) => Promise<void>} action */
        const withRun = (action) => {
            const { run } = this;
            if (run) {
                void this.attempt('', () => action(run));
            }
        };
        on('download', () => withRun(async (run) => {
            const { download } = await import('./result.mjs');
            await download(run);
        }));
        on('save-files', () => withRun(async (run) =>
            save(await run.archive(), `${run.guest.name}-files.tar`)));
        on('save-disks', () => withRun(async (run) => {
            for (const left of run.leftDisks) {
                save(await run.diskImage(left), left.disk.name);
            }
        }));
        on('save-machine', () => withRun(async (run) =>
            save(await run.saveMachine(), `${run.guest.name}.snap`)));
        byId('keys').addEventListener('click', ({ target }) => {
            if (target instanceof HTMLElement && target.dataset.key) {
                this.terminal?.press(target.dataset.key);
            }
        });
        addEventListener('online', () => this.showOnline());
        addEventListener('offline', () => this.showOnline());
        this.showOnline();
        addEventListener('pagehide', () => this.keep());
    }

    /**
     * Do something, and tell whether it worked.
     *
     * @param {string} done the word for success, or ''
     * @param {() => Promise<void> | undefined} action
     */
    async attempt(done, action) {
        try {
            await action();
            if (done) {
                this.flash(done);
            }
        } catch (error) {
            this.notice(`It did not work: ${messageOf(error)}`);
        }
    }

    /** @param {string} text */
    flash(text) {
        byId('copy').textContent = text;
        setTimeout(() => { byId('copy').textContent = 'Copy'; }, 1200);
    }

    /**
     * @param {string} id
     * @param {(pressed: boolean) => void} action
     */
    toggle(id, action) {
        const pressed = byId(id).getAttribute('aria-pressed') !== 'true';
        byId(id).setAttribute('aria-pressed', String(pressed));
        action(pressed);
    }

    /** @param {string} text */
    notice(text) {
        byId('notice').textContent = text;
        byId('notice').hidden = !text;
    }

    showOnline() {
        byId('offline').hidden = navigator.onLine;
    }

    showVersions() {
        const { programs, provenance } = this.site;
        const qemu = Object.values(programs)[0]?.versions.qemu;
        const commit = provenance.git?.commit?.slice(0, 10);
        byId('versions').textContent = [
            qemu && `QEMU ${qemu}`, commit && `tierlab ${commit}`,
        ].filter(Boolean).join(' · ');
    }

    settingsChanged() {
        this.ahead.forget();
        const { guest } = this.settings;
        const sum = weight(this.site, guest, this.settings.parts());
        byId('weight').textContent =
            `${guest.name}: ${bytes(sum)} are fetched, once.`;
    }

    /**
     * The user has chosen something, or comes to the button: expect a boot, unless a
     * guest runs that this would slow down.
     */
    expect() {
        const { connection } =
            /** @type {Navigator & { connection?: { saveData?: boolean } }} */ (navigator);
        const { saveData } = connection ?? {};
        if (!saveData && !this.busy && !(this.run && !this.run.isOver) &&
            this.form.isValid) {
            this.ahead.expect();
            this.prepareParts().catch(() => {});
        }
    }

    /** Expect a boot of a guest whose files are here from an earlier visit. */
    async expectAgain() {
        const urls = urlsOf(this.site, this.settings.guest, this.settings.parts());
        if ('caches' in globalThis && await isKept(urls)) {
            this.expect();
        }
    }

    /** Whether nothing is loaded, and no guest boots. */
    get isCalm() {
        const { run } = this;
        return !this.busy && !this.ahead.run && (!run || run.atPrompt || run.isOver);
    }

    async calm() {
        do {
            await new Promise((resolve) => setTimeout(resolve, CALM_MS));
        } while (!this.isCalm);
    }

    /**
     * Keep a run's files for times without a network.
     *
     * @param {Run} run
     */
    async keepFiles(run) {
        await this.calm();
        await keep(urlsOf(this.site, run.guest, run.parts));
    }

    /** Make a run, and begin to fetch its files. */
    async load() {
        const { Run } = await import('./run.mjs');
        const run = new Run(this.site, this.settings);
        run.load();
        return run;
    }

    /** Make all that shows a run, out of sight yet: once, unless that fails. */
    prepareParts() {
        this.preparing ??= this.makeParts().then((parts) => {
            this.parts = parts;
            this.terminal = parts.terminal;
        }, (error) => {
            this.preparing = null;
            throw error;
        });
        return this.preparing;
    }

    /** Load what shows a run, one module after the other, so that no task is long. */
    async fetchModules() {
        addStyles(library('xterm.css'));
        addStyles(library('uplot.css'));
        const own = {
            terminal: await loaded(import('./terminal.mjs')),
            charts: await loaded(import('./charts.mjs')),
            figures: await loaded(import('./figures.mjs')),
            history: await loaded(import('./history.mjs')),
            phases: await loaded(import('./phases.mjs')),
        };
        /** @type {import('./terminal.mjs').Libraries} */
        const libraries = {
            xterm: await loaded(import(library('xterm.mjs'))),
            'addon-fit': await loaded(import(library('addon-fit.mjs'))),
            'xterm-pty': await loaded(import(library('xterm-pty.mjs'))),
        };
        /** @type {{ default: typeof import('uplot') }} */
        const { default: uPlot } = await loaded(import(library('uplot.mjs')));
        const fonts = own.terminal.findFonts();
        while (!fonts.next().done) {
            await breathe();
        }
        return { ...own, libraries, uPlot };
    }

    async makeParts() {
        const { terminal: { GuestTerminal: Terminal }, charts, figures, history, phases,
                libraries, uPlot } = await this.fetchModules();
        const parts = {
            showPhases: phases.showPhases,
            showComparison: history.showComparison,
            figures: new figures.Figures(),
            earlier: new history.Earlier(() => this.otherEarlier()),
            charts: new charts.Charts(uPlot),
        };
        await breathe();
        const terminal = new Terminal(libraries, byId('terminal'), {
            onInput: (data) => this.run?.input(data), dark: this.theme.dark,
        });
        await breathe();
        terminal.open();
        terminal.onLeave = () => byId('copy').focus();
        await breathe();
        return { ...parts, terminal };
    }

    /** Show what only a run needs. */
    async show() {
        byId('welcome').hidden = true;
        byId('terminal').classList.remove('unseen');
        byId('live').hidden = byId('phases-card').hidden = false;
        byId('compare-card').hidden = false;
        for (const id of ['copy', 'paste', 'reader', 'larger']) {
            buttonById(id).disabled = false;
        }
        byId('keys').hidden = !matchMedia('(pointer: coarse)').matches;
        await layOut();
        this.terminal?.fill();
        await breathe();
    }

    async boot() {
        if (this.busy || !this.form.valid()) {
            return;
        }
        this.busy = true;
        this.notice('');
        this.allowBoot(false);
        /** @type {Run | null} */
        let run = null;
        try {
            const { obstacle } = await import('../../engines/web/machine.mjs');
            if (obstacle()) {
                this.notice(`Guests cannot run here: ${obstacle()}.`);
                return;
            }
            this.run?.kill();
            run = await this.ahead.take();
            void run.go();
            await this.prepareParts();
            if (!byId('welcome').hidden) {
                await this.show();
            }
            if (this.parts) {
                this.begin(run, this.parts);
            }
        } catch (error) {
            run?.kill();
            this.notice(`The page cannot go on: ${messageOf(error)}; reload it`);
        } finally {
            this.busy = false;
            this.allowBoot(true);
        }
    }

    /**
     * Show a run, as the page's run from now on.
     *
     * @param {Run} run
     * @param {Parts} parts
     */
    begin(run, { terminal, figures, earlier, charts }) {
        this.keep();
        this.run = run;
        terminal.clear();
        figures.clear();
        earlier.begin(run);
        charts.prepare(run, earlier.selected);
        byId('running-tier').textContent = `${run.guest.name} · ${run.tier}`;
        buttonById('download').disabled = false;
        /**
         * @param {string} type
         * @param {() => void} action
         */
        const on = (type, action) => run.addEventListener(type, () => {
            if (run === this.run) {
                action();
            }
        });
        /**
         * @template T
         * @param {string} type
         * @param {(detail: T) => void} action
         */
        const onDetail = (type, action) => run.addEventListener(type, (event) => {
            if (run === this.run && event instanceof CustomEvent) {
                action(event.detail);
            }
        });
        on('state', () => this.stateChanged(run));
        on('progress', () => this.progressed(run));
        onDetail('output', (/** @type {Bytes} */ data) => terminal.output(data));
        onDetail('said', (/** @type {string} */ text) => {
            if (/^the (network relay|disk) /.test(text)) {
                this.notice(`${text.replace(/^t/, 'T')}.`);
            }
        });
        on('phase', () => this.changed());
        on('sample', () => this.changed('figures', 'charts', 'table'));
        if (run.saved) {
            terminal.write(new TextEncoder().encode(run.before()));
        }
        /* The guest may have written something before it was shown. */
        run.console.head.forEach((data) => terminal.write(data));
        this.stateChanged(run);
        terminal.focus();
        this.keepFiles(run).catch(() => {});
    }

    /** @param {Run} run */
    stateChanged(run) {
        document.body.dataset.state = run.state;
        byId('state').textContent = STATES[run.state] ?? run.state;
        byId('progress').hidden = run.state !== 'loading';
        byId('stop').hidden = byId('kill').hidden = run.isOver;
        byId('save-disks').hidden = !run.leftDisks.length;
        byId('save-machine').hidden = !run.canBeSaved;
        byId('save-files').hidden = !run.keeps || !run.machine || run.killed;
        byId('boot').textContent = run.isOver ? 'Boot again' : 'Boot anew';
        if (run.isOver) {
            this.tellEnd(run);
            this.keep();
        }
        this.changed();
    }

    /** @param {Run} run */
    tellEnd(run) {
        const after = seconds(run.now());
        if (run.failure) {
            const why = printable(run.failure.message);
            this.terminal?.say(`Failed after ${after}: ${why}`);
            byId('state').textContent = `failed: ${run.failure.message}`;
        } else {
            this.terminal?.say(run.wasSaved ? `The machine was saved after ${after}.`
                                            : `The guest has ended after ${after}.`);
        }
    }

    /** @param {Run} run */
    progressed({ progress: { part, loaded: there, total } }) {
        byId('progress-bar', HTMLProgressElement).value = part;
        byId('progress-text').textContent = `${bytes(there)} of ${bytes(total)}`;
    }

    /**
     * Draw parts again, or all parts at once: one part in each frame, so that no frame
     * takes long.
     *
     * @param {Part[]} parts
     */
    changed(...parts) {
        for (const part of parts.length ? parts : ALL_PARTS) {
            this.stale.add(part);
        }
        if (parts.length === 0) {
            this.drawnAt = {};
        }
        this.drawing ??= requestAnimationFrame(() => this.draw());
    }

    draw() {
        this.drawing = null;
        const now = performance.now();
        const due = [...this.stale].find((part) =>
            now - (this.drawnAt[part] ?? 0) >= EVERY_MS[part]);
        if (this.run && this.parts && due) {
            this.stale.delete(due);
            this.drawnAt[due] = now;
            this.drawPart(due, this.run, this.parts);
            this.drawing = requestAnimationFrame(() => this.draw());
        }
    }

    /**
     * @param {Part} part
     * @param {Run} run
     * @param {Parts} parts
     */
    drawPart(part, run, { figures, charts, showPhases, showComparison }) {
        switch (part) {
        case 'figures':
            figures.show(run);
            break;
        case 'charts':
            charts.show();
            break;
        case 'phases':
            showPhases(run, charts.earlier);
            break;
        case 'table':
            showComparison(run, charts.earlier);
            break;
        }
    }

    /** Another earlier run is compared. */
    otherEarlier() {
        if (this.run && this.parts) {
            this.parts.charts.prepare(this.run, this.parts.earlier.selected);
            this.changed();
        }
    }

    /** Keep what is known about the run for comparisons. */
    keep() {
        if (this.run?.samples.length) {
            this.parts?.earlier.keep(this.run);
        }
    }

    tick() {
        const { run } = this;
        if (!run) {
            return;
        }
        byId('clock').textContent = run.origin === null ? '' : seconds(run.now());
        if (this.stale.size) {
            this.drawing ??= requestAnimationFrame(() => this.draw());
        }
        if (run.isOver) {
            return;
        }
        if (run.origin !== null && !run.atPrompt) {
            this.changed('phases');
        }
        if (run.now() - run.keptAt > KEEP_MS) {
            run.keptAt = run.now();
            this.keep();
        }
    }

    /** @param {boolean} dark */
    recolour(dark) {
        if (this.terminal) {
            this.terminal.dark = dark;
        }
        this.otherEarlier();
    }
}

/** @type {Record<Part, number>} */
const EVERY_MS = {
    figures: 0, charts: CHARTS_MS, phases: PHASES_MS, table: TABLE_MS,
};
const ALL_PARTS = /** @type {Part[]} */ (Object.keys(EVERY_MS));

/** @param {string} text */
const printable = (text) => text.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ');

/** @returns {Promise<Site>} */
async function describe() {
    const response = await fetch(said('tierlab-site'));
    if (!response.ok) {
        throw new Error(`${response.status} ${response.statusText}`);
    }
    return response.json();
}

try {
    const page = new Page(await describe());
    /* For tests, and for who looks at the page with the browser's tools. */
    Object.assign(globalThis, { tierlab: page });
    void register(() => page.calm());
    /* What the user sees comes first. */
    (globalThis.requestIdleCallback ?? setTimeout)(() =>
        void page.expectAgain().catch(() => {}));
} catch (error) {
    byId('notice').textContent =
        `The page is not complete: ${messageOf(error)}; reload it`;
    byId('notice').hidden = false;
}
