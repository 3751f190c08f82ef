/*
 * A Worker for a worker, which the page makes: otherwise QEMU's threads would be workers
 * of a worker, and Firefox (153) does not always return from making one. machine.mjs is
 * the other side. Only the part of a Worker that emscripten uses is here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
/** @import { FromThread, ToThread } from './types.d.ts' */

/** @type {RemoteWorker[]} */
const workers = [];

/**
 * @param {ToThread} message
 * @param {Transferable[]} transfer
 */
const ask = (message, transfer = []) => postMessage(message, transfer);

export class RemoteWorker {
    /**
     * @param {string | URL} url
     * @param {WorkerOptions} [options]
     */
    constructor(url, options) {
        /** @type {((event: { data: unknown }) => void) | null} */
        this.onmessage = null;
        /** @type {((error: Error) => void) | null} */
        this.onerror = null;
        this.id = workers.length;
        workers.push(this);
        ask({ type: 'thread', id: this.id, what: 'make',
              value: { url: String(url), options } });
    }

    /**
     * @param {unknown} message
     * @param {Transferable[]} [transfer]
     */
    postMessage(message, transfer) {
        ask({ type: 'thread', id: this.id, what: 'post', value: message }, transfer);
    }

    terminate() {
        ask({ type: 'thread', id: this.id, what: 'terminate' });
    }
}

/**
 * Hand to a thread's Worker what the page tells about the thread.
 *
 * @param {FromThread} message
 */
export function fromThread(message) {
    const worker = workers[message.id];
    if (message.what === 'message') {
        worker.onmessage?.({ data: message.value });
    } else {
        /* Emscripten throws this object on, so it must be an Error with a message. */
        const { value } = message;
        worker.onerror?.(Object.assign(new Error(value.message), value));
    }
}
