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
 * The second form runs no QEMU, but the probe of ../js/probe.mjs in the browser.
 *
 * The browser starts first, with an empty profile, and shows a page that waits. Then
 * this program tells the page to start the machine. That is when the boot begins, as it
 * does in a user's page with a click: the report has this time, as ready_epoch_ms, and
 * what the browser's processes used from then on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../js/errors.mjs';
import { ControlSocket, controlPart } from '../node/control.mjs';
import { filesPart, shared } from '../node/files.mjs';
import { livePart } from '../node/live.mjs';
import { EXIT_SETUP, EXIT_USAGE, fail, writeAll } from '../node/host.mjs';
import { NO_PROGRAM, noSettings, parse } from '../node/options.mjs';
import { reportsPart } from '../node/reports.mjs';
import { BROWSERS, Browser, libraryIn } from './launch.mjs';
import { CONSOLE, CONTROL, packed, unpacked } from './page/channel.mjs';
import { endAll, usage } from './processes.mjs';
import { Server } from './server.mjs';

/** @import { IncomingMessage } from 'node:http' */
/** @import { Duplex } from 'node:stream' */
/** @import { RawData, WebSocket } from 'ws' */
/** @import { Part, Settings } from '../node/part.d.ts' */
/** @import { Ended, ToDriver, ToPage } from './page/channel.mjs' */

/**
 * What the command line says beside Node's settings.
 *
 * @typedef {object} OwnSettings
 * @property {string} browser
 * @property {string} binary
 * @property {string} library
 * @property {string} profile
 * @property {string[]} flags the engine's flags
 * @property {string} [report] file for the report
 * @property {string} [probe] MODULES,CODE_MIB
 */

/** @typedef {Settings & OwnSettings} BrowserSettings */

/**
 * What is known of a run.
 *
 * @typedef {object} Report
 * @property {number} [ready_epoch_ms] when the boot began
 * @property {number} [end_epoch_ms]
 * @property {ToDriver['started']} [page] the machine's milestones
 * @property {ReturnType<typeof usage>} [usage] resources used since the boot began
 */

const BENCH = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = 'engines/browsers/page/bench.html';
const EXIT_ABORTED = 134;
/* How long a better reason for the page's end may take to arrive. */
const WHY_MS = 500;
const QUIT_KEYS = Buffer.from([1, 0x78]);

