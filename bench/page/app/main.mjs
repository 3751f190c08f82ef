/*
 * The page: settings on one side, a run on the other.
 *
 * Loaded before a guest is chosen is only what is needed then; the terminal, the
 * charts and the emulator come with the first boot, or when it seems to be near.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { Ahead } from './ahead.mjs';
import { isKept, urlsOf, weight } from './assets.mjs';
import { addStyles, byId, bytes, save, seconds } from './dom.mjs';
import { Form } from './form.mjs';
import { keep, register } from './offline.mjs';
import { Settings } from './settings.mjs';
import { Theme } from './theme.mjs';

const CLOCK_MS = 200;
/* How often what moves by itself is drawn, and the table, which few read then. */
const PHASES_MS = 500;
const CHARTS_MS = 500;
const TABLE_MS = 1000;
/* How often what is known of a running guest is kept for comparisons. */
const KEEP_MS = 2000;

/* Who does nothing for so long may be reading. */
const CALM_MS = 3000;
/* What comes to a button before it is clicked. */
const APPROACHES = ['pointerenter', 'pointerdown', 'focus'];
/* Who chooses something may choose the next at once, or type on. */
const CHOSEN_MS = 150;

const said = (name) => document.querySelector(`meta[name="${name}"]`).content;
const library = (name) => new URL(said('tierlab-lib') + '/' + name,
                                  document.baseURI).href;

const STATES = {
    idle: 'ready', loading: 'fetching', starting: 'starting',
    booting: 'booting', running: 'at the prompt', ended: 'ended', failed: 'failed',
};

/* What shows a run: ours, and others'. Evaluated one by one, see breathe(). */
const MODULES = {
    terminal: './terminal.mjs', charts: './charts.mjs', figures: './figures.mjs',
    history: './history.mjs', phases: './phases.mjs',
};
const LIBRARIES = ['xterm', 'addon-fit', 'xterm-pty', 'uplot'];

/* Lets the browser do what waits: no task of ours shall be long. */
const breathe = () => new Promise((resolve) => setTimeout(resolve));
/* What has become visible is laid out in a task of its own. */
async function layOut() {
    await breathe();
    document.body.getBoundingClientRect();
    await breathe();
}

class Page {
    constructor(site) {
        this.site = site;
        this.run = null;
        this.terminal = null;
        /* Parts to draw again, and when the slow ones were. */
        this.stale = new Set();
        this.drawnAt = {};
        this.ahead = new Ahead(() => this.load());
        this.settings = new Settings(site);
        this.theme = new Theme((dark) => this.recolour(dark));
        this.form = new Form(this.settings, (guest) => weight(site, guest),
                             () => this.settingsChanged());
        this.connect();
        this.settingsChanged();
        this.showVersions();
        byId('boot').disabled = byId('boot-here').disabled = false;
        setInterval(() => this.tick(), CLOCK_MS);
    }

    connect() {
        const on = (id, action) => byId(id).addEventListener('click', action);
        byId('setup').addEventListener('submit', (event) => {
            event.preventDefault();
            this.boot();
        });
        on('boot-here', () => this.boot());
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
        on('copy', () => this.attempt('copied', () => this.terminal.copy()));
        on('paste', () => this.attempt('', () => this.terminal.paste()));
        on('reader', () => this.toggle('reader', (pressed) => {
            this.terminal.reader = pressed;
        }));
        on('larger', () => this.toggle('larger', (pressed) => {
            document.body.toggleAttribute('data-larger', pressed);
            this.terminal?.focus();
        }));
        on('download', async () => {
            const { download } = await import('./result.mjs');
            this.attempt('', () => download(this.run));
        });
        on('save-files', () => this.attempt('', async () => {
            const { run } = this;
            save(await run.archive(), `${run.guest.name}-files.tar`);
        }));
        on('save-disks', () => {
            for (const { name, data } of this.run.leftDisks) {
                save(new Blob([data]), name);
            }
        });
        on('save-machine', () => this.attempt('', async () => {
            const { run } = this;
            const file = await run.saveMachine();
            save(file, `${run.guest.name}.snap`);
        }));
        byId('keys').addEventListener('click', ({ target }) => {
            if (target.dataset.key) {
                this.terminal?.press(target.dataset.key);
            }
        });
        addEventListener('online', () => this.showOnline());
        addEventListener('offline', () => this.showOnline());
        this.showOnline();
        addEventListener('pagehide', () => this.keep());
    }

    async attempt(done, action) {
        try {
            await action();
            if (done) {
                this.flash(done);
            }
        } catch (error) {
            this.notice(`It did not work: ${error.message}`);
        }
    }

