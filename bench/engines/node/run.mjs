/*
 * Runs a QEMU that was built for Wasm in Node: the other end of
 * char-stdio-wasm.c (the guest's console is this process's stdin and stdout),
 * files, environment, statistics, exit status.
 *
 *   node [engine flags] run.mjs --program FILE.js [--file HOST=PATH]...
 *        [--env NAME=VALUE]... [--stats OUT.json] [--timeline OUT.jsonl]
 *        -- QEMU_ARGS...
 *
 * QEMU itself runs in worker threads. This thread only moves bytes, so it
 * sleeps until there are some.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const STATS_PATH = '/tierlab/stats.json';
const TIMELINE_PATH = '/tierlab/timeline';
const TIMELINE_DEVICE = [64, 0];
const EXIT_USAGE = 2;
const EXIT_SETUP = 3;

/* TwConsole of char-stdio-wasm.c, in 32-bit words. */
const OUT_HEAD = 0, OUT_TAIL = 1, OUT_SLEEPING = 2, OUT_SIZE = 3;
const IN_HEAD = 4, IN_TAIL = 5, IN_SIZE = 6;
const RINGS_OFFSET = 32;

function fail(status, message) {
    process.stderr.write(`tierlab: ${message}\n`);
    process.exit(status);
}

function splitPair(text, option) {
    const at = text?.indexOf('=') ?? -1;
    if (at <= 0) {
        fail(EXIT_USAGE, `${option} takes NAME=VALUE, not '${text ?? ''}'`);
    }
    return [text.slice(0, at), text.slice(at + 1)];
}

function parse(argv) {
    const options = { files: [], env: {}, qemu: [] };
    for (let i = 0; i < argv.length; i++) {
        switch (argv[i]) {
        case '--program':
            options.program = argv[++i];
            break;
        case '--stats':
            options.stats = argv[++i];
            break;
        case '--timeline':
            options.timeline = argv[++i];
            break;
        case '--file':
            options.files.push(splitPair(argv[++i], '--file'));
            break;
        case '--env': {
            const [name, value] = splitPair(argv[++i], '--env');
            options.env[name] = value;
            break;
        }
        case '--':
            options.qemu = argv.slice(i + 1);
            i = argv.length;
            break;
        default:
            fail(EXIT_USAGE, `unknown option '${argv[i]}'`);
        }
    }
    if (!options.program) {
        fail(EXIT_USAGE, 'no --program: name the QEMU to run');
    }
    return options;
}

function writeAll(fd, bytes) {
    for (let done = 0; done < bytes.length;) {
        try {
            done += fs.writeSync(fd, bytes, done);
        } catch (e) {
            if (e.code === 'EPIPE') {
                process.exit(0);
            }
            if (e.code !== 'EAGAIN') {
                throw e;
            }
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
        }
    }
}

/* The two rings of the console. */
class Console {
    constructor(module) {
        this.module = module;
        this.base = module._tw_console();
        const buffer = module.wasmMemory.buffer;
        this.words = new Int32Array(buffer, this.base, 8);
        this.outSize = this.words[OUT_SIZE];
        this.inSize = this.words[IN_SIZE];
        this.out = new Uint8Array(buffer, this.base + RINGS_OFFSET,
                                  this.outSize);
        this.in = new Uint8Array(buffer,
                                 this.base + RINGS_OFFSET + this.outSize,
                                 this.inSize);
        this.pending = [];
    }

    drain() {
        const head = Atomics.load(this.words, OUT_HEAD);
        const tail = Atomics.load(this.words, OUT_TAIL);
        const n = (head - tail) >>> 0;
        if (n === 0) {
            return false;
        }
        const start = (tail >>> 0) % this.outSize;
        const first = Math.min(n, this.outSize - start);
        writeAll(1, this.out.slice(start, start + first));
        if (first < n) {
            writeAll(1, this.out.slice(0, n - first));
        }
        Atomics.store(this.words, OUT_TAIL, head);
        Atomics.notify(this.words, OUT_TAIL);
        return true;
    }

