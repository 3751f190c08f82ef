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
 *       disks: [{ path: '/disks/0-a.img',       // for -drive file=...
 *                 name: 'a.img', readonly: false,
 *                 blob }],                      // or index, or url: see types.d.ts
 *   });
 *
 * Only `program` and `arguments` are required. `files` and `folders` may be promises.
 * start() resolves when QEMU runs, and rejects with an Error of one line if QEMU cannot
 * run. An AbortSignal as `signal` gives the start up, and kills the machine later.
 * types.d.ts has all types.
 *
 * A worker (machine-worker.mjs) serves QEMU, so that the page's own thread stays free.
 * That thread only makes QEMU's threads, and hands their first and last messages on to
 * the worker.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { messageOf } from '../js/errors.mjs';
import { downloadProgram } from './download.mjs';
import { absolute, located, locatedDisk } from './urls.mjs';

/** @import { Archive, Ended, FromWorker, MachineDisk, MachineOptions, Progress, Times,
 *            ToThread, ToWorker } from './types.d.ts' */

/* The keys that quit QEMU: Ctrl-A X. */
const QUIT_KEYS = Uint8Array.of(1, 0x78);

/** Why a guest cannot run in this page, in words for its host; '' if it can. */
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

/** @param {MachineOptions} options */
export async function start(options) {
    const why = obstacle();
    if (why) {
        throw new Error(why);
    }
    const machine = new Machine(options);
    await machine.running;
    return machine;
}

export class Machine {
    /** @param {MachineOptions} options */
    constructor(options) {
        const { onOutput, onError, onTimeline, onProgress, onControl, onLoaded,
                signal, files = [], folders = [], disks = [], ...wanted } = options;
        signal?.throwIfAborted();
        this.handlers = {
            onOutput, onError, onTimeline, onProgress, onControl, onLoaded,
        };
        /** @type {Times} */
        this.times = {};
        /**
         * What waits for a session of the control channel to begin or end.
         *
         * @type {(() => void)[]}
         */
        this.attachments = [];
        /**
         * What waits for the content of the folders.
         *
         * @type {((archive: Archive) => void)[]}
         */
        this.archives = [];
        /**
         * QEMU's threads.
         *
         * @type {Map<number, Worker>}
         */
        this.threads = new Map();
        /** @type {PromiseWithResolvers<void>} */
        const running = Promise.withResolvers();
        /** @type {PromiseWithResolvers<Ended>} */
        const ended = Promise.withResolvers();
        this.running = running.promise;
        this.startFailed = running.reject;
        this.started = running.resolve;
        /** How the machine ended. */
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
        /* URLs are relative to the page, but the worker is in another folder. */
        const program = absolute(wanted.program);
        this.send({
            type: 'start',
            options: { ...wanted, program, timeline: Boolean(onTimeline) },
        });
        signal?.addEventListener('abort', () => this.kill());
        void this.compile(program, onProgress, signal);
        void this.fill(files, folders, disks);
    }

    /** @param {ToWorker} message */
    send(message) {
        this.worker.postMessage(message);
    }

    /**
     * Compile QEMU: in this thread, because the worker has not even begun yet.
     *
     * @param {string} program
     * @param {(progress: Progress) => void} [progress]
     * @param {AbortSignal} [signal]
     */
    async compile(program, progress = () => {}, signal) {
        try {
            const compiled = await downloadProgram(program, progress, signal);
            this.send({ type: 'program', value: compiled });
        } catch (error) {
            this.fail(messageOf(error));
        }
    }

    /**
     * @param {NonNullable<MachineOptions['files']>} files
     * @param {NonNullable<MachineOptions['folders']>} folders
     * @param {MachineDisk[]} disks
     */
    async fill(files, folders, disks) {
        try {
            const [found, shared] = await Promise.all([files, folders]);
            this.send({ type: 'contents', value: {
                files: found.map(located),
                folders: shared,
                disks: disks.map(locatedDisk),
            } });
        } catch (error) {
            this.fail(messageOf(error));
        }
    }

