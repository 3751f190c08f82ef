/*
 * The worker that a QEMU in a page belongs to: machine.mjs starts the worker and speaks
 * with it by messages. The worker downloads, has QEMU's files, and serves QEMU's
 * consoles and calls, so that the page's own thread stays free.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { MemoryFolders } from '../js/memory.mjs';
import { messageOf } from '../js/errors.mjs';
import { Network } from '../js/network.mjs';
import { STATS_PATH, askForStats, askForTimeline } from
    '../js/reports.mjs';
import { Rings } from '../js/rings.mjs';
import { tar } from '../js/tar.mjs';
import { threads } from '../js/threads.mjs';
import { DiskCalls } from './disk-calls.mjs';
import { DiskFile } from './disk-file.mjs';
import { download } from './download.mjs';
import { contentOf } from './pieces.mjs';
import { RemoteWorker, fromThread } from './remote-worker.mjs';

/** @import { CreateQemu, FileSystem, FoundEntry, Qemu, QemuOptions }
 *            from '../js/qemu.d.ts' */
/** @import { Archive, Bytes, Contents, Ended, FromWorker, MachineDisk, MachineFolder,
 *            MachineSettings, Progress, Stats, ToWorker } from './types.d.ts' */

/** @typedef {MachineSettings & { timeline: boolean }} Settings */
/** @typedef {MachineDisk & { file: DiskFile }} OpenDisk */
/**
 * @typedef {object} Loaded
 * @property {{ path: string, data: Bytes }[]} given
 * @property {MachineFolder[]} folders
 * @property {OpenDisk[]} disks
 */

Object.assign(self, { Worker: RemoteWorker });

/**
 * @param {FromWorker} message
 * @param {Transferable[]} transfer
 */
const post = (message, transfer = []) => postMessage(message, transfer);
const now = () => performance.timeOrigin + performance.now();

/** @type {Rings | null} */
let consoleRings = null;
/** @type {Rings | null} */
let controlRings = null;
/** @type {Network | null} */
let network = null;
/** @type {MemoryFolders | null} */
let memory = null;
/**
 * Paths of the folders that the guest may write.
 *
 * @type {string[]}
 */
let writable = [];
/** @type {OpenDisk[]} */
let disks = [];
/**
 * Emscripten's file system, with the files that QEMU was given.
 *
 * @type {FileSystem | null}
 */
let files = null;
/**
 * QEMU's program, which the page compiles.
 *
 * @type {PromiseWithResolvers<WebAssembly.Module>}
 */
const program = Promise.withResolvers();
/**
 * The files and folders that the page gives QEMU.
 *
 * @type {PromiseWithResolvers<Contents>}
 */
const contents = Promise.withResolvers();
/**
 * Console input that came before QEMU could take it.
 *
 * @type {Uint8Array[]}
 */
const early = [];

/** @param {string} milestone */
function reached(milestone) {
    post({ type: 'times', times: { [milestone]: now() } });
}

/** @param {string} path */
function dirname(path) {
    return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** Makes a function that takes the timeline in pieces and posts each whole line. */
function timelineParser() {
    const decoder = new TextDecoder();
    let rest = '';
    return (/** @type {Uint8Array} */ bytes) => {
        const lines = (rest + decoder.decode(bytes, { stream: true }))
            .split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines.filter(Boolean)) {
            post({ type: 'timeline', value: JSON.parse(line) });
        }
    };
}

/**
 * Download what has a URL; of a disk, no more than where its content is.
 *
 * @param {Contents} wanted
 * @param {(progress: Progress) => void} progress
 * @returns {Promise<Loaded>}
 */
async function load({ files: wanted, folders, disks: plugged }, progress) {
    const [given, open] = await Promise.all([
        Promise.all(wanted.map(async (file) => (
            { path: file.path, data: await download(file, progress) }))),
        Promise.all(plugged.map((disk) => openDisk(disk, progress))),
    ]);
    return { given, folders, disks: open };
}

/**
 * @param {MachineDisk} disk
 * @param {(progress: Progress) => void} progress
 * @returns {Promise<OpenDisk>}
 */
async function openDisk(disk, progress) {
    const trouble = (/** @type {string} */ why) =>
        post({ type: 'error', value: `the disk ${disk.name}: ${why}` });
    try {
        const file = new DiskFile(await contentOf(disk, progress), { trouble });
        return { ...disk, file };
    } catch (error) {
        throw new Error(`the disk ${disk.name} cannot be plugged in: ` +
                        messageOf(error), { cause: error });
    }
}