    async run() {
        for (;;) {
            if (this.drain()) {
                continue;
            }
            const head = Atomics.load(this.words, OUT_TAIL);
            Atomics.store(this.words, OUT_SLEEPING, 1);
            const wait = Atomics.waitAsync(this.words, OUT_HEAD, head);
            if (wait.async) {
                await wait.value;
            }
            Atomics.store(this.words, OUT_SLEEPING, 0);
        }
    }

    input(bytes) {
        this.pending.push(...bytes);
        this.feed();
    }

    feed() {
        let head = Atomics.load(this.words, IN_HEAD);
        let moved = 0;
        while (moved < this.pending.length &&
               ((head - Atomics.load(this.words, IN_TAIL)) >>> 0) <
               this.inSize) {
            this.in[(head >>> 0) % this.inSize] = this.pending[moved++];
            head = (head + 1) | 0;
        }
        this.pending.splice(0, moved);
        Atomics.store(this.words, IN_HEAD, head);
        this.module._tw_console_input();
        if (this.pending.length) {
            setTimeout(() => this.feed(), 10);
        }
    }
}

/*
 * The timeline goes straight to a file of the host: it is read while the guest
 * runs, and is all there is of a run that was killed.
 */
function streamTimeline(module, path) {
    const fd = fs.openSync(path, 'w');
    const device = module.FS.makedev(...TIMELINE_DEVICE);
    module.FS.registerDevice(device, {
        open() {},
        close() {},
        /* A copy: the host does not take shared memory. */
        write: (stream, buffer, offset, length) =>
            fs.writeSync(fd, buffer.slice(offset, offset + length)),
    });
    module.FS.mkdirTree('/tierlab');
    module.FS.mkdev(TIMELINE_PATH, device);
    module.ENV.TIERLAB_TIMELINE = TIMELINE_PATH;
}

function preload(module, options) {
    for (const [name, value] of Object.entries(options.env)) {
        module.ENV[name] = value;
    }
    const put = (from, to) => {
        let data;
        try {
            data = fs.readFileSync(from);
        } catch (e) {
            fail(EXIT_SETUP, `cannot read ${from}: ${e.code ?? e.message}`);
        }
        module.FS.mkdirTree(path.posix.dirname(to));
        module.FS.writeFile(to, data, { canOwn: true });
    };
    for (const [from, to] of options.files) {
        put(from, to);
    }
    const share = path.join(path.dirname(options.program), 'share');
    if (fs.existsSync(share)) {
        for (const name of fs.readdirSync(share)) {
            put(path.join(share, name), `/share/${name}`);
        }
    }
    if (options.timeline) {
        streamTimeline(module, options.timeline);
    }
    if (options.stats) {
        module.FS.mkdirTree(path.posix.dirname(STATS_PATH));
        module.ENV.TIERLAB_STATS = STATS_PATH;
    }
}

function saveStats(module, options) {
    if (options.stats && module.FS.analyzePath(STATS_PATH).exists) {
        fs.writeFileSync(options.stats, module.FS.readFile(STATS_PATH));
    }
}

async function main() {
    const options = parse(process.argv.slice(2));
    const program = path.resolve(options.program);
    if (!fs.existsSync(program)) {
        fail(EXIT_SETUP, `${options.program} does not exist; ` +
             `run './tierlab build'`);
    }
    const { default: createQemu } = await import(pathToFileURL(program));
    let console_ = null;

    const module = {
        arguments: ['-L', '/share', ...options.qemu],
        preRun: [(m) => preload(m, options)],
        print: (text) => writeAll(1, Buffer.from(`${text}\n`)),
        printErr: (text) => writeAll(2, Buffer.from(`${text}\n`)),
        onRuntimeInitialized() {
            console_ = new Console(this);
            console_.run();
            process.stdin.on('data', (bytes) => console_.input(bytes));
            process.stdin.on('error', () => {});
        },
        onExit(status) {
            console_?.drain();
            saveStats(this, options);
            process.exit(status);
        },
        onAbort(what) {
            console_?.drain();
            fail(134, `QEMU aborted: ${what}`);
        },
    };
    module.onRuntimeInitialized = module.onRuntimeInitialized.bind(module);
    module.onExit = module.onExit.bind(module);
    await createQemu(module);
}

main().catch((e) => fail(EXIT_SETUP, `QEMU did not start: ${e.stack ?? e}`));