    /** @param {FromWorker} message */
    receive(message) {
        const { handlers } = this;
        switch (message.type) {
        case 'times':
            Object.assign(this.times, message.times);
            break;
        case 'started':
            this.started();
            break;
        case 'attached':
            this.attachments.shift()?.();
            break;
        case 'folders':
            this.archives.shift()?.(message.value);
            break;
        case 'thread':
            this.thread(message);
            break;
        case 'failed':
            this.fail(message.why);
            break;
        case 'ended':
            this.end(message.result);
            break;
        case 'output':
            handlers.onOutput?.(message.value);
            break;
        case 'error':
            handlers.onError?.(message.value);
            break;
        case 'timeline':
            handlers.onTimeline?.(message.value);
            break;
        case 'progress':
            handlers.onProgress?.(message.value);
            break;
        case 'control':
            handlers.onControl?.(message.value);
            break;
        case 'loaded':
            handlers.onLoaded?.();
            break;
        }
    }

    /**
     * Make, tell or end a thread of QEMU's, as remote-worker.mjs asks.
     *
     * @param {ToThread} message
     */
    thread(message) {
        const { id } = message;
        switch (message.what) {
        case 'make':
            this.threads.set(id, this.make(id, message.value));
            break;
        case 'post':
            this.threads.get(id)?.postMessage(message.value);
            break;
        case 'terminate':
            this.threads.get(id)?.terminate();
            this.threads.delete(id);
            break;
        }
    }

    /**
     * @param {number} id
     * @param {{ url: string, options?: WorkerOptions }} what
     */
    make(id, { url, options }) {
        const thread = new Worker(url, options);
        thread.onmessage = ({ data }) =>
            this.send({ type: 'thread', id, what: 'message', value: data });
        thread.onerror = (event) => {
            event.preventDefault();
            const { message, filename, lineno } = event;
            this.send({ type: 'thread', id, what: 'error',
                        value: { message, filename, lineno } });
        };
        return thread;
    }

    /**
     * Type at the guest's console.
     *
     * @param {Uint8Array} bytes
     */
    input(bytes) {
        this.send({ type: 'input', value: bytes });
    }

    /**
     * Begin or end a session of QEMU's control channel (QMP), if QEMU was started with
     * one; resolves when QEMU has done so.
     *
     * @param {boolean} attached
     * @returns {Promise<void>}
     */
    attachControl(attached) {
        /** @type {PromiseWithResolvers<void>} */
        const done = Promise.withResolvers();
        this.attachments.push(done.resolve);
        this.send({ type: 'attach', value: attached });
        return done.promise;
    }

    /**
     * Remove a file that QEMU does not need any more, because it takes memory.
     *
     * @param {string} path
     */
    remove(path) {
        this.send({ type: 'remove', value: path });
    }

    /** @param {Uint8Array} bytes */
    controlInput(bytes) {
        this.send({ type: 'control', value: bytes });
    }

    /**
     * The content of the folders that the guest may write, as it is now.
     *
     * @returns {Promise<Archive>}
     */
    readFolders() {
        /** @type {PromiseWithResolvers<Archive>} */
        const { promise, resolve } = Promise.withResolvers();
        this.archives.push(resolve);
        this.send({ type: 'folders' });
        return promise;
    }

    /** Have QEMU end in order; `ended` resolves then. */
    stop() {
        this.input(QUIT_KEYS);
    }

    /** End QEMU at once; QEMU writes nothing more. */
    kill() {
        this.fail('killed');
    }

    /**
     * QEMU did not start, or broke off.
     *
     * @param {string} why
     */
    fail(why) {
        this.startFailed(new Error(why));
        this.end({ status: null, aborted: why, stats: null, statsFile: null,
                   files: {}, disks: {}, archive: null, why: 'nothing was kept' });
    }

    /** @param {Ended} result */
    end(result) {
        this.worker.terminate();
        this.threads.forEach((thread) => thread.terminate());
        this.archives.splice(0).forEach((resolve) =>
            resolve({ archive: result.archive, why: result.why }));
        this.resolveEnded(result);
    }
}