/** @type {Part<BrowserSettings>} */
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
    /** @type {BrowserSettings} */
    const none = { ...noSettings(), browser: '', binary: '', library: '', profile: '',
                   flags: [] };
    const settings = parse(process.argv.slice(2),
                           [ownPart, filesPart, reportsPart, controlPart,
                            { options: livePart.options }], none);
    if (!BROWSERS.includes(settings.browser)) {
        fail(EXIT_USAGE, `--browser takes one of ${BROWSERS.join(', ')}`);
    }
    for (const name of /** @type {const} */ (['binary', 'library'])) {
        if (!settings[name]) {
            fail(EXIT_USAGE, `no --${name}`);
        }
    }
    settings.profile ||= fs.mkdtempSync(path.join(os.tmpdir(), 'tierlab-'));
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
    /** @param {BrowserSettings} settings */
    constructor(settings) {
        this.settings = settings;
        this.server = new Server({
            'engines/js': path.join(BENCH, 'engines/js'),
            'engines/web': path.join(BENCH, 'engines/web'),
            'engines/browsers/page': path.join(BENCH, 'engines/browsers/page'),
            ...settings.program && { qemu: path.dirname(settings.program) },
        });
        this.browser = new Browser(settings, (why) => void this.fail(why));
        /** @type {Report} */
        this.report = {};
        /**
         * What the page complained about.
         *
         * @type {string[]}
         */
        this.troubles = [];
        this.isOver = false;
        /** @type {WebSocket | null} */
        this.socket = null;
        /** @type {ControlSocket | null} */
        this.control = null;
        this.attached = () => {};
        /**
         * What the browser's processes had used when the boot began.
         *
         * @type {ReturnType<typeof usage> | null}
         */
        this.before = null;
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
        const socket = await page;
        this.socket = socket;
        socket.on('message', (data, isBinary) => this.receive(data, isBinary));
        socket.on('close', () => void this.pageGone());
        if (this.settings.probe) {
            const [modules, code_mib] =
                this.settings.probe.split(',').map(Number);
            this.say({ type: 'probe', value: { modules, code_mib } });
            return;
        }
        const boot = this.boot();
        this.before = usage();
        this.report.ready_epoch_ms = now();
        /* A driver that is killed leaves at least when the boot began. */
        this.saveReport();
        this.say({ type: 'start', value: boot });
    }

    /**
     * Resolves with the first WebSocket that the page opens.
     *
     * @returns {Promise<WebSocket>}
     */
    async waitForPage() {
        /** @type {typeof import('ws')} */
        const { WebSocketServer } = libraryIn(this.settings.library)('ws');
        const sockets = new WebSocketServer({ noServer: true,
                                              perMessageDeflate: false });
        /** @type {Promise<[IncomingMessage, Duplex, Buffer]>} */
        const first = new Promise((resolve) => {
            this.server.upgrades.set('channel',
                                     (...given) => resolve(given));
        });
        const [request, socket, head] = await first;
        this.server.upgrades.delete('channel');
        request.socket.setNoDelay(true);
        return new Promise((resolve) =>
            sockets.handleUpgrade(request, socket, head, resolve));
    }

    /**
     * What machine.mjs is given, and where the page leaves QEMU's files.
     *
     * @returns {import('./page/channel.mjs').Boot}
     */
    boot() {
        const { settings, server } = this;
        const program = String(settings.program);
        const relay = process.env.TIERLAB_NETWORK;
        const left = Object.fromEntries(settings.fetch.map(
            ([to, from]) => [from, server.take(to)]));
        if (settings.stats) {
            left.stats = server.take(settings.stats);
        }
        const files = [...settings.files, ...shared(program)];
        const live = Object.entries(settings.live ?? {});
        const missing = [...files, ...live].find(([from]) => !fs.existsSync(from));
        if (missing) {
            throw new Error(`cannot read ${missing[0]}: ENOENT`);
        }
        return {
            left,
            options: {
                program: `${server.base}qemu/${path.basename(program)}`,
                files: files.map(([from, to]) =>
                    ({ path: to, url: server.offer(from) })),
                disks: live.map(([from, writable]) => ({
                    path: from, name: path.basename(from), readonly: !writable,
                    url: server.offer(from), bytes: fs.statSync(from).size,
                })),
                env: Object.fromEntries(settings.env),
                arguments: settings.qemu,
                network: relay ? server.tunnel('network', relay) : undefined,
                stats: Boolean(settings.stats),
                fetch: settings.fetch.map(([, from]) => from),
            },
        };
    }

    /** @param {ToPage} message */
    say(message) {
        this.socket?.send(JSON.stringify(message));
    }

    /**
     * @param {RawData} data
     * @param {boolean} isBinary
     */
    receive(data, isBinary) {
        /* Such a WebSocket gives a Buffer unless it is told otherwise. */
        const message = /** @type {Buffer} */ (data);
        if (!isBinary) {
            this.take(JSON.parse(message.toString()));
            return;
        }
        const { channel, bytes } = unpacked(message);
        if (channel === CONSOLE) {
            writeAll(1, bytes);
        } else {
            this.control?.output(bytes);
        }
    }

    /**
     * @param {{ [T in keyof ToDriver]: { type: T, value: ToDriver[T] } }[
     *     keyof ToDriver]} message
     */
    take(message) {
        switch (message.type) {
        case 'error':
            writeAll(2, Buffer.from(`${message.value}\n`));
            break;
        case 'trouble':
            this.troubles.push(message.value);
            break;
        case 'timeline':
            if (this.timeline !== null) {
                const line = `${JSON.stringify(message.value)}\n`;
                writeAll(this.timeline, Buffer.from(line));
            }
            break;
        case 'started':
            this.started(message.value);
            break;
        case 'attached':
            this.attached();
            break;
        case 'failed':
            void this.fail(`QEMU did not start: ${message.value}`);
            break;
        case 'ended':
            this.ended(message.value);
            break;
        case 'probe':
            writeAll(1, Buffer.from(`${JSON.stringify(message.value)}\n`));
            if ('found' in message.value) {
                void this.end(0);
            }
            break;
        }
    }

    /** @param {ToDriver['started']} times */
    started(times) {
        this.report.page = times;
        process.stdin.on('data', (/** @type {Buffer} */ bytes) => this.input(bytes));
        process.stdin.on('error', () => {});
        if (this.settings.control) {
            this.control = new ControlSocket({
                attach: (attached) => this.attach(attached),
                input: (bytes) => this.socket?.send(packed(CONTROL, bytes)),
            });
            this.control.listen(this.settings.control);
        }
    }

    /** @param {Uint8Array} bytes */
    input(bytes) {
        this.socket?.send(packed(CONSOLE, bytes));
    }

    /**
     * Begin or end a session of the control channel.
     *
     * @param {boolean} attached
     * @returns {Promise<void>}
     */
    attach(attached) {
        /** @type {Promise<void>} */
        const done = new Promise((resolve) => { this.attached = resolve; });
        this.say({ type: 'attach', value: attached });
        return done;
    }

    /** @param {Ended} ended */
    ended({ status, aborted }) {
        if (aborted) {
            void this.fail(aborted, EXIT_ABORTED);
        } else {
            void this.end(status);
        }
    }

    /** QEMU gets no signals in a browser, but the keys that quit it, once it runs. */
    stop() {
        if (this.report.page) {
            this.input(QUIT_KEYS);
        } else {
            void this.fail('ended before QEMU started');
        }
    }

    /** The WebSocket is closed; a better reason may arrive soon. */
    async pageGone() {
        await pause(WHY_MS);
        const last = this.troubles.at(-1);
        await this.fail(`the page is gone${last ? `: ${last}` : ''}`);
    }

    /** @param {string} why */
    async fail(why, status = EXIT_SETUP) {
        if (!this.isOver) {
            process.stderr.write(`tierlab: ${why.split('\n')[0]}\n`);
            await this.end(status);
        }
    }

    /**
     * End the browser, and then this program.
     *
     * @param {number | null} status
     */
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
driver.run().catch((e) => driver.fail(messageOf(e)));