/**
 * Put the files into QEMU's memory. QEMU does not begin before that, but its threads
 * are made meanwhile.
 *
 * @param {Qemu} module
 * @param {Promise<Loaded>} loaded
 * @param {(loaded: Loaded) => void} withLoaded
 */
async function fill(module, loaded, withLoaded) {
    const name = 'files';
    module.addRunDependency(name);
    const all = await loaded;
    const { given } = all;
    for (const { path, data } of given) {
        module.FS.mkdirTree(dirname(path));
        module.FS.writeFile(path, data, { canOwn: true });
    }
    /* QEMU may remove a file; so nothing else may keep the file's content. */
    given.length = 0;
    withLoaded(all);
    reached('loaded');
    post({ type: 'loaded' });
    module.removeRunDependency(name);
}

/**
 * @param {Qemu} module
 * @param {Settings} options
 */
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

/**
 * Serve QEMU's console, control channel and network.
 *
 * @param {Qemu} module
 * @param {Settings} options
 */
function connect(module, options) {
    const main = new Rings(module, module._tw_console(), module._tw_console_input,
                           (bytes) => post({ type: 'output', value: bytes }));
    consoleRings = main;
    void main.run();
    controlRings = new Rings(module, module._tw_control(), module._tw_control_input,
                             (bytes) => post({ type: 'control', value: bytes }));
    void controlRings.run();
    early.splice(0).forEach((bytes) => main.input(bytes));
    if (options.network) {
        network = new Network(module, options.network, (why) =>
            post({ type: 'error', value: 'the network relay is gone ' +
                   `(${why}): the guest's link is down` }));
    }
}

/* When the folders hold more, the guest sees that the disk is full. */
const FOLDERS_BYTES = 512 << 20;
/** @type {Archive} */
const NOTHING_KEPT = { archive: null, why: 'nothing was kept' };
/* A sparse file may be larger than the folders' limit, and an archive has no holes. */
const ARCHIVE_BYTES = 2 ** 31;

/**
 * Make the folders in QEMU's memory.
 *
 * @param {Qemu} module
 * @param {MachineFolder[]} folders
 */
function share(module, folders) {
    if (folders.length) {
        const made = new MemoryFolders(module);
        memory = made;
        made.limit(FOLDERS_BYTES);
        folders.forEach(({ path, entries }) => made.make(path, entries));
        writable = folders.filter((f) => !f.readonly).map((f) => f.path);
    }
}

/**
 * Let QEMU find the disks; returns what answers QEMU's calls on them.
 *
 * @param {Qemu} module
 */
function plugIn(module) {
    const calls = new DiskCalls(module);
    disks.forEach(({ path, file, readonly }) => calls.add(path, file, readonly));
    return calls;
}

/**
 * All entries of the writable folders, below the folders' own names.
 *
 * @returns {Generator<FoundEntry, void>}
 */
function *written() {
    for (const path of memory ? writable : []) {
        const before = [...new TextEncoder().encode(path.slice(
            path.lastIndexOf('/') + 1)), 0x2f];
        yield { path: Uint8Array.from(before.slice(0, -1)), mode: 0o755,
                mtime: Date.now() / 1000 };
        for (const entry of memory?.walk(path) ?? []) {
            yield { ...entry, path: Uint8Array.from([...before, ...entry.path]) };
        }
    }
}

/**
 * The content of the folders that the guest may write, or why there is no archive.
 *
 * @returns {Archive}
 */
function archive() {
    let total = 0;
    /** @type {BlobPart[]} */
    let pieces = [];
    try {
        for (const piece of tar(written())) {
            total += piece.length;
            if (total > ARCHIVE_BYTES) {
                throw new Error('it is too large');
            }
            pieces.push(piece);
            /* A Blob moves the pieces from this program's memory to the browser's. */
            if (pieces.length > 1000 || piece.length > 1 << 19) {
                pieces = [new Blob(pieces)];
            }
        }
    } catch (error) {
        return { archive: null, why: messageOf(error) };
    }
    return { archive: new Blob(pieces, { type: 'application/x-tar' }), why: '' };
}

/** @type {Pick<Ended, 'stats' | 'statsFile'>} */
const NO_STATS = { stats: null, statsFile: null };

/** @param {Qemu} module */
function readStats(module) {
    if (!module.FS.analyzePath(STATS_PATH).exists) {
        return NO_STATS;
    }
    const bytes = module.FS.readFile(STATS_PATH);
    /** @type {Stats} */
    const stats = JSON.parse(new TextDecoder().decode(bytes));
    if (stats.tbs?.rows) {
        /* There is a row for each TB, too many to post. */
        stats.tbs.count = stats.tbs.rows.length;
        delete stats.tbs.rows;
    }
    const statsFile = new Blob([bytes], { type: 'application/json' });
    return { stats, statsFile };
}

