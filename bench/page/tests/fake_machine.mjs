/*
 * Stands in for machine.mjs in tests of the page without QEMU: a guest that prints a
 * boot, echoes what is typed, and knows a few commands.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { tar } from '../../engines/js/tar.mjs';

/** @import { Bytes, Ended, MachineFile, MachineFolder, MachineLike, MachineOptions }
 *            from '../../engines/web/types.d.ts' */

/** @typedef {MachineOptions & { files: MachineFile[], folders: MachineFolder[] }} Given */

/** @type {[number, string][]} */
const BOOT = [
    [60, 'OpenSBI v1.6'], [120, 'Linux version 6.12.0-fake (fake)'],
    [40, 'Memory: 256M'], [40, '\x1b[32mgreen\x1b[0m \x1b]0;a title\x07 plain'],
    [120, '@tierlab init guest=0.41'], [30, '@tierlab workload-start guest=0.45'],
    [30, '@tierlab prompt guest=0.47'],
];
const PROMPT = 'tierlab# ';

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** @param {string} s */
const text = (s) => new TextEncoder().encode(s);

export const obstacle = () => '';

/** @param {MachineOptions} options */
export async function start(options) {
    options.signal?.throwIfAborted();
    const [files = [], folders = []] =
        await Promise.all([options.files, options.folders]);
    options.onLoaded?.();
    return new Fake({ ...options, files, folders });
}

/** @implements {MachineLike} */
export class Fake {
    /** @param {Given} options */
    constructor(options) {
        this.options = options;
        /** @type {PromiseWithResolvers<Ended>} */
        const { promise, resolve } = Promise.withResolvers();
        this.ended = promise;
        this.resolve = resolve;
        this.times = { running: Date.now() };
        this.began = performance.now();
        this.line = '';
        /**
         * The terminal's size, as the page told it.
         *
         * @type {string | null}
         */
        this.size = null;
        /**
         * Files that are left at the end.
         *
         * @type {Record<string, Bytes>}
         */
        this.left = {};
        this.ticks = setInterval(() => this.tell(), 50);
        options.signal?.addEventListener('abort', () => this.kill());
    }

    /** @param {string} s */
    say(s) {
        this.options.onOutput?.(text(s));
    }

    async boot() {
        const { env = {}, arguments: argv } = this.options;
        await pause(20);
        for (const [ms, line] of BOOT) {
            await pause(ms);
            this.say(`${line}\r\n`);
        }
        this.say(`tier ${env.TIERLAB_TIER} smp ${argv[argv.indexOf('-smp') + 1]}\r\n`);
        if (argv.join(' ').includes('workload=shell')) {
            this.say(`\x1b[?2048h${PROMPT}`);
        } else {
            this.say('@tierlab workload-end guest=0.6 status=0\r\n');
            this.end(0);
        }
    }

    tell() {
        const t = Math.round(performance.now() - this.began);
        const hot = Math.round(900 * (1 - Math.exp(-t / 400)));
        this.options.onTimeline?.({
            t_ms: t, modules: hot / 10, modules_installed: hot / 9, retired: 0,
            slots: hot, wasm_bytes: hot * 900, tbs_live: hot * 6, tb_flushes: 0,
            memory_bytes: 4e8, tbs_translated: hot * 6, tbs_compiled: hot,
            tbs_in_modules: hot, translate_ns: hot * 1e5, compile_ns: hot * 3e5,
            exec_tier0: t * 3000, exec_tier1: t * t * 20,
        });
    }

