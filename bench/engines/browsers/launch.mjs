/*
 * Starts a browser with a profile of its own, and opens a page in it. This program
 * starts the browser, and not puppeteer, because the browser must be in this process's
 * group and die with this process, whatever the reason.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../js/errors.mjs';
import { codeOf } from '../node/host.mjs';

/** @import * as Puppeteer from 'puppeteer-core' */

/**
 * What a kind of browser's start depends on.
 *
 * @typedef {object} Start
 * @property {string} profile folder of the browser's profile
 * @property {string[]} flags the engine's flags
 */

/**
 * @typedef {object} Kind
 * @property {string} title
 * @property {Pick<Puppeteer.ConnectOptions, 'protocol'>} connection
 * @property {boolean} leaves whether leave() disconnects from the browser
 * @property {RegExp} listening the line that tells where the browser listens
 * @property {(url: string) => string} endpoint
 * @property {(library: NodeJS.Require, start: Start) => string[] | Promise<string[]>}
 *     prepare makes the profile ready, and gives the browser's arguments
 */

/**
 * @typedef {object} Choice
 * @property {string} browser one of BROWSERS
 * @property {string} binary
 * @property {string} library folder with the driver's packages
 * @property {string} profile
 * @property {string[]} flags
 */

/* How many characters of the browser's output are kept, to be shown if it fails. */
const KEPT = 64 * 1024;

/* How long a browser may take to close before it is killed. */
const CLOSE_MS = 3000;

/* Lines of the browser's output that may tell a fault; most lines are normal. */
const TELLING = /fatal|no usable sandbox|cannot open|while loading shared/i;

const V8_REFUSES = /^Error: ((?:unrecognized|illegal|missing) .*)/m;

/* Chromium's flags against connections to anybody but this program. */
const QUIET = ['--disable-quic', '--no-first-run',
               '--disable-background-networking',
               '--disable-component-update', '--disable-sync',
               '--disable-crash-reporter', '--disable-breakpad'];

/**
 * @param {NodeJS.Require} library
 * @returns {typeof Puppeteer}
 */
const puppeteerOf = (library) => library('puppeteer-core');

/** @type {Record<string, Kind>} */
const KINDS = {
    chromium: {
        title: 'Chromium',
        connection: {},
        /*
         * With DevTools attached, V8 records the stack of each exception that is
         * thrown. QEMU leaves its generated code by exceptions, and so this costs a
         * third of the vCPU's time in a boot.
         */
        leaves: true,
        listening: /^DevTools listening on (ws:\/\/\S+)/m,
        endpoint: (url) => url,
        prepare(library, { profile, flags }) {
            const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
            return puppeteerOf(library).default.defaultArgs({
                headless: true,
                userDataDir: profile,
                args: [...QUIET, ...asRoot, '--remote-debugging-port=0',
                       ...flags],
            });
        },
    },
    firefox: {
        title: 'Firefox',
        leaves: false,
        connection: { protocol: 'webDriverBiDi' },
        listening: /^WebDriver BiDi listening on (ws:\/\/\S+)/m,
        endpoint: (url) => `${url}/session`,
        async prepare(library, { profile, flags }) {
            /** @type {typeof import('@puppeteer/browsers')} */
            const { Browser: Names, createProfile } = library('@puppeteer/browsers');
            await createProfile(Names.FIREFOX, {
                path: profile,
                preferences: Object.fromEntries(flags.map(preference)),
            });
            return puppeteerOf(library).default.defaultArgs({
                browser: 'firefox', headless: true, userDataDir: profile,
                args: ['--remote-debugging-port=0'],
            });
        },
    },
};

export const BROWSERS = Object.keys(KINDS);

/**
 * A preference of Firefox, of NAME=VALUE. The value is a boolean, a number or text.
 *
 * @param {string} flag
 * @returns {[string, boolean | number | string]}
 */
function preference(flag) {
    const at = flag.indexOf('=');
    const text = flag.slice(at + 1);
    const isPlain = /^(true|false|-?\d+)$/.test(text);
    return [flag.slice(0, at), isPlain ? JSON.parse(text) : text];
}

/**
 * Loads modules of a product, which is in another folder than this file.
 *
 * @param {string} folder
 */
export function libraryIn(folder) {
    return createRequire(path.resolve(folder, 'package.json'));
}

