/*
 * Measures how long a person at the page waits: until the page shows something, from the
 * click on Boot to the guest's prompt, from a key to its echo; and the longest task of
 * the page's main thread. Prints one line of JSON.
 *
 *   node measure.mjs --browser chromium|firefox --binary FILE --library DIR
 *        --url URL --hash SETTINGS --approach MS
 *
 * The pointer comes to the button MS before the click; 0 means not at all.
 *
 * If a debugger slows the browser down, this program disconnects while it measures: the
 * page measures itself, and its title tells when it is done.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { atPage, echoes, first } from './person.mjs';

const DONE = 'measured';
const PATIENCE_MS = 300000;
const LOOK_MS = 250;

const { values: options } = parseArgs({
    options: {
        browser: { type: 'string' }, binary: { type: 'string' },
        library: { type: 'string' }, url: { type: 'string' },
        hash: { type: 'string' }, approach: { type: 'string' },
    },
});

/**
 * In the page: measure a boot. Browsers tell of tasks that take more than 50 ms, or of
 * no tasks at all.
 *
 * @param {number} approach
 * @param {string} done the page's title when it is done
 */
async function measure(approach, done) {
    /** @param {number} ms */
    const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const { run: before } = tierlab;
    const button = /** @type {HTMLElement} */ (document.getElementById('boot'));
    await wait(500);
    if (approach) {
        button.dispatchEvent(new PointerEvent('pointerenter'));
        await wait(approach);
    }
    const clicked = performance.now();
    button.click();
    while (tierlab.run === before || !(tierlab.run.atPrompt || tierlab.run.isOver)) {
        await wait(20);
    }
    const { run } = tierlab;
    if (run.isOver) {
        globalThis.measured = { failure: run.failure?.message ?? 'the guest ended' };
    } else {
        const prompt = run.phases.find(({ phase }) => phase === 'prompt');
        const toPrompt = run.clicked - clicked + (run.loadMs ?? NaN) +
            (prompt?.host_ms ?? NaN);
        await wait(1000);
        const told = PerformanceObserver.supportedEntryTypes.includes('longtask');
        const longest = Math.max(0, ...seen.long.map(({ ms }) => ms));
        const echo_ms = await echoes();
        globalThis.measured = {
            load_ms: run.loadMs, prompt_ms: toPrompt, tier: run.ranTier,
            longest_task_ms: told ? longest : null, echo_ms,
        };
    }
    document.title = done;
}

const { browser: name = '', binary = '', library = '', url = '' } = options;

atPage({ browser: name, binary, library, url }, async (person, browser) => {
    await person.open(options.hash);
    await person.ready();
    const { paint, bytes } = await first(person);
    /*
     * The page begins, and is not waited for. The functions go there as text, because
     * the page's policy does not let the page itself make code of text.
     */
    await person.see(`globalThis.echoes = ${echoes};
                      (${measure})(${Number(options.approach)}, '${DONE}'); 0`);
    await browser.leave();
    const end = Date.now() + PATIENCE_MS;
    while (!(await browser.titles()).includes(DONE)) {
        if (Date.now() > end) {
            throw new Error('the guest never came to its prompt');
        }
        await pause(LOOK_MS);
    }
    if (!browser.connection) {
        await browser.connect();
        for (const page of await browser.connected.pages()) {
            if (await page.title() === DONE) {
                person.page = page;
            }
        }
    }
    const measured = await person.see(() => globalThis.measured);
    if (measured.failure) {
        throw new Error(measured.failure);
    }
    return { paint_ms: paint, bytes, ...measured };
});