    /** @param {Uint8Array} bytes */
    input(bytes) {
        for (const c of new TextDecoder().decode(bytes)) {
            this.line += c;
            const size = /\x1b\[48;(\d+);(\d+);\d+;\d+t$/.exec(this.line);
            if (size) {
                this.size = `${size[1]} ${size[2]}`;
                this.line = this.line.slice(0, size.index);
            } else if (c === '\r' || c === '\n') {
                this.say('\r\n');
                this.run(this.line.replace(/[\r\n]$/, ''));
                this.line = '';
            } else if (c >= ' ' && !this.line.includes('\x1b')) {
                this.say(c);
            }
        }
    }

    /** @param {boolean} attached */
    async attachControl(attached) {
        if (attached) {
            this.control({ QMP: {} });
        }
    }

    /** @param {object} said */
    control(said) {
        const bytes = text(`${JSON.stringify(said)}\r\n`);
        /* In two pieces, as QEMU's words may come. */
        setTimeout(() => {
            this.options.onControl?.(bytes.slice(0, 5));
            this.options.onControl?.(bytes.slice(5));
        });
    }

    /**
     * A command of QMP. A saved machine waits at its prompt.
     *
     * @param {Uint8Array} bytes
     */
    controlInput(bytes) {
        const { execute, arguments: given } =
            JSON.parse(new TextDecoder().decode(bytes));
        if (execute === 'cont' && !this.options.arguments.includes('-incoming')) {
            void this.boot();
        }
        /** @type {Record<string, () => string>} */
        const moved = { 'migrate-incoming': () => this.load(given),
                        migrate: () => this.leave(given) };
        const status = moved[execute]?.();
        this.control({ return: execute === 'query-migrate'
            ? { 'error-desc': 'it is not for us' } : {} });
        if (status) {
            this.control({ event: 'MIGRATION', data: { status: 'active' } });
            this.control({ event: 'MIGRATION', data: { status } });
        }
        if (execute === 'quit') {
            setTimeout(() => this.end(0));
        }
    }

    /** @param {{ uri: string }} given */
    load({ uri }) {
        const file = this.options.files.find(({ path }) => `file:${path}` === uri);
        const data = file?.data;
        const size = file?.bytes ?? (data instanceof Blob ? data.size : NaN);
        /* The size of the tests' saved machine, and of what leave() writes. */
        return [5000, 9].includes(size) ? 'completed' : 'failed';
    }

    /** @param {{ uri: string }} given */
    leave({ uri }) {
        this.left = { [uri.slice('file:'.length)]: text('the state') };
        return 'completed';
    }

    /* A fake machine's files take no memory. */
    remove() {}

    /** The content of all folders. */
    async readFolders() {
        const entries = [];
        for (const { path, entries: held } of this.options.folders) {
            for (const entry of held) {
                const data = entry.data instanceof Blob
                    ? new Uint8Array(await entry.data.arrayBuffer()) : undefined;
                entries.push({
                    path: text(`${path.split('/').at(-1)}/${entry.path}`),
                    mode: entry.mode ?? 0o644, size: data?.length,
                    target: entry.target ? text(entry.target) : undefined,
                    pieces: data ? () => [data] : undefined,
                });
            }
        }
        return { archive: new Blob([...tar(entries)]), why: '' };
    }

    /** Open the network's WebSocket; prints later whether it opened. */
    connect() {
        if (!this.options.network) {
            return 'no network';
        }
        const socket = new WebSocket(this.options.network);
        socket.onopen = () => this.say('network open\r\n');
        socket.onerror = () => this.say('network closed\r\n');
        return 'connecting';
    }

    names() {
        return this.options.folders.flatMap(({ path, readonly, entries }) =>
            entries.map((entry) =>
                `${path}/${entry.path} ${readonly ? 'fixed' : 'free'}`));
    }

    /** @param {string} line */
    run(line) {
        const [name, ...rest] = line.split(' ');
        /** @type {Record<string, () => string | null>} */
        const answers = {
            ls: () => this.names().join('\r\n'),
            devices: () => this.options.arguments
                .filter((word) => /^(local|virtio-|stream)/.test(word))
                .join('\r\n'),
            net: () => this.connect(),
            echo: () => rest.join(' '),
            stty: () => this.size,
            osc: () => '\x1b]52;c;c3RvbGVu\x07\x1b]8;;https://example.org\x07link' +
                '\x1b]8;;\x07',
            shell: () => `@tierlab workload-start guest=7.0\r\n` +
                '@tierlab prompt guest=7.1',
            poweroff: () => '@tierlab workload-end guest=9.0 status=0',
        };
        this.say(`${answers[name]?.() ?? `${name}: not found`}\r\n`);
        if (name === 'poweroff') {
            this.end(0);
        } else {
            this.say(PROMPT);
        }
    }

    /** @param {number} status */
    end(status) {
        clearInterval(this.ticks);
        /** @type {Ended['disks']} */
        const disks = {};
        for (const { path, index, blob } of this.options.disks ?? []) {
            const size = blob?.size ?? 2048;
            const written = new Uint8Array(4096);
            written.set(text(index ? 'site' : 'own'));
            disks[path] = { size, contentSize: size, blocks: [0],
                            data: new Blob([written]) };
        }
        const counters = { tbs_translated: 5400, first_insn_epoch_ms: Date.now(),
                           start_epoch_ms: Date.now() };
        const policy = { name: 'fake', spec: this.options.env?.TIERLAB_TIER,
                         params: {}, common: {}, seed: 1 };
        const stats = { schema: 1, policy,
                        counters, tbs: { columns: ['id', 'wait_ns'],
                                         rows: [[0, 0], [1, 2000000]] } };
        const statsFile = new Blob([JSON.stringify(stats)]);
        void this.readFolders().then((folders) => this.resolve({
            status, aborted: null, stats, statsFile, files: this.left, disks,
            ...folders }));
    }

    kill() {
        clearInterval(this.ticks);
        this.resolve({ status: null, aborted: 'killed', stats: null,
                       statsFile: null, files: {}, disks: {}, archive: null, why: 'killed' });
    }
}
