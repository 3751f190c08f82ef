/*
 * Starts a browser with a profile of its own, and opens a page in it. We start
 * it ourselves, not puppeteer: it has to be in our process group and to die
 * with us, whatever we die of.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/* Of what a browser says; it is only shown when it failed. */
const KEPT = 64 * 1024;

/* Then it is killed. */
const CLOSE_MS = 3000;

/* Lines that are worth reading: browsers complain of much that is normal. */
const TELLING = /fatal|no usable sandbox|cannot open|while loading shared/i;

const V8_REFUSES = /^Error: ((?:unrecognized|illegal|missing) .*)/m;

/* It says nothing to anybody but us. */
const QUIET = ['--disable-quic', '--no-first-run',
               '--disable-background-networking',
               '--disable-component-update', '--disable-sync',
               '--disable-crash-reporter', '--disable-breakpad'];

const KINDS = {
    chromium: {
        title: 'Chromium',
        connection: {},
        /*
         * With DevTools attached V8 takes down the stack of each exception that
         * is thrown, and QEMU leaves its generated code by exceptions: a third of
         * the vCPU's time in a boot.
         */
        leaves: true,
        listening: /^DevTools listening on (ws:\/\/\S+)/m,
        endpoint: (url) => url,
        prepare(library, { profile, flags }) {
            const asRoot = process.getuid() === 0 ? ['--no-sandbox'] : [];
            const puppeteer = library('puppeteer-core');
            return puppeteer.default.defaultArgs({
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
            const { createProfile } = library('@puppeteer/browsers');
            await createProfile('firefox', {
                path: profile,
                preferences: Object.fromEntries(flags.map(preference)),
            });
            const puppeteer = library('puppeteer-core');
            return puppeteer.default.defaultArgs({
                browser: 'firefox', headless: true, userDataDir: profile,
                args: ['--remote-debugging-port=0'],
            });
        },
    },
};

export const BROWSERS = Object.keys(KINDS);

/* NAME=VALUE, where the value is a boolean, a number or text. */
function preference(flag) {
    const at = flag.indexOf('=');
    const text = flag.slice(at + 1);
    const isPlain = /^(true|false|-?\d+)$/.test(text);
    return [flag.slice(0, at), isPlain ? JSON.parse(text) : text];
}

/* Modules of the product, which is somewhere else than this file. */
export function libraryIn(folder) {
    return createRequire(path.resolve(folder, 'package.json'));
}

export class Browser {
    /* @lost is called with the reason when it ends before it is ended. */
    constructor({ browser, binary, library, profile, flags }, lost) {
        this.kind = KINDS[browser];
        this.binary = binary;
        this.library = libraryIn(library);
        this.profile = profile;
        this.flags = flags;
        this.lost = lost;
        this.said = '';
        this.gone = Promise.withResolvers();
    }

    async start() {
        const args = await this.kind.prepare(this.library, this);
        this.child = spawn('setpriv', ['--pdeathsig', 'KILL', '--',
                                       this.binary, ...args],
                           { stdio: ['ignore', 'pipe', 'pipe'],
                             env: this.environment() });
        const ended = Promise.withResolvers();
        this.child.on('error', (e) =>
            ended.reject(new Error(`cannot run ${this.binary}: ${e.code}`)));
        this.child.on('exit', (status, signal) => {
            const why = `${this.kind.title} ended by itself: ` +
                (signal ?? `status ${status}`) + this.reason();
            ended.reject(new Error(why));
            this.gone.resolve();
            this.lost(why);
        });
        const listening = Promise.withResolvers();
        for (const pipe of [this.child.stdout, this.child.stderr]) {
            pipe.setEncoding('utf8').on('data', (text) => {
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

    async connect() {
        const puppeteer = this.library('puppeteer-core');
        this.connection = await puppeteer.default.connect({
            ...this.kind.connection,
            browserWSEndpoint: this.kind.endpoint(this.url),
            defaultViewport: null,
        });
    }

    /* Be in nobody's way, if we can be: see KINDS. */
    async leave() {
        if (this.kind.leaves) {
            await this.connection.disconnect();
            this.connection = null;
        }
    }

    /* Titles of its pages; does not connect to it. */
    async titles() {
        if (this.connection) {
            const pages = await this.connection.pages();
            return Promise.all(pages.map((page) => page.title()));
        }
        const answer = await fetch(new URL('/json/list', this.url.replace('ws', 'http')));
        return (await answer.json()).map(({ title }) => title);
    }

    /* Nothing of it is to be anywhere but in its profile. */
    environment() {
        return { ...process.env, HOME: this.profile,
                 XDG_CONFIG_HOME: this.profile, XDG_CACHE_HOME: this.profile };
    }

    /*
     * Opens it; @trouble is told what the page or its console complain of while
     * we are attached to it.
     */
    async open(url, trouble) {
        const [first] = await this.connection.pages();
        const page = first ?? await this.connection.newPage();
        page.on('error', (e) => this.lost(`the page crashed: ${e.message}`));
        page.on('pageerror', (e) => trouble(e.message ?? String(e)));
        page.on('console', (message) => {
            if (message.type() === 'error') {
                trouble(message.text());
            }
        });
        await page.goto(url);
        /* The browser goes on without it, and so would the experiment. */
        const [, wrong] = this.said.match(V8_REFUSES) ?? [];
        if (wrong) {
            throw new Error(`V8 refuses --js-flags: ${wrong}`);
        }
        await this.leave();
    }

    /* What it said last that may be why. */
    reason() {
        const lines = this.said.split('\n').map((line) => line.trim())
            .filter((line) => TELLING.test(line));
        return lines.length ? ` (${lines.at(-1).slice(0, 300)})` : '';
    }

    /* Ask it to end, which it does in order: it leaves no process behind. */
    async close() {
        this.lost = () => {};
        if (!this.connection) {
            this.child?.kill('SIGTERM');
        }
        await Promise.race([this.connection?.close().catch(() => {}) ??
                                this.gone.promise,
                            pause(CLOSE_MS)]);
    }

    /* Its profile; to be called when it is gone. */
    removeProfile() {
        fs.rmSync(this.profile, { recursive: true, force: true,
                                  maxRetries: 10, retryDelay: 20 });
    }
}
