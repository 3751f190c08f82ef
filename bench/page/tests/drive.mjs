/*
 * A person at the page, as a program: opens the page in a browser, does what the
 * scenario says, and prints what was seen as one line of JSON.
 *
 *   node drive.mjs --browser chromium|firefox --binary FILE --library DIR
 *        --url URL --scenario NAME [--tier SPEC]... [--shots DIR]
 *        [--folder DIR] [--type COMMAND] [--hash SETTINGS]
 *
 * Where a scenario needs its parent process to do something, it prints the line
 * "now WHAT", and goes on when a line comes from the parent.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import readline from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { atPage, echoes, first } from '../../micro/page/person.mjs';

/** @import { ElementHandle } from 'puppeteer-core' */
/** @import { Person } from '../../micro/page/person.mjs' */
/** @import { Fake } from './fake_machine.mjs' */

const SCRIPT_MS = 480000;

const { values: options } = parseArgs({
    options: {
        browser: { type: 'string' }, binary: { type: 'string' },
        library: { type: 'string' }, url: { type: 'string' },
        scenario: { type: 'string' }, shots: { type: 'string' },
        folder: { type: 'string' }, type: { type: 'string' },
        hash: { type: 'string', default: '#workload=shell' },
        tier: { type: 'string', multiple: true, default: ['threshold:n=7', 'never'] },
    },
});

const reader = readline.createInterface({ input: process.stdin });
const lines = reader[Symbol.asyncIterator]();

/** @param {string} what */
async function parentDoes(what) {
    process.stdout.write(`now ${what}\n`);
    await lines.next();
}

/**
 * Ask the shell for a line, and wait for it. Each time it is another line, because the
 * console of a saved machine shows earlier answers. The fake machine's shell does no
 * sums.
 *
 * @param {Person} person
 */
async function echo(person) {
    const n = Date.now() % 1e6;
    await person.type(`echo an$((${n} + 2))swer`);
    await person.until('an answer', (...answers) =>
        tierlab.terminal.text().split('\n').some((line) => answers.includes(line)),
        `an${n + 2}swer`, `an$((${n} + 2))swer`);
}

