/*
 * A QEMU in a web page: files in, console bytes in and out, status and files
 * back. Needs a page that is cross-origin isolated, and nothing else.
 *
 *   const machine = await start({
 *       program: 'qemu/qemu-system-riscv64.js', // its .wasm is beside it
 *       files: [{ path: '/guest/kernel', url }, // or data: bytes or a Blob;
 *                                               // packed, bytes: see download.mjs
 *               { path: '/share/firmware.bin', url }],
 *       env: { TIERLAB_TIER: 'region' },
 *       arguments: ['-M', 'virt', ...],         // -L /share is added
 *       onOutput(bytes), onError(text),
 *       onTimeline(object),                     // how the runtime is doing
 *       onProgress({ path, loaded, total }),    // total 0: not known
 *       onLoaded(),                             // all is there, QEMU begins
 *       onControl(bytes),                       // see attachControl()
 *       network: 'ws://...',                    // a relay for -netdev stream
 *       stats: true,                            // wanted when it ends
 *       fetch: ['/tierlab/outgoing'],           // files wanted when it ends
 *       folders: [{ path: '/shares/src',        // for -fsdev local,path=...
 *                   entries: [...],             // see js/memory.mjs
 *                   readonly: false }],         // if so, nothing comes back
 *   });
 *
 * Only program and arguments are needed. `files` and `folders` may be promises.
 * start() resolves when QEMU runs, and rejects with an Error of one line if it
 * cannot; an AbortSignal as `signal` gives it up, and kills the machine later, too.
 *
 * What serves QEMU runs in a worker (machine-worker.mjs), so that the page's
 * own thread stays free; it only makes QEMU's threads, and hands on what they
 * say to that worker when they begin and end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { downloadProgram } from './download.mjs';

/* The keys that quit QEMU: Ctrl-A X. */
const QUIT_KEYS = Uint8Array.of(1, 0x78);

/* What a page must have, as words for who lacks it; '' if there is nothing. */
export function obstacle() {
    if (!globalThis.isSecureContext) {
        return 'the page is neither on this machine nor came over https';
    }
    if (!globalThis.crossOriginIsolated) {
        return 'the page is not cross-origin isolated: its server must send ' +
            'the headers COOP and COEP';
    }
    return '';
}

export async function start(options) {
    const why = obstacle();
    if (why) {
        throw new Error(why);
    }
    const machine = new Machine(options);
    await machine.running;
    return machine;
}

class Machine {
    constructor(options) {
        const { onOutput, onError, onTimeline, onProgress, onControl, onLoaded,
                signal, files = [], folders = [], ...wanted } = options;
        signal?.throwIfAborted();
        this.handlers = {
            output: onOutput, error: onError, timeline: onTimeline,
            progress: onProgress, control: onControl, loaded: onLoaded,
        };
        /* Milestones, each a time as Date.now() has it. */
        this.times = {};
        this.attachments = [];
        this.archives = [];
        this.threads = new Map();
        const running = Promise.withResolvers();
        const ended = Promise.withResolvers();
        this.running = running.promise;
        this.startFailed = running.reject;
        this.started = running.resolve;
        this.ended = ended.promise;
        this.resolveEnded = ended.resolve;
        this.worker = new Worker(
            new URL('./machine-worker.mjs', import.meta.url),
            { type: 'module', name: 'machine' });
        this.worker.onmessage = ({ data }) => this.receive(data);
        this.worker.onerror = (event) => {
            event.preventDefault();
            this.fail(event.message || 'the worker cannot be loaded');
        };
        /* Relative to the page, which the worker is not. */
        const program = absolute(wanted.program);
        this.worker.postMessage({
            type: 'start',
            options: { ...wanted, program, timeline: Boolean(onTimeline) },
        });
        signal?.addEventListener('abort', () => this.kill());
        this.compile(program, onProgress, signal);
        this.fill(files, folders);
    }

