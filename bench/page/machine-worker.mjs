/*
 * The thread that a QEMU in a page belongs to: machine.mjs starts it and speaks
 * with it by messages. It downloads, has QEMU's files, and serves its consoles
 * and its calls, so that none of that is the page's thread's work.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { Network } from '../engines/js/network.mjs';
import { STATS_PATH, askForStats, askForTimeline } from
    '../engines/js/reports.mjs';
import { Rings } from '../engines/js/rings.mjs';
import { threads } from '../engines/js/threads.mjs';
import { download, downloadProgram } from './download.mjs';
import { RemoteWorker, fromThread } from './remote-worker.mjs';

self.Worker = RemoteWorker;

const post = (type, value) => postMessage({ type, value });
const now = () => performance.timeOrigin + performance.now();

let consoleRings = null, controlRings = null, network = null;
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

function prepare(module, options, files) {
    Object.assign(module.ENV, options.env);
    for (const { path, data } of files) {
        module.FS.mkdirTree(dirname(path));
        module.FS.writeFile(path, data, { canOwn: true });
    }
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
    return { ...stats, files };
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
    const [compiled, { default: createQemu }, ...files] = await Promise.all([
        downloadProgram(options.program, progress),
        import(options.program),
        ...options.files.map(async (file) => (
            { path: file.path, data: await download(file, progress) })),
    ]);
    reached('loaded');
    const module = {
        arguments: ['-L', '/share', ...options.arguments],
        threads: threads(options.arguments),
        instantiateWasm(imports, done) {
            WebAssembly.instantiate(compiled, imports).then(
                (instance) => done(instance, compiled), failed);
            return {};
        },
        preRun: [(m) => prepare(m, options, files)],
        print: (text) => post('error', text),
        printErr: (text) => post('error', text),
        onRuntimeInitialized() {
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
                  stats: null, statsFile: null, files: {} });
        },
    };
    await createQemu(module);
}

const receive = {
    start: (data) => start(data.options).catch(failed),
    input({ value }) {
        if (consoleRings) {
            consoleRings.input(value);
        } else {
            early.push(value);
        }
    },
    thread: fromThread,
    control: ({ value }) => controlRings.input(value),
    async attach({ value }) {
        await controlRings.attach(value);
        post('attached');
    },
};

onmessage = ({ data }) => receive[data.type]?.(data);