export class Browser {
    /**
     * @param {Choice} choice
     * @param {(why: string) => void} lost called when the browser ends by itself
     */
    constructor({ browser, binary, library, profile, flags }, lost) {
        this.kind = KINDS[browser];
        this.binary = binary;
        this.library = libraryIn(library);
        this.profile = profile;
        this.flags = flags;
        this.lost = lost;
        /* The end of the browser's output. */
        this.said = '';
        this.gone = /** @type {PromiseWithResolvers<void>} */ (
            Promise.withResolvers());
        /** @type {import('node:child_process').ChildProcess | null} */
        this.child = null;
        /** @type {Puppeteer.Browser | null} */
        this.connection = null;
        this.url = '';
    }

    /** Start the browser, and connect to it. */
    async start() {
        const args = await this.kind.prepare(this.library, this);
        const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--',
                                       this.binary, ...args],
                           { stdio: ['ignore', 'pipe', 'pipe'],
                             env: this.environment() });
        this.child = child;
        /** @type {PromiseWithResolvers<never>} */
        const ended = Promise.withResolvers();
        child.on('error', (e) =>
            ended.reject(new Error(`cannot run ${this.binary}: ${codeOf(e)}`)));
        child.on('exit', (status, signal) => {
            const why = `${this.kind.title} ended by itself: ` +
                (signal ?? `status ${status}`) + this.reason();
            ended.reject(new Error(why));
            this.gone.resolve();
            this.lost(why);
        });
        /** @type {PromiseWithResolvers<string>} */
        const listening = Promise.withResolvers();
        for (const pipe of [child.stdout, child.stderr]) {
            pipe.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
                this.said = (this.said + text).slice(-KEPT);
                const found = this.said.match(this.kind.listening);
                if (found) {
                    listening.resolve(found[1]);
                }
            });
        }
        ended.promise.catch(() => {});
        this.url = await Promise.race([listening.promise, ended.promise]);
        await this.connect();
    }

    /** Connect to the browser; all its pages can be driven from then on. */
    async connect() {
        this.connection = await puppeteerOf(this.library).default.connect({
            ...this.kind.connection,
            browserWSEndpoint: this.kind.endpoint(this.url),
            defaultViewport: null,
        });
    }

    /** Disconnect from a browser which a connection slows down: see KINDS. */
    async leave() {
        if (this.kind.leaves) {
            await this.connection?.disconnect();
            this.connection = null;
        }
    }

    /** The titles of the browser's pages; does not connect to the browser. */
    async titles() {
        if (this.connection) {
            const pages = await this.connection.pages();
            return Promise.all(pages.map((page) => page.title()));
        }
        const answer = await fetch(new URL('/json/list', this.url.replace('ws', 'http')));
        /** @type {{ title: string }[]} */
        const pages = await answer.json();
        return pages.map(({ title }) => title);
    }

    /** The browser's variables: it may write nowhere but into its profile. */
    environment() {
        return { ...process.env, HOME: this.profile,
                 XDG_CONFIG_HOME: this.profile, XDG_CACHE_HOME: this.profile };
    }

    /** The connection; an Error if there is none. */
    get connected() {
        if (!this.connection) {
            throw new Error(`${this.kind.title} is not connected`);
        }
        return this.connection;
    }

    /**
     * Open a page.
     *
     * @param {string} url
     * @param {(text: string) => void} trouble gets the errors of the page and of its
     *     console, as long as there is a connection
     */
    async open(url, trouble) {
        const [first] = await this.connected.pages();
        const page = first ?? await this.connected.newPage();
        page.on('error', (e) => this.lost(`the page crashed: ${e.message}`));
        page.on('pageerror', (e) => trouble(messageOf(e)));
        page.on('console', (message) => {
            if (message.type() === 'error') {
                trouble(message.text());
            }
        });
        await page.goto(url);
        /* Chromium goes on without a flag that V8 refuses, but the experiment must not. */
        const [, wrong] = this.said.match(V8_REFUSES) ?? [];
        if (wrong) {
            throw new Error(`V8 refuses --js-flags: ${wrong}`);
        }
        await this.leave();
    }

    /** The last line of the browser's output that may tell why it ended. */
    reason() {
        const line = this.said.split('\n').map((text) => text.trim())
            .findLast((text) => TELLING.test(text));
        return line ? ` (${line.slice(0, 300)})` : '';
    }

    /** Ask the browser to end in order, so that it leaves no process behind. */
    async close() {
        this.lost = () => {};
        if (!this.connection) {
            this.child?.kill('SIGTERM');
        }
        await Promise.race([this.connection?.close().catch(() => {}) ??
                                this.gone.promise,
                            pause(CLOSE_MS)]);
    }

    /** Remove the profile; to be called when the browser is gone. */
    removeProfile() {
        fs.rmSync(this.profile, { recursive: true, force: true,
                                  maxRetries: 10, retryDelay: 20 });
    }
}
