/*
 * Somebody at the page, as a program: what a person does there and sees, for tests
 * and for `tierlab bench`.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Browser } from '../../engines/browsers/launch.mjs';
import { endAll } from '../../engines/browsers/processes.mjs';

/* A page may take as long as a guest boots. */
const PATIENCE_MS = 180000;
const LOOK_MS = 50;

/* Runs in the page before anything of its own. */
export function watch() {
    globalThis.seen = { violations: [], errors: [], long: [] };
    addEventListener('securitypolicyviolation', (event) =>
        seen.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
    addEventListener('error', (event) => seen.errors.push(event.message));
    addEventListener('unhandledrejection', (event) =>
        seen.errors.push(String(event.reason)));
    if (PerformanceObserver.supportedEntryTypes.includes('longtask')) {
        new PerformanceObserver((list) => {
            for (const { startTime, duration } of list.getEntries()) {
                seen.long.push({ at: startTime, ms: duration });
            }
        }).observe({ type: 'longtask', buffered: true });
    }
}

export class Person {
    /* @shots: folder of pictures, if they are wanted. */
    constructor(page, url, shots) {
        this.page = page;
        this.url = url;
        this.shots = shots;
        this.foreign = [];
        this.last = '';
        page.on('request', (request) => {
            const url = request.url();
            if (!url.startsWith(new URL(this.url).origin) &&
                !/^(blob|data|about):/.test(url)) {
                this.foreign.push(url);
            }
        });
    }

    open(hash = '') {
        return this.page.goto(this.url + hash);
    }

    see(look, ...given) {
        return this.page.evaluate(look, ...given);
    }

    until(what, look, ...given) {
        return this.within(PATIENCE_MS, what, look, ...given);
    }

    async within(ms, what, look, ...given) {
        const end = Date.now() + ms;
        for (;;) {
            try {
                const found = await this.see(look, ...given);
                if (found) {
                    return found;
                }
                this.last = JSON.stringify(found);
            } catch (error) {
                /* It may be loaded again just now. */
                this.last = error.message;
            }
            if (Date.now() > end) {
                throw new Error(`${what} never came: ${this.last}`);
            }
            await pause(LOOK_MS);
        }
    }

    ready() {
        return this.until('the page', () => globalThis.crossOriginIsolated &&
            globalThis.tierlab?.form && document.readyState === 'complete');
    }

    click(id) {
        return this.see((id) => document.getElementById(id).click(), id);
    }

    choose(id, value) {
        return this.see((id, value) => {
            const select = document.getElementById(id);
            select.value = value;
            select.dispatchEvent(new Event('input', { bubbles: true }));
            select.dispatchEvent(new Event('change', { bubbles: true }));
        }, id, value);
    }

    async boot() {
        await this.click('boot');
        await this.until('a run', () => tierlab.run && !tierlab.run.isOver &&
                         !tierlab.busy);
    }

    prompt() {
        return this.until('the prompt', () => {
            const { run } = tierlab;
            if (run?.isOver) {
                throw new Error(`it ended: ${run.failure?.message}`);
            }
            return run?.atPrompt && /# ?$/.test(tierlab.terminal.text());
        });
    }

    async type(text) {
        await this.see(() => tierlab.terminal.focus());
        await this.page.keyboard.type(text);
        await this.page.keyboard.press('Enter');
    }

    async shows(text) {
        await this.until(`"${text}"`, (text) =>
            tierlab.terminal.text().split('\n').includes(text), text);
        return true;
    }

    facts() {
        return this.see(() => ({
            state: document.body.dataset.state, tier: tierlab.run?.tier,
            phases: tierlab.run?.phases.map((p) => p.phase),
            samples: tierlab.run?.samples.length,
            text: tierlab.terminal?.text(), hash: location.hash,
            complaints: [...document.querySelectorAll('.error')]
                .map((e) => e.textContent).filter(Boolean),
            title: document.title, seen,
        }));
    }

    /* Where it is, for who has to find out why it does not go on. */
    async sees() {
        try {
            const { text, ...facts } = await this.facts();
            return JSON.stringify({ ...facts, text: text?.slice(-500) });
        } catch (error) {
            return error.message;
        }
    }

    async shot(name) {
        if (this.shots) {
            await this.page.screenshot({ path: path.join(this.shots, name) });
        }
    }
}

/* What a page says of itself when nothing was done yet. */
export async function first(person) {
    /* It may be ready before anything of it is seen. */
    const paint = await person.until('a paint', () =>
        performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
    return person.see((paint) => ({
        paint,
        bytes: [...performance.getEntriesByType('resource'),
                ...performance.getEntriesByType('navigation')]
            .reduce((sum, entry) => sum + entry.transferSize, 0),
        wide: document.documentElement.scrollWidth - innerWidth,
    }), paint);
}

/* In the page: from a key to its echo on the screen, in ms, sorted. */
export async function echoes() {
    const { xterm } = tierlab.terminal;
    const found = [];
    for (let i = 0; i < 21; i++) {
        await new Promise((resolve) => setTimeout(resolve, 60));
        const start = performance.now();
        const echo = new Promise((resolve) => {
            const seen = xterm.onWriteParsed(() => {
                seen.dispose();
                resolve();
            });
        });
        xterm.input('x');
        await echo;
        found.push(performance.now() - start);
    }
    return found.sort((a, b) => a - b);
}

async function visit(options, action) {
    const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'tierlab-page-'));
    const browser = new Browser({ ...options, profile, flags: [] }, (why) => {
        process.stderr.write(`${why}\n`);
        process.exit(1);
    });
    try {
        await browser.start();
        const page = await browser.connection.newPage();
        await page.evaluateOnNewDocument(watch);
        const person = new Person(page, options.url, options.shots);
        const found = await action(person, browser).catch(async (error) => {
            error.message += `; ${await person.sees()}`;
            throw error;
        });
        const said = JSON.stringify({ ...found, foreign: person.foreign });
        /* All of it, before we end. */
        await new Promise((resolve) =>
            process.stdout.write(`${said}\n`, resolve));
    } finally {
        await browser.close();
        await endAll();
        browser.removeProfile();
    }
}

/*
 * The whole program: with a browser (@options: browser, binary, library, url, shots)
 * and somebody at a page of it that is still empty, do @action(person, browser) and
 * print what it found as one line of JSON. Status 1, and why, if it fails.
 */
export function atPage(options, action) {
    visit(options, action).then(() => process.exit(0), (error) => {
        process.stderr.write(`${error.stack ?? error}\n`);
        process.exit(1);
    });
}