    flash(text) {
        byId('copy').textContent = text;
        setTimeout(() => { byId('copy').textContent = 'Copy'; }, 1200);
    }

    toggle(id, action) {
        const pressed = byId(id).getAttribute('aria-pressed') !== 'true';
        byId(id).setAttribute('aria-pressed', String(pressed));
        action(pressed);
    }

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

    /*
     * Who chooses something or comes to the button wants a guest, if none runs that
     * would be slowed down.
     */
    expect() {
        const { saveData } = navigator.connection ?? {};
        if (!saveData && !this.busy && !(this.run && !this.run.isOver) &&
            this.form.isValid) {
            this.ahead.expect();
            this.furnish().catch(() => {});
        }
    }

    /* Who was here before wants it again, and nothing has to be fetched for that. */
    async expectAgain() {
        const urls = urlsOf(this.site, this.settings.guest, this.settings.parts());
        if ('caches' in globalThis && await isKept(urls)) {
            this.expect();
        }
    }

    /* Nothing is loaded, and no guest boots. */
    get isCalm() {
        const { run } = this;
        return !this.busy && !this.ahead.run && (!run || run.atPrompt || run.isOver);
    }

    async calm() {
        do {
            await new Promise((resolve) => setTimeout(resolve, CALM_MS));
        } while (!this.isCalm);
    }

    /* For times without a network. */
    async keepFiles(run) {
        await this.calm();
        await keep(urlsOf(this.site, run.guest, run.parts));
    }

    /* A run whose files are on their way. */
    async load() {
        const { Run } = await import('./run.mjs');
        const run = new Run(this.site, this.settings);
        run.load();
        return run;
    }

    /* All that shows a run, out of sight yet; made once, unless that fails. */
    furnish() {
        this.furnished ??= this.makeParts().catch((error) => {
            this.furnished = null;
            throw error;
        });
        return this.furnished;
    }

    async fetchModules() {
        addStyles(library('xterm.css'));
        addStyles(library('uplot.css'));
        const found = {};
        for (const [name, url] of Object.entries(MODULES)) {
            found[name] = await import(url);
            await breathe();
        }
        for (const name of LIBRARIES) {
            found[name] = await import(library(`${name}.mjs`));
            await breathe();
        }
        for (const _ of found.terminal.findFonts()) {
            await breathe();
        }
        return found;
    }

    async makeParts() {
        const { terminal: { GuestTerminal }, charts, figures, history, phases,
                ...libraries } = await this.fetchModules();
        this.showPhases = phases.showPhases;
        this.showComparison = history.showComparison;
        this.figures = new figures.Figures();
        this.earlier = new history.Earlier(() => this.otherEarlier());
        this.charts = new charts.Charts(libraries.uplot.default);
        await breathe();
        const terminal = new GuestTerminal(libraries, byId('terminal'), {
            onInput: (data) => this.run?.input(data), dark: this.theme.dark,
        });
        await breathe();
        terminal.open();
        terminal.onLeave = () => byId('copy').focus();
        this.terminal = terminal;
        await breathe();
    }

    /* What only a run needs comes into sight. */
    async show() {
        byId('welcome').hidden = true;
        byId('terminal').classList.remove('unseen');
        byId('live').hidden = byId('phases-card').hidden = false;
        byId('compare-card').hidden = false;
        for (const id of ['copy', 'paste', 'reader', 'larger']) {
            byId(id).disabled = false;
        }
        byId('keys').hidden = !matchMedia('(pointer: coarse)').matches;
        await layOut();
        this.terminal.fill();
        await breathe();
    }

    async boot() {
        if (this.busy || !this.form.valid()) {
            return;
        }
        this.busy = true;
        this.notice('');
        byId('boot').disabled = byId('boot-here').disabled = true;
        let run = null;
        try {
            const { obstacle } = await import('../../engines/web/machine.mjs');
            if (obstacle()) {
                this.notice(`Guests cannot run here: ${obstacle()}.`);
                return;
            }
            this.run?.kill();
            run = await this.ahead.take();
            run.go();
            await this.furnish();
            if (!byId('welcome').hidden) {
                await this.show();
            }
            this.begin(run);
        } catch (error) {
            run?.kill();
            this.notice(`The page cannot go on: ${error.message}; reload it`);
        } finally {
            this.busy = false;
            byId('boot').disabled = byId('boot-here').disabled = false;
        }
    }