/** @type {Record<string, (person: Person) => Promise<object>>} */
const SCENARIOS = {
    /* Boot, type, another policy, compare, reload. */
    async tour(person) {
        await person.open();
        await person.ready();
        const before = await first(person);
        const [tier, other] = options.tier;
        const { name, values } = parse(tier);
        await person.choose('policy', name);
        for (const [param, value] of Object.entries(values)) {
            await person.choose(`policy-params-${param}`, value);
        }
        await person.boot();
        await person.prompt();
        const one = await person.facts();
        await echo(person);
        await person.until('two samples', () => tierlab.run.samples.length > 1);
        const latencies = await person.see(echoes);
        await person.choose('policy', parse(other).name);
        await person.boot();
        await person.prompt();
        await person.until('a comparison', () =>
            document.querySelectorAll('#compare tbody tr').length > 3);
        const two = await person.facts();
        const compared = await person.see(() =>
            [...document.querySelectorAll('#compare td.word')]
                .map((cell) => cell.textContent));
        await person.page.reload();
        await person.ready();
        const kept = await person.see(() => ({
            tier: tierlab.settings.tier,
        }));
        return { before, one, two, compared, latencies,
                 kept: { policy: await person.value('policy'), ...kept },
                 after: await person.facts() };
    },

    /* Impossible settings are dropped from the address, and refused in the form. */
    async settings(person) {
        await person.open('#guest=nobody&tier=threshold:n=5,bogus=1&smp=99' +
                          '&share=nothing&disk=other');
        await person.ready();
        const dropped = await person.see(() => tierlab.settings.words());
        await person.choose('policy-params-n', '0');
        await person.click('boot');
        await pause(300);
        const refused = await person.see(() => ({
            runs: Boolean(tierlab.run),
            invalid: document.querySelector('[aria-invalid="true"]')?.id,
        }));
        const says = await person.text('policy-params-n-error');
        await person.choose('policy-params-n', '9');
        return { dropped, refused: { ...refused, says },
                 hash: (await person.facts()).hash,
                 command: await person.text('command') };
    },

    /* A person comes to the button, chooses something else, and clicks. */
    async ahead(person) {
        await person.open();
        await person.ready();
        const expected = () => person.see(async () => {
            const run = await tierlab.ahead.run;
            if (!run) {
                throw new Error('no run is expected');
            }
            (globalThis.runs ??= []).push(run);
            return { tier: run.tier, shown: Boolean(tierlab.run) };
        });
        await person.see(() => {
            document.getElementById('boot')?.dispatchEvent(
                new PointerEvent('pointerenter'));
        });
        const one = await expected();
        await pause(300);
        const waits = await person.see(() => ({
            state: runs[0].state, printed: runs[0].console.total,
        }));
        /* In one function, because the page expects another run soon. */
        const forgotten = await person.see(async () => {
            const found = document.getElementById('policy');
            const select = /** @type {HTMLSelectElement} */ (found);
            select.value = 'never';
            select.dispatchEvent(new Event('change', { bubbles: true }));
            const isNone = tierlab.ahead.run === null;
            await new Promise((resolve) => setTimeout(resolve));
            return isNone && runs[0].abort.signal.aborted;
        });
        await person.until('another run', () => tierlab.ahead.run !== null);
        const two = await expected();
        await person.boot();
        await person.prompt();
        const taken = await person.see(() => tierlab.run === runs[1] &&
            tierlab.ahead.run === null && (tierlab.run.loadMs ?? NaN) < 1000);
        return { one, waits, forgotten, two, taken, facts: await person.facts() };
    },

    /* What a guest must not be able to do. */
    async hostile(person) {
        await person.open();
        await person.ready();
        await person.boot();
        await person.prompt();
        await person.type('osc');
        await person.shows('link');
        return { facts: await person.facts(),
                 links: await person.see(() =>
                     document.querySelectorAll('#terminal a').length) };
    },

    /* The guest learns how large its terminal is, and when that changes. */
    async resize(person) {
        await person.page.setViewport({ width: 1300, height: 900 });
        await person.open();
        await person.ready();
        await person.boot();
        await person.prompt();
        const size = () => person.see(() => {
            const { rows, cols } = tierlab.terminal.xterm;
            return `${rows} ${cols}`;
        });
        const command = 'stty size';
        const before = await size();
        await person.type(command);
        await person.shows(before);
        await person.page.setViewport({ width: 1000, height: 700 });
        const after = await person.until('another size', (old) => {
            const { rows, cols } = tierlab.terminal.xterm;
            return `${rows} ${cols}` !== old && `${rows} ${cols}`;
        }, before);
        await pause(200);
        await person.type(command);
        await person.shows(await size());
        return { before, after };
    },

    /* On a screen as small as a telephone's. */
    async small(person) {
        await person.page.setViewport({ width: 360, height: 740 });
        await person.open();
        await person.ready();
        const idle = await first(person);
        await person.boot();
        await person.prompt();
        await pause(300);
        await person.shot('small.png');
        return { idle, wide: (await first(person)).wide,
                 facts: await person.facts() };
    },

    /* Once loaded and booted, no network is needed. */
    async offline(person) {
        await person.open();
        await person.ready();
        await person.until('a service worker', () =>
            navigator.serviceWorker.ready.then((r) => Boolean(r.active)));
        await person.page.reload();
        await person.ready();
        await person.boot();
        await person.prompt();
        await parentDoes('the server stops');
        await person.page.reload();
        await person.ready();
        await pause(1500);
        /* When all files are kept, the page expects a boot without a click. */
        const isExpected = await person.see(() => tierlab.ahead.run !== null);
        await person.boot();
        await person.prompt();
        return { ...await person.facts(), isExpected };
    },

    /* On a host that sends no headers, below a folder. */
    async fallback(person) {
        await person.open();
        await person.ready();
        await person.boot();
        await person.prompt();
        return person.facts();
    },

    /*
     * A folder of the site's and one of the person's own in the guest; and their content
     * afterwards, as the page hands it out.
     */
    async folders(person) {
        await person.open('#disk=none');
        await person.ready();
        const offered = await person.see(() => ({
            checked: [.../** @type {NodeListOf<HTMLInputElement>} */ (
                document.querySelectorAll('#folders input'))].map((e) => e.checked),
        }));
        const names = await person.texts('#folders .name');
        const workloads = await person.texts('#workload option');
        if (options.browser === 'chromium') {
            const input = /** @type {ElementHandle<HTMLInputElement>} */ (
                await person.page.$('#folder-input'));
            await input.uploadFile(options.folder ?? '');
        } else {
            /* In Firefox a program can give files only. */
            await give(person, 'folder-input', 'one', 'one');
        }
        await person.until('a folder of one\'s own', () =>
            document.querySelectorAll('#folders .choice').length === 3);
        await person.click('folder-empty');
        await person.until('an empty one', () =>
            document.querySelectorAll('#folders .choice').length === 4);
        await person.see(() => /** @type {HTMLElement | null} */ (
            document.querySelector('#folders [aria-label="Remove new"]'))?.click());
        await person.shot('folders.png');
        const command = await person.text('command');
        await person.boot();
        await person.prompt();
        for (const line of ['devices', 'ls']) {
            await person.type(line);
            await person.prompt();
        }
        await person.until('a list', () =>
            /fixed/.test(tierlab.terminal.text()) &&
            /free/.test(tierlab.terminal.text()));
        const saved = await archive(person);
        const button = await person.shown('save-files');
        await person.type('poweroff');
        await person.until('the end', () => tierlab.run.isOver);
        const devices = await person.see(() => tierlab.run.devices);
        const atEnd = await archive(person);
        const facts = await person.facts();
        /* One is left out, and stays so. */
        await person.see(() => /** @type {HTMLElement | null} */ (
            document.querySelector('#folders input[type=checkbox]'))?.click());
        const hash = (await person.facts()).hash;
        await person.page.reload();
        await person.ready();
        const kept = await person.see(() => tierlab.settings.shares);
        return { offered: { names, workloads, ...offered }, command, saved, button,
                 devices, atEnd, facts, hash, kept };
    },

    /* The network is off at first; when it is switched on, it stays on. */
    async network(person) {
        await person.open('#share=none&disk=none');
        await person.ready();
        const look = async () => ({
            shown: await person.shown('net-row'),
            on: await person.see(() => /** @type {HTMLInputElement} */ (
                document.getElementById('net')).checked),
            about: await person.text('net-about'),
            command: await person.text('command'),
            workloads: await person.texts('#workload option'),
            hash: await person.see(() => location.hash),
        });
        const off = await look();
        await person.boot();
        await person.prompt();
        await person.type('net');
        await person.shows('no network');
        const without = await person.see(() => tierlab.run.arguments);
        if (!off.shown) {
            return { off, without, facts: await person.facts() };
        }
        await person.click('net');
        const on = await look();
        await person.boot();
        await person.prompt();
        await person.type('net');
        await person.until('an answer', () =>
            /network (open|closed)$/m.test(tierlab.terminal.text()));
        const facts = await person.facts();
        const { argv, devices } = await person.see(() =>
            ({ argv: tierlab.run.arguments, devices: tierlab.run.devices }));
        await person.page.reload();
        await person.ready();
        return { off, without, on, argv, devices, facts, kept: await look() };
    },

    /* A saved machine goes on, does something, and is saved again. */
    async resume(person) {
        await person.open(options.hash);
        await person.ready();
        /** @param {string} id */
        const disabled = (id) => person.see((which) => /** @type {HTMLInputElement} */ (
            document.getElementById(which)).disabled, id);
        const settled = {
            smp: await disabled('machine-params-smp'),
            memory: await person.value('machine-params-memory'),
            workload: await disabled('workload'),
            command: await person.text('command'),
            from: await person.see(() =>
                [.../** @type {NodeListOf<HTMLOptionElement>} */ (
                    document.querySelectorAll('#from option'))].map((e) => e.value)),
        };
        await person.boot();
        await person.until('its going on', () => tierlab.run.reader.reached('resume'));
        await person.until('the prompt', () => tierlab.run.atPrompt);
        await echo(person);
        await person.shot('resume.png');
        const state = await person.see(() => document.body.dataset.state);
        const result = await resultIn(person);
        const button = await person.shown('save-machine');
        const saved = await base64(person, () => tierlab.run.saveMachine());
        await person.until('the end', () => tierlab.run.isOver);
        const failure = await person.see(() => tierlab.run.failure);
        const facts = await person.facts();
        /* The page opens the file that it made. */
        await give(person, 'from-input', 'mine.snap', 'nothing');
        const complaint = await person.until('a complaint', () =>
            document.getElementById('from-error')?.textContent);
        await give(person, 'from-input', 'mine.snap', null);
        await person.until('the file', () => Boolean(tierlab.settings.saved?.blob));
        await person.boot();
        await person.until('its going on', () => tierlab.run.reader.reached('resume'));
        await person.until('the prompt', () => tierlab.run.atPrompt);
        await echo(person);
        const opened = await person.see(() => ({
            argv: tierlab.run.arguments, hash: location.hash,
            devices_at: tierlab.run.saved?.devices_at,
        }));
        return { settled, state, button, saved, complaint, opened, failure, facts,
                 result };
    },

    /* A policy that starts from what an earlier boot executed. */
    async profile(person) {
        await person.open('#tier=profile&share=none');
        await person.ready();
        await person.click('boot');
        await pause(300);
        const refused = { runs: await person.see(() => Boolean(tierlab.run)),
                          says: await person.text('profile-error') };
        await give(person, 'profile-input', 'seed.profile', 'nonsense');
        await person.until('a complaint', () => document.getElementById('profile-error')
            ?.textContent.includes('neither'));
        await give(person, 'profile-input', 'seed.profile',
                   'tierlab-profile 1\n0000000000000001 5\n');
        await person.until('a profile', () => Boolean(tierlab.settings.profile));
        const command = await person.text('command');
        await person.boot();
        await person.prompt();
        return { refused, command, facts: await person.facts(),
                 files: await person.see(() =>
                     /** @type {Fake} */ (tierlab.run.machine).options.files.map(
                         ({ path }) => path)) };
    },

    /* A disk of the site's and one of the person's own. */
    async disks(person) {
        await person.open('#share=none');
        await person.ready();
        await give(person, 'disk-input', 'odd.img', '\0'.repeat(513));
        const complaint = await person.until('a complaint', () =>
            document.getElementById('folder-error')?.textContent);
        await give(person, 'disk-input', 'mine.img', '\0'.repeat(1024));
        await person.until('a second disk', () =>
            document.querySelectorAll('#disks .choice').length === 2);
        const look = async () => ({
            names: await person.texts('#disks .name'),
            abouts: await person.texts('#disks .about'),
            command: await person.text('command'),
            workloads: await person.texts('#workload option'),
        });
        const both = await look();
        await person.boot();
        await person.prompt();
        const run = await person.see(() => ({
            argv: tierlab.run.arguments, devices: tierlab.run.devices,
            disks: /** @type {Fake} */ (tierlab.run.machine).options.disks?.map(
                ({ path, index, blob }) => [path, index?.url ?? blob?.size]),
        }));
        await person.type('poweroff');
        await person.until('the end', () => tierlab.run.isOver);
        const left = await person.see(() => Promise.all(tierlab.run.leftDisks.map(
            async (one) => {
                const image = await tierlab.run.diskImage(one);
                const text = (await image.text()).replaceAll('\0', '');
                return [one.disk.name, image.size, text];
            })));
        const button = await person.shown('save-disks');
        /* Without the site's disk, the own disk is the first. */
        await person.see(() => /** @type {HTMLElement | null} */ (
            document.querySelector('#disks input'))?.click());
        return { complaint, both, run, left, button, one: await look(),
                 facts: await person.facts() };
    },

    /* A machine that is ended in order leaves its statistics. */
    async stop(person) {
        await person.open('#share=none&disk=none');
        await person.ready();
        await person.boot();
        await person.prompt();
        await person.click('stop');
        await person.until('the end', () => tierlab.run.isOver);
        return { state: await person.see(() => document.body.dataset.state),
                 stats: await person.see(() => Boolean(tierlab.run.ended?.statsFile)),
                 facts: await person.facts() };
    },

    /* Commands of the parent process in a real guest, and its folders afterwards. */
    async script(person) {
        await person.open(options.hash);
        await person.ready();
        await person.boot();
        await person.prompt();
        await person.type(options.type ?? '');
        await person.within(SCRIPT_MS, 'its end', () =>
            /^status \d+$/m.test(tierlab.terminal.text()));
        await person.shot('script.png');
        const notice = await person.text('notice');
        const keeps = await person.see(() => tierlab.run.keeps);
        const saved = keeps && await archive(person);
        await person.click('stop');
        await person.until('the end', () => tierlab.run.isOver);
        const disks = [];
        for (let n = 0; n < await person.see(() => tierlab.run.leftDisks.length); n++) {
            await person.see((number) => { globalThis.wanted = number; }, n);
            disks.push([
                await person.see(() => tierlab.run.leftDisks[wanted].disk.name),
                await base64(person, () =>
                    tierlab.run.diskImage(tierlab.run.leftDisks[wanted])),
            ]);
        }
        return { saved, disks, notice, atEnd: keeps && await archive(person),
                 facts: await person.facts() };
    },

    /* A boot to its end, and the result. */
    async result(person) {
        await person.open();
        await person.ready();
        await person.choose('workload', 'none');
        await person.click('boot');
        await person.until('the end', () => tierlab.run?.isOver);
        const result = await resultIn(person);
        return { result, facts: await person.facts() };
    },
};

