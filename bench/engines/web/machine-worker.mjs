/*
 * The thread that a QEMU in a page belongs to: machine.mjs starts it and speaks
 * with it by messages. It downloads, has QEMU's files, and serves its consoles
 * and its calls, so that none of that is the page's thread's work.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { MemoryFolders } from '../js/memory.mjs';
import { Network } from '../js/network.mjs';
import { STATS_PATH, askForStats, askForTimeline } from
    '../js/reports.mjs';
import { Rings } from '../js/rings.mjs';
import { tar } from '../js/tar.mjs';
import { threads } from '../js/threads.mjs';
import { download } from './download.mjs';
import { RemoteWorker, fromThread } from './remote-worker.mjs';

self.Worker = RemoteWorker;

const post = (type, value) => postMessage({ type, value });
const now = () => performance.timeOrigin + performance.now();

let consoleRings = null, controlRings = null, network = null, memory = null;
/* Paths of folders that the guest may write. */
let writable = [];
/* emscripten's, with what QEMU was given. */
let files = null;
/* What the page gives QEMU: its program, compiled, and { files, folders }. */
const program = Promise.withResolvers();
const contents = Promise.withResolvers();
/* What was typed before QEMU could take it. */
const early = [];

function reached(milestone) {
    postMessage({ type: 'times', times: { [milestone]: now() } });
}

function dirname(path) {
    return path.slice(0, path.lastIndexOf('/')) || '/';
}

/* Hands on whole lines, as objects. */
function timelineParser() {
    const decoder = new TextDecoder();
    let rest = '';
    return (bytes) => {
        const lines = (rest + decoder.decode(bytes, { stream: true }))
            .split('\n');
        rest = lines.pop();
        for (const line of lines.filter(Boolean)) {
            post('timeline', JSON.parse(line));
        }
    };
}

async function load({ files: wanted, folders }, progress) {
    const given = await Promise.all(wanted.map(async (file) => (
        { path: file.path, data: await download(file, progress) })));
    return { given, folders };
}

/* QEMU does not begin before that; its threads are made meanwhile. */
async function fill(module, loaded, withFolders) {
    const name = 'files';
    module.addRunDependency(name);
    const { given, folders } = await loaded;
    for (const { path, data } of given) {
        module.FS.mkdirTree(dirname(path));
        module.FS.writeFile(path, data, { canOwn: true });
    }
    /* Nothing is to be kept of what QEMU can throw away. */
    given.length = 0;
    withFolders(folders);
    reached('loaded');
    post('loaded');
    module.removeRunDependency(name);
}

function prepare(module, options) {
    files = module.FS;
    Object.assign(module.ENV, options.env);
    for (const path of options.fetch ?? []) {
        module.FS.mkdirTree(dirname(path));
    }
    if (options.timeline) {
        askForTimeline(module, timelineParser());
    }
    if (options.stats) {
        askForStats(module);
    }
}

function connect(module, options) {
    consoleRings = new Rings(module, module._tw_console(),
                             module._tw_console_input,
                             (bytes) => post('output', bytes));
    consoleRings.run();
    controlRings = new Rings(module, module._tw_control(),
                             module._tw_control_input,
                             (bytes) => post('control', bytes));
    controlRings.run();
    early.splice(0).forEach((bytes) => consoleRings.input(bytes));
    if (options.network) {
        network = new Network(module, options.network, (why) =>
            post('error', 'the network relay is gone ' +
                 `(${why}): the guest's link is down`));
    }
}

/* What a guest writes more is an error that it sees: the disk is full. */
const FOLDERS_BYTES = 512 << 20;
const NOTHING_KEPT = { archive: null, why: 'nothing was kept' };
/* Holes are none in an archive. */
const ARCHIVE_BYTES = 2 ** 31;

function share(module, folders) {
    if (folders.length) {
        memory = new MemoryFolders(module);
        memory.limit(FOLDERS_BYTES);
        folders.forEach(({ path, entries }) => memory.make(path, entries));
        writable = folders.filter((f) => !f.readonly).map((f) => f.path);
    }
}

/* All names below the folders' own. */
function *written() {
    for (const path of writable) {
        const before = [...new TextEncoder().encode(path.slice(
            path.lastIndexOf('/') + 1)), 0x2f];
        yield { path: Uint8Array.from(before.slice(0, -1)), mode: 0o755,
                mtime: Date.now() / 1000 };
        for (const entry of memory.walk(path)) {
            yield { ...entry, path: Uint8Array.from([...before, ...entry.path]) };
        }
    }
}