/**
 * What QEMU leaves when it exits.
 *
 * @param {Qemu} module
 * @param {Settings} options
 */
function leavings(module, options) {
    network?.close();
    consoleRings?.drain();
    controlRings?.drain();
    /** @type {Ended['files']} */
    const left = {};
    for (const path of options.fetch ?? []) {
        if (module.FS.analyzePath(path).exists) {
            left[path] = module.FS.readFile(path);
        }
    }
    const stats = options.stats ? readStats(module) : NO_STATS;
    const changes = Object.fromEntries(disks.filter(({ readonly }) => !readonly)
        .map(({ path, file }) => [path, file.changes()]));
    return { ...stats, files: left, disks: changes,
             ...writable.length ? archive() : NOTHING_KEPT };
}

let isOver = false;

/** @param {Ended} result */
function end(result) {
    isOver = true;
    const buffers = Object.values(result.files).map((bytes) => bytes.buffer);
    post({ type: 'ended', result }, buffers);
}

/** @param {unknown} error */
function failed(error) {
    if (!isOver) {
        isOver = true;
        post({ type: 'failed', why: messageOf(error) });
    }
}

/*
 * These events tell also what QEMU's threads did not catch. QEMU throws an exception
 * when it exits, too, which is no failure.
 */
addEventListener('error', (event) => {
    event.preventDefault();
    failed(event.message);
});
addEventListener('unhandledrejection', ({ reason }) => failed(reason));

/** @param {Settings} options */
async function start(options) {
    reached('start');
    /** @param {Progress} value */
    const progress = (value) => post({ type: 'progress', value });
    const loaded = contents.promise.then((wanted) => load(wanted, progress));
    /* fill() waits for the files later, but a failure is told at once. */
    loaded.catch(failed);
    /** @type {{ default: CreateQemu }} */
    const { default: createQemu } = await import(options.program);
    /** @type {MachineFolder[]} */
    let folders = [];
    /** @type {DiskCalls | null} */
    let calls = null;
    /** @type {QemuOptions} */
    const given = {
        arguments: ['-L', '/share', ...options.arguments],
        threads: threads(options.arguments),
        /* While the program is compiled, QEMU's threads are made. */
        instantiateWasm(imports, done) {
            program.promise.then(async (compiled) =>
                done(await WebAssembly.instantiate(compiled, imports), compiled))
                .catch(failed);
            return {};
        },
        preRun: [() => {
            prepare(module, options);
            fill(module, loaded, (all) => {
                ({ folders, disks } = all);
            }).catch(failed);
        }],
        print: (text) => post({ type: 'error', value: text }),
        printErr: (text) => post({ type: 'error', value: text }),
        onFileCall: (call) => void calls?.answer(call),
        onRuntimeInitialized() {
            share(module, folders);
            calls = plugIn(module);
            connect(module, options);
            reached('running');
            post({ type: 'started' });
        },
        onExit(status) {
            end({ status, aborted: null, ...leavings(module, options) });
        },
        onAbort(what) {
            consoleRings?.drain();
            network?.close();
            end({ status: null, aborted: `QEMU aborted: ${what}`, files: {}, disks: {},
                  ...NO_STATS, ...NOTHING_KEPT });
        },
    };
    /* The loader makes the options the program: both are one object. */
    const module = /** @type {Qemu} */ (given);
    await createQemu(given);
}

/** @param {ToWorker} message */
function receive(message) {
    switch (message.type) {
    case 'start':
        start(message.options).catch(failed);
        break;
    case 'program':
        program.resolve(message.value);
        break;
    case 'contents':
        contents.resolve(message.value);
        break;
    case 'input':
        if (consoleRings) {
            consoleRings.input(message.value);
        } else {
            early.push(message.value);
        }
        break;
    case 'thread':
        fromThread(message);
        break;
    case 'remove':
        files?.unlink(message.value);
        break;
    case 'folders':
        post({ type: 'folders', value: archive() });
        break;
    case 'control':
        controlRings?.input(message.value);
        break;
    case 'attach':
        controlRings?.attach(message.value).then(() => post({ type: 'attached' }))
            .catch(failed);
        break;
    }
}

/** @param {MessageEvent<ToWorker>} event */
onmessage = ({ data }) => receive(data);