/**
 * Give a file to an input of the page: this text, or the Blob that base64() asked for.
 *
 * @param {Person} person
 * @param {string} id
 * @param {string} name
 * @param {string | null} text
 */
function give(person, id, name, text) {
    return person.see(async (which, called, content) => {
        const data = new DataTransfer();
        data.items.add(new File([content ?? await globalThis.given], called));
        const found = document.getElementById(which);
        const input = /** @type {HTMLInputElement} */ (found);
        input.files = data.files;
        input.dispatchEvent(new Event('change'));
    }, id, name, text);
}

/**
 * The result of the page's run, as the page would save it.
 *
 * @param {Person} person
 */
async function resultIn(person) {
    const text = await person.see(async () => {
        const main = document.querySelector('script[type=module]');
        const { src } = /** @type {HTMLScriptElement} */ (main);
        /** @type {typeof import('../app/result.mjs')} */
        const { resultOf } = await import(new URL('result.mjs', src).href);
        return JSON.stringify(await resultOf(tierlab.run));
    });
    return JSON.parse(text);
}

/**
 * The content of a Blob of the page's.
 *
 * @param {Person} person
 * @param {() => Promise<Blob>} blob runs in the page
 */
async function base64(person, blob) {
    await person.see(`globalThis.given = (${blob})()`);
    return person.see(async () => {
        const bytes = new Uint8Array(await (await globalThis.given).arrayBuffer());
        let text = '';
        for (let at = 0; at < bytes.length; at += 8192) {
            text += String.fromCharCode(...bytes.subarray(at, at + 8192));
        }
        return btoa(text);
    });
}

/**
 * What `Save files` gives.
 *
 * @param {Person} person
 */
const archive = (person) => base64(person, () => tierlab.run.archive());

/** @param {string} spec */
function parse(spec) {
    const [name, rest = ''] = spec.split(':');
    const pairs = rest.split(',').filter(Boolean).map((p) => p.split('='));
    return { name, values: Object.fromEntries(pairs) };
}

const { browser = '', binary = '', library = '', url = '', shots } = options;
atPage({ browser, binary, library, url, shots },
       (person) => SCENARIOS[options.scenario ?? ''](person));
