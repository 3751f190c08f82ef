/*
 * What somebody at the page waits for: how long until it shows something, from the
 * click on Boot to the guest's prompt, from a key to its echo; and the longest task
 * of the page's main thread. One line of JSON.
 *
 *   node measure.mjs --browser chromium|firefox --binary FILE --library DIR
 *        --url URL --hash SETTINGS --approach MS
 *
 * The pointer comes to the button MS before the click; 0: not at all.
 *
 * A browser that a debugger slows down is left alone meanwhile: the page does all by
 * itself, and its title says when.
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

/* In the page. Browsers tell of tasks that take more than 50 ms, or of none. */
async function measure(approach, done) {
    const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const { run: before } = tierlab;
    const button = document.getElementById('boot');
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
        const { host_ms } = run.phases.find(({ phase }) => phase === 'prompt');
        const longest = (tasks) => Math.max(0, ...tasks.map(({ ms }) => ms));
        const toPrompt = run.clicked - clicked + run.loadMs + host_ms;
        await wait(1000);
        const told = PerformanceObserver.supportedEntryTypes.includes('longtask');
        globalThis.measured = {
            load_ms: run.loadMs, prompt_ms: toPrompt, tier: run.ranTier,
            longest_task_ms: told ? longest(seen.long) : null,
            echo_ms: await echoes(),
        };
    }
    document.title = done;
}

atPage(options, async (person, browser) => {
    await person.open(options.hash);
    await person.ready();
    const { paint, bytes } = await first(person);
    /* Begun, not waited for; and a page of ours may not make code of text itself. */
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
        for (const page of await browser.connection.pages()) {
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
