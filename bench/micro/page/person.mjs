/*
 * A person at the page, as a program: what a person does and sees there, for tests and
 * for `tierlab bench`.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Browser } from '../../engines/browsers/launch.mjs';
import { endAll } from '../../engines/browsers/processes.mjs';
import { messageOf, stackOf } from '../../engines/js/errors.mjs';

/** @import { HTTPRequest, Page } from 'puppeteer-core' */
/** @import { Choice } from '../../engines/browsers/launch.mjs' */

/**
 * Which browser at which page; `shots` is a folder for pictures, if they are wanted.
 *
 * @typedef {Omit<Choice, 'profile' | 'flags'> & { url: string, shots?: string }} Visit
 */
/**
 * A function for the page, or its text.
 *
 * @template {unknown[]} G
 * @template R
 * @typedef {string | ((...given: G) => R)} Look
 */

/* A page may take as long as a guest boots. */
const PATIENCE_MS = 180000;
const LOOK_MS = 50;
/* For the echo of a typed line, and how often it is typed at the most. */
const ECHO_MS = 30000, ATTEMPTS = 3;

/** Runs in the page before anything of its own. */
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
    /**
     * @param {Page} page
     * @param {string} url
     * @param {string} [shots] folder for pictures
     */
    constructor(page, url, shots) {
        this.page = page;
        this.url = url;
        this.shots = shots;
        /**
         * URLs of other sites that the page has asked for.
         *
         * @type {string[]}
         */
        this.foreign = [];
        /* What was seen last, for a message. */
        this.last = '';
        page.on('request', (/** @type {HTTPRequest} */ request) => {
            const asked = request.url();
            if (!asked.startsWith(new URL(this.url).origin) &&
                !/^(blob|data|about):/.test(asked)) {
                this.foreign.push(asked);
            }
        });
    }

    open(hash = '') {
        return this.page.goto(this.url + hash);
    }

    /**
     * The answer of a function that runs in the page.
     *
     * @template {unknown[]} G
     * @template R
     * @param {Look<G, R>} look
     * @param {G} given
     * @returns {Promise<Awaited<R>>}
     */
    async see(look, ...given) {
        const inPage = /** @type {string | ((...given: unknown[]) => unknown)} */ (look);
        return /** @type {Awaited<R>} */ (await this.page.evaluate(inPage, ...given));
    }

    /**
     * The first answer that is true of a function that runs in the page.
     *
     * @template {unknown[]} G
     * @template R
     * @param {string} what is waited for
     * @param {Look<G, R>} look
     * @param {G} given
     */
    until(what, look, ...given) {
        return this.within(PATIENCE_MS, what, look, ...given);
    }

    /**
     * The same, but only for so long.
     *
     * @template {unknown[]} G
     * @template R
     * @param {number} ms
     * @param {string} what
     * @param {Look<G, R>} look
     * @param {G} given
     * @returns {Promise<NonNullable<Awaited<R>>>}
     */
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
                /* The page may just be loading again. */
                this.last = messageOf(error);
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

    /** @param {string} id */
    click(id) {
        return this.see((which) => document.getElementById(which)?.click(), id);
    }

    /**
     * Choose or type a value.
     *
     * @param {string} id
     * @param {string} value
     */
    choose(id, value) {
        return this.see((which, chosen) => {
            const found = document.getElementById(which);
            const input = /** @type {HTMLInputElement} */ (found);
            input.value = chosen;
            input.dispatchEvent(new Event('input', { bubbles: true }));
            input.dispatchEvent(new Event('change', { bubbles: true }));
        }, id, value);
    }

    /**
     * The value that is chosen or typed.
     *
     * @param {string} id
     */
    value(id) {
        return this.see((which) => {
            const found = document.getElementById(which);
            return /** @type {HTMLInputElement} */ (found).value;
        }, id);
    }

    /**
     * The text of an element.
     *
     * @param {string} id
     */
    text(id) {
        return this.see((which) => document.getElementById(which)?.textContent, id);
    }

    /**
     * Whether an element is there and visible.
     *
     * @param {string} id
     */
    shown(id) {
        return this.see((which) => document.getElementById(which)?.hidden === false, id);
    }

    /**
     * The texts of all elements that a selector finds.
     *
     * @param {string} selector
     */
    texts(selector) {
        return this.see((asked) => [...document.querySelectorAll(asked)]
            .map((element) => element.textContent), selector);
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

    /**
     * Type a line at the shell's prompt, and send it once the terminal shows exactly
     * this line. Something else can come in between on a slow machine: a message of the
     * kernel, or half of the terminal's answer to the shell's question where the cursor
     * is. Then clear the line, as people do, and type it again.
     * Blanks are not compared: the shell breaks lines where the terminal ends. The
     * terminal of a resumed machine shows no prompt.
     *
     * @param {string} text
     */
    async type(text) {
        await this.see(() => tierlab.terminal.focus());
        for (let attempt = 1; ; attempt++) {
            await this.page.keyboard.type(text);
            try {
                await this.within(ECHO_MS, `the typed line "${text}"`, (line) => {
                    const shown = tierlab.terminal.text().replace(/\s/g, '');
                    return shown === line || shown.endsWith(`#${line}`);
                }, text.replace(/\s/g, ''));
                break;
            } catch (error) {
                if (attempt === ATTEMPTS) {
                    throw error;
                }
            }
            await this.page.keyboard.down('Control');
            await this.page.keyboard.press('u');
            await this.page.keyboard.up('Control');
        }
        await this.page.keyboard.press('Enter');
    }

    /**
     * Wait for a line of the terminal.
     *
     * @param {string} text
     */
    async shows(text) {
        await this.until(`"${text}"`, (line) =>
            tierlab.terminal.text().split('\n').includes(line), text);
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

    /** Where the page is, to find out why it does not go on. */
    async sees() {
        try {
            const { text, ...facts } = await this.facts();
            return JSON.stringify({ ...facts, text: text?.slice(-500) });
        } catch (error) {
            return messageOf(error);
        }
    }

    /** @param {string} name */
    async shot(name) {
        if (this.shots) {
            await this.page.screenshot({ path: path.join(this.shots, name) });
        }
    }
}

/**
 * The first paint, the bytes that were loaded, and by how much the page is too wide.
 *
 * @param {Person} person
 */
export async function first(person) {
    /* The page may be ready before the browser paints. */
    const paint = await person.until('a paint', () =>
        performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
    const size = await person.see(() => {
        const entries = /** @type {PerformanceResourceTiming[]} */ ([
            ...performance.getEntriesByType('resource'),
            ...performance.getEntriesByType('navigation')]);
        return {
            bytes: entries.reduce((sum, entry) => sum + entry.transferSize, 0),
            wide: document.documentElement.scrollWidth - innerWidth,
        };
    });
    return { paint, ...size };
}

/** In the page: the times from a key to its echo on the screen, in ms, sorted. */
export async function echoes() {
    const { xterm } = tierlab.terminal;
    const found = [];
    for (let i = 0; i < 21; i++) {
        await new Promise((resolve) => setTimeout(resolve, 60));
        const start = performance.now();
        /** @type {Promise<void>} */
        const echo = new Promise((resolve) => {
            const listener = xterm.onWriteParsed(() => {
                listener.dispose();
                resolve();
            });
        });
        xterm.input('x');
        await echo;
        found.push(performance.now() - start);
    }
    return found.sort((a, b) => a - b);
}

/**
 * @param {Visit} options
 * @param {(person: Person, browser: Browser) => Promise<object>} action
 */
async function visit(options, action) {
    const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'tierlab-page-'));
    const browser = new Browser({ ...options, profile, flags: [] }, (why) => {
        process.stderr.write(`${why}\n`);
        process.exit(1);
    });
    try {
        await browser.start();
        const page = await browser.connected.newPage();
        await page.evaluateOnNewDocument(watch);
        const person = new Person(page, options.url, options.shots);
        const found = await action(person, browser).catch(async (error) => {
            throw new Error(`${messageOf(error)}; ${await person.sees()}`,
                            { cause: error });
        });
        const said = JSON.stringify({ ...found, foreign: person.foreign });
        /* Wait until all is written, before this process ends. */
        await new Promise((resolve) =>
            process.stdout.write(`${said}\n`, resolve));
    } finally {
        await browser.close();
        await endAll();
        browser.removeProfile();
    }
}

/**
 * The whole program: start a browser with an empty page, do something as a person, and
 * print what was found as one line of JSON. The status is 1 if that fails.
 *
 * @param {Visit} options
 * @param {(person: Person, browser: Browser) => Promise<object>} action
 */
export function atPage(options, action) {
    visit(options, action).then(() => process.exit(0), (error) => {
        process.stderr.write(`${stackOf(error)}\n`);
        process.exit(1);
    });
}