/* What is in the folders that the guest may write, or why nobody can know. */
function archive() {
    let total = 0;
    let pieces = [];
    try {
        for (const piece of tar(written())) {
            total += piece.length;
            if (total > ARCHIVE_BYTES) {
                throw new Error('it is too large');
            }
            pieces.push(piece);
            /* Out of this program's memory, into the browser's. */
            if (pieces.length > 1000 || piece.length > 1 << 19) {
                pieces = [new Blob(pieces)];
            }
        }
    } catch (error) {
        return { archive: null, why: error.message };
    }
    return { archive: new Blob(pieces, { type: 'application/x-tar' }), why: '' };
}

function readStats(module) {
    if (!module.FS.analyzePath(STATS_PATH).exists) {
        return { stats: null, statsFile: null };
    }
    const bytes = module.FS.readFile(STATS_PATH);
    const stats = JSON.parse(new TextDecoder().decode(bytes));
    if (stats.tbs?.rows) {
        /* There are as many as a guest has code. */
        stats.tbs.count = stats.tbs.rows.length;
        delete stats.tbs.rows;
    }
    const statsFile = new Blob([bytes], { type: 'application/json' });
    return { stats, statsFile };
}

function leavings(module, options) {
    network?.close();
    consoleRings?.drain();
    controlRings?.drain();
    const files = {};
    for (const path of options.fetch ?? []) {
        if (module.FS.analyzePath(path).exists) {
            files[path] = module.FS.readFile(path);
        }
    }
    const stats = options.stats ? readStats(module)
                                : { stats: null, statsFile: null };
    return { ...stats, files, ...writable.length ? archive() : NOTHING_KEPT };
}

let isOver = false;

function end(result) {
    isOver = true;
    const buffers = Object.values(result.files).map((bytes) => bytes.buffer);
    postMessage({ type: 'ended', result }, buffers);
}

function failed(error) {
    if (!isOver) {
        isOver = true;
        postMessage({ type: 'failed', why: String(error?.message ?? error) });
    }
}

/* Also what QEMU's threads did not catch; it leaves by an exception, too. */
addEventListener('error', (event) => {
    event.preventDefault();
    failed(event.message);
});
addEventListener('unhandledrejection', ({ reason }) => failed(reason));

async function start(options) {
    reached('start');
    const progress = (what) => post('progress', what);
    const loaded = contents.promise.then((wanted) => load(wanted, progress));
    /* It is waited for below; a failure must not wait for that. */
    loaded.catch(failed);
    const { default: createQemu } = await import(options.program);
    let folders = [];
    const module = {
        arguments: ['-L', '/share', ...options.arguments],
        threads: threads(options.arguments),
        /* QEMU's threads are made meanwhile. */
        instantiateWasm(imports, done) {
            program.promise.then(async (compiled) =>
                done(await WebAssembly.instantiate(compiled, imports), compiled))
                .catch(failed);
            return {};
        },
        preRun: [(m) => {
            prepare(m, options);
            fill(m, loaded, (given) => { folders = given; }).catch(failed);
        }],
        print: (text) => post('error', text),
        printErr: (text) => post('error', text),
        onRuntimeInitialized() {
            share(module, folders);
            connect(module, options);
            reached('running');
            post('started');
        },
        onExit(status) {
            end({ status, aborted: null, ...leavings(module, options) });
        },
        onAbort(what) {
            consoleRings?.drain();
            network?.close();
            end({ status: null, aborted: `QEMU aborted: ${what}`,
                  stats: null, statsFile: null, files: {}, ...NOTHING_KEPT });
        },
    };
    await createQemu(module);
}

const receive = {
    start: (data) => start(data.options).catch(failed),
    program: ({ value }) => program.resolve(value),
    contents: ({ value }) => contents.resolve(value),
    input({ value }) {
        if (consoleRings) {
            consoleRings.input(value);
        } else {
            early.push(value);
        }
    },
    thread: fromThread,
    remove: ({ value }) => files.unlink(value),
    folders: () => post('folders', archive()),
    control: ({ value }) => controlRings.input(value),
    async attach({ value }) {
        await controlRings.attach(value);
        post('attached');
    },
};

onmessage = ({ data }) => receive[data.type]?.(data);