    /* Here, as it is under way when the worker has not even begun. */
    async compile(program, progress = () => {}, signal) {
        try {
            const compiled = await downloadProgram(program, progress, signal);
            this.worker.postMessage({ type: 'program', value: compiled });
        } catch (error) {
            this.fail(error.message);
        }
    }

    async fill(files, folders) {
        try {
            const [found, shared] = await Promise.all([files, folders]);
            this.worker.postMessage({ type: 'contents', value: {
                files: found.map((file) =>
                    file.url ? { ...file, url: absolute(file.url) } : file),
                folders: shared,
            } });
        } catch (error) {
            this.fail(error.message);
        }
    }

    receive(message) {
        switch (message.type) {
        case 'times':
            Object.assign(this.times, message.times);
            break;
        case 'started':
            this.started();
            break;
        case 'attached':
            this.attachments.shift()();
            break;
        case 'folders':
            this.archives.shift()(message.value);
            break;
        case 'thread':
            this[message.what](message);
            break;
        case 'failed':
            this.fail(message.why);
            break;
        case 'ended':
            this.end(message.result);
            break;
        default:
            this.handlers[message.type]?.(message.value);
        }
    }

    /* A thread of QEMU's, as remote-worker.mjs asks for it. */
    make({ id, value: { url, options } }) {
        const thread = new Worker(url, options);
        const hand = (what, value) =>
            this.worker.postMessage({ type: 'thread', id, what, value });
        thread.onmessage = ({ data }) => hand('message', data);
        thread.onerror = (event) => {
            event.preventDefault();
            const { message, filename, lineno } = event;
            hand('error', { message, filename, lineno });
        };
        this.threads.set(id, thread);
    }

    post({ id, value }) {
        this.threads.get(id).postMessage(value);
    }

    terminate({ id }) {
        this.threads.get(id).terminate();
        this.threads.delete(id);
    }

    /* Type at the guest's console. */
    input(bytes) {
        this.worker.postMessage({ type: 'input', value: bytes });
    }

    /*
     * QEMU's control channel (QMP), if it was started with one: a session
     * begins or ends, which the promise says.
     */
    attachControl(attached) {
        const done = Promise.withResolvers();
        this.attachments.push(done.resolve);
        this.worker.postMessage({ type: 'attach', value: attached });
        return done.promise;
    }

    /* A file that QEMU needs no more, for the memory that it takes. */
    remove(path) {
        this.worker.postMessage({ type: 'remove', value: path });
    }

    controlInput(bytes) {
        this.worker.postMessage({ type: 'control', value: bytes });
    }

    /*
     * What is in the folders that the guest may write, now: { archive, why }, a tar
     * archive of all (a Blob), or null and why.
     */
    readFolders() {
        const { promise, resolve } = Promise.withResolvers();
        this.archives.push(resolve);
        this.worker.postMessage({ type: 'folders' });
        return promise;
    }

    /* QEMU ends by itself, in order; see ended. */
    stop() {
        this.input(QUIT_KEYS);
    }

    /* It ends at once, with nothing written. */
    kill() {
        this.fail('killed');
    }

    /* It did not start, or broke off. */
    fail(why) {
        this.startFailed(new Error(why));
        this.end({ status: null, aborted: why, stats: null, statsFile: null,
                   files: {}, archive: null, why: 'nothing was kept' });
    }

    /*
     * ended resolves with { status, aborted, stats, statsFile, files, archive, why }:
     * the exit status, or null and in `aborted` why; statistics without the rows of
     * TBs, and whole in a Blob; the files that were asked for and exist; folders as
     * readFolders() has them.
     */
    end(result) {
        this.worker.terminate();
        this.threads.forEach((thread) => thread.terminate());
        this.archives.splice(0).forEach((resolve) =>
            resolve({ archive: result.archive, why: result.why }));
        this.resolveEnded(result);
    }
}

const absolute = (url) => new URL(url, document.baseURI).href;