    begin(run) {
        this.keep();
        this.run = run;
        this.terminal.clear();
        this.figures.clear();
        this.earlier.begin(run);
        this.charts.prepare(run, this.earlier.selected);
        byId('running-tier').textContent = `${run.guest.name} · ${run.tier}`;
        byId('download').disabled = false;
        const mine = (action) => (event) => {
            if (run === this.run) {
                action(event);
            }
        };
        run.addEventListener('state', mine(() => this.stateChanged()));
        run.addEventListener('progress', mine(() => this.progressed()));
        run.addEventListener('output', mine(({ detail }) =>
            this.terminal.output(detail)));
        run.addEventListener('said', mine(({ detail }) => {
            if (/^the network relay/.test(detail)) {
                this.notice(`${detail.replace(/^t/, 'T')}.`);
            }
        }));
        run.addEventListener('phase', mine(() => this.changed()));
        run.addEventListener('sample', mine(() =>
            this.changed('figures', 'charts', 'table')));
        if (run.saved) {
            this.terminal.write(new TextEncoder().encode(run.before()));
        }
        /* It has not waited for us. */
        run.console.head.forEach((data) => this.terminal.write(data));
        this.stateChanged();
        this.terminal.focus();
        this.keepFiles(run).catch(() => {});
    }

    stateChanged() {
        const { run } = this;
        document.body.dataset.state = run.state;
        byId('state').textContent = STATES[run.state] ?? run.state;
        byId('progress').hidden = run.state !== 'loading';
        byId('stop').hidden = byId('kill').hidden = run.isOver;
        byId('save-disks').hidden = !run.leftDisks.length;
        byId('save-machine').hidden = !run.canBeSaved;
        byId('save-files').hidden = !run.keeps || !run.machine || run.killed;
        byId('boot').textContent = run.isOver ? 'Boot again' : 'Boot anew';
        if (run.isOver) {
            this.tellEnd();
            this.keep();
        }
        this.changed();
    }

    tellEnd() {
        const { run } = this;
        const after = seconds(run.now());
        if (run.failure) {
            const why = printable(run.failure.message);
            this.terminal.say(`Failed after ${after}: ${why}`);
            byId('state').textContent = `failed: ${run.failure.message}`;
        } else {
            this.terminal.say(run.wasSaved ? `The machine was saved after ${after}.`
                                           : `The guest has ended after ${after}.`);
        }
    }

    progressed() {
        const { part, loaded, total } = this.run.progress;
        byId('progress-bar').value = part;
        byId('progress-text').textContent = `${bytes(loaded)} of ${bytes(total)}`;
    }

    /*
     * One part a frame, so that none takes long, and each once however much came.
     */
    changed(...parts) {
        for (const part of parts.length ? parts : Object.keys(PARTS)) {
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
            now - (this.drawnAt[part] ?? 0) >= PARTS[part].every);
        if (this.run && due) {
            this.stale.delete(due);
            this.drawnAt[due] = now;
            PARTS[due].draw(this, this.run, this.charts.earlier);
            this.drawing = requestAnimationFrame(() => this.draw());
        }
    }

    otherEarlier() {
        if (this.run) {
            this.charts.prepare(this.run, this.earlier.selected);
            this.changed();
        }
    }

    keep() {
        if (this.run?.samples.length) {
            this.earlier.keep(this.run);
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
        if (run.now() - (run.keptAt ?? 0) > KEEP_MS) {
            run.keptAt = run.now();
            this.keep();
        }
    }

    recolour(dark) {
        if (this.terminal) {
            this.terminal.dark = dark;
        }
        this.otherEarlier();
    }
}

const PARTS = {
    figures: { every: 0, draw: ({ figures }, run) => figures.show(run) },
    charts: { every: CHARTS_MS, draw: ({ charts }) => charts.show() },
    phases: { every: PHASES_MS, draw: ({ showPhases }, run, earlier) =>
        showPhases(run, earlier) },
    table: { every: TABLE_MS, draw: ({ showComparison }, run, earlier) =>
        showComparison(run, earlier) },
};

const printable = (text) => text.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ');

async function describe() {
    const response = await fetch(said('tierlab-site'));
    if (!response.ok) {
        throw new Error(`${response.status} ${response.statusText}`);
    }
    return response.json();
}

try {
    const page = globalThis.tierlab = new Page(await describe());
    register(() => page.calm());
    /* What is seen comes first. */
    (globalThis.requestIdleCallback ?? setTimeout)(() =>
        page.expectAgain().catch(() => {}));
} catch (error) {
    byId('notice').textContent = `The page is not complete: ${error.message}; ` +
        'reload it';
    byId('notice').hidden = false;
}
