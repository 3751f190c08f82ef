/*
 * Runs a QEMU that was built for Wasm in a browser, as ../node/run.mjs does in
 * Node: console on stdin and stdout, the same exit statuses.
 *
 *   node run.mjs --browser chromium|firefox --binary FILE --library DIR
 *        --program FILE.js [--profile DIR] [--report OUT.json] [--flag FLAG]...
 *        [and all that Node's runner takes] -- QEMU_ARGS...
 *   node run.mjs --probe MODULES,CODE_MIB --browser ... --binary ...
 *        --library ...
 *
 * The second form runs no QEMU: it is node/probe.mjs for a browser.
 *
 * The browser is started first, with an empty profile, and shows a page that
 * waits. Then the page is told to start the machine, and that is when the boot
 * begins, as it does in a user's page on a click: the report has the time, as
 * ready_epoch_ms, and what the browser's processes used from then on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ControlSocket, controlPart } from '../node/control.mjs';
import { filesPart, shared } from '../node/files.mjs';
import { EXIT_SETUP, EXIT_USAGE, fail, writeAll } from '../node/host.mjs';
import { NO_PROGRAM, parse } from '../node/options.mjs';
import { reportsPart } from '../node/reports.mjs';
import { BROWSERS, Browser, libraryIn } from './launch.mjs';
import { CONSOLE, CONTROL, packed, unpacked } from './page/channel.mjs';
import { endAll, usage } from './processes.mjs';
import { Server } from './server.mjs';

const BENCH = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = 'engines/browsers/page/bench.html';
const EXIT_ABORTED = 134;
const WHY_MS = 500;
const QUIT_KEYS = Buffer.from([1, 0x78]);

const ownPart = {
    options: {
        '--browser': (settings, name) => { settings.browser = name; },
        '--binary': (settings, file) => { settings.binary = file; },
        '--library': (settings, folder) => { settings.library = folder; },
        '--profile': (settings, folder) => { settings.profile = folder; },
        '--report': (settings, file) => { settings.report = file; },
        '--probe': (settings, most) => { settings.probe = most; },
        '--flag': (settings, flag) => { settings.flags.push(flag); },
    },
};

function readSettings() {
    const settings = parse(process.argv.slice(2),
                           [ownPart, filesPart, reportsPart, controlPart],
                           { flags: [], files: [], fetch: [], env: [] });
    if (!BROWSERS.includes(settings.browser)) {
        fail(EXIT_USAGE, `--browser takes one of ${BROWSERS.join(', ')}`);
    }
    for (const name of ['binary', 'library']) {
        if (!settings[name]) {
            fail(EXIT_USAGE, `no --${name}`);
        }
    }
    settings.profile ??= fs.mkdtempSync(path.join(os.tmpdir(), 'tierlab-'));
    if (settings.probe) {
        return settings;
    }
    if (!settings.program) {
        fail(EXIT_USAGE, NO_PROGRAM);
    }
    settings.program = path.resolve(settings.program);
    if (!fs.existsSync(settings.program)) {
        fail(EXIT_SETUP, `${settings.program} does not exist; ` +
             `run './tierlab build'`);
    }
    return settings;
}

class Driver {
    constructor(settings) {
        this.settings = settings;
        this.server = new Server({
            'engines/js': path.join(BENCH, 'engines/js'),
            'engines/web': path.join(BENCH, 'engines/web'),
            'engines/browsers/page': path.join(BENCH, 'engines/browsers/page'),
            ...settings.program && { qemu: path.dirname(settings.program) },
        });
        this.browser = new Browser(settings, (why) => this.fail(why));
        this.report = {};
        this.troubles = [];
        this.isOver = false;
        this.timeline = settings.timeline
            ? fs.openSync(settings.timeline, 'w') : null;
        process.once('SIGTERM', () => this.stop());
    }

    async run() {
        const page = this.waitForPage();
        await this.server.listen();
        await this.browser.start();
        await this.browser.open(this.server.base + PAGE,
                                (text) => this.troubles.push(text));
        this.socket = await page;
        this.socket.on('message', (data, isBinary) =>
            this.receive(data, isBinary));
        this.socket.on('close', () => this.pageGone());
        if (this.settings.probe) {
            const [modules, code_mib] =
                this.settings.probe.split(',').map(Number);
            this.say('probe', { modules, code_mib });
            return;
        }
        const options = this.machine();
        this.before = usage();
        this.report.ready_epoch_ms = now();
        /* A driver that is killed leaves at least when the boot began. */
        this.saveReport();
        this.say('start', options);
    }

    /* Resolves with the WebSocket of the page, the first that comes. */
    async waitForPage() {
        const { WebSocketServer } = libraryIn(this.settings.library)('ws');
        const sockets = new WebSocketServer({ noServer: true,
                                              perMessageDeflate: false });
        const [request, socket, head] = await new Promise((resolve) => {
            this.server.upgrades.set('channel',
                                     (...given) => resolve(given));
        });
        this.server.upgrades.delete('channel');
        request.socket.setNoDelay(true);
        return new Promise((resolve) =>
            sockets.handleUpgrade(request, socket, head, resolve));
    }

    /* What machine.mjs wants, and where it is to leave what is asked of it. */
    machine() {
        const { settings, server } = this;
        const relay = process.env.TIERLAB_NETWORK;
        const left = Object.fromEntries(settings.fetch.map(
            ([to, from]) => [from, server.take(to)]));
        if (settings.stats) {
            left.stats = server.take(settings.stats);
        }
        const files = [...settings.files, ...shared(settings.program)];
        const missing = files.find(([from]) => !fs.existsSync(from));
        if (missing) {
            throw new Error(`cannot read ${missing[0]}: ENOENT`);
        }
        return {
            left,
            options: {
                program: `${server.base}qemu/` +
                    path.basename(settings.program),
                files: files.map(([from, to]) =>
                    ({ path: to, url: server.offer(from) })),
                env: Object.fromEntries(settings.env),
                arguments: settings.qemu,
                network: relay && server.tunnel('network', relay),
                stats: Boolean(settings.stats),
                fetch: settings.fetch.map(([, from]) => from),
            },
        };
    }

    say(type, value) {
        this.socket.send(JSON.stringify({ type, value }));
    }

    receive(data, isBinary) {
        if (!isBinary) {
            const { type, value } = JSON.parse(data);
            this[`on_${type}`](value);
            return;
        }
        const { channel, bytes } = unpacked(data);
        if (channel === CONSOLE) {
            writeAll(1, bytes);
        } else {
            this.control?.output(bytes);
        }
    }

    on_error(text) {
        writeAll(2, Buffer.from(`${text}\n`));
    }

    on_trouble(text) {
        this.troubles.push(text);
    }

    on_timeline(line) {
        if (this.timeline !== null) {
            writeAll(this.timeline, Buffer.from(`${JSON.stringify(line)}\n`));
        }
    }

    on_started(times) {
        this.report.page = times;
        process.stdin.on('data', (bytes) => this.input(bytes));
        process.stdin.on('error', () => {});
        if (this.settings.control) {
            this.control = new ControlSocket({
                attach: (attached) => this.attach(attached),
                input: (bytes) => this.socket.send(packed(CONTROL, bytes)),
            });
            this.control.listen(this.settings.control);
        }
    }

    input(bytes) {
        this.socket.send(packed(CONSOLE, bytes));
    }

    attach(attached) {
        const done = new Promise((resolve) => { this.on_attached = resolve; });
        this.say('attach', attached);
        return done;
    }

    on_probe(line) {
        writeAll(1, Buffer.from(`${JSON.stringify(line)}\n`));
        if (line.found) {
            this.end(0);
        }
    }

    on_failed(why) {
        this.fail(`QEMU did not start: ${why}`);
    }

    on_ended({ status, aborted }) {
        if (aborted) {
            this.fail(aborted, EXIT_ABORTED);
        } else {
            this.end(status);
        }
    }

    /* QEMU has no signals there: the keys that quit it, if it runs yet. */
    stop() {
        if (this.report.page) {
            this.input(QUIT_KEYS);
        } else {
            this.fail('ended before QEMU started');
        }
    }

    /* Somebody else may know better why. */
    async pageGone() {
        await pause(WHY_MS);
        const last = this.troubles.at(-1);
        this.fail(`the page is gone${last ? `: ${last}` : ''}`);
    }

    async fail(why, status = EXIT_SETUP) {
        if (!this.isOver) {
            process.stderr.write(`tierlab: ${why.split('\n')[0]}\n`);
            await this.end(status);
        }
    }

    async end(status) {
        if (this.isOver) {
            return;
        }
        this.isOver = true;
        this.writeReport();
        await this.browser.close();
        await endAll();
        this.browser.removeProfile();
        process.exit(status);
    }

    writeReport() {
        const { report, before } = this;
        report.end_epoch_ms = now();
        if (before) {
            const used = usage();
            report.usage = {
                ...used,
                user_ms: Math.max(0, used.user_ms - before.user_ms),
                system_ms: Math.max(0, used.system_ms - before.system_ms),
            };
        }
        this.saveReport();
    }

    saveReport() {
        if (this.settings.report) {
            fs.writeFileSync(this.settings.report, JSON.stringify(this.report));
        }
    }
}

const now = () => performance.timeOrigin + performance.now();

const driver = new Driver(readSettings());
driver.run().catch((e) => driver.fail(e.message));
