/*
 * A Worker for a worker, that the page makes: its threads would be workers of a
 * worker, and Firefox (153) does not always return from making one.
 * machine.mjs is the other side. Only what emscripten uses of a Worker is here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
const workers = new Map();

const ask = (id, what, value, transfer = []) =>
    postMessage({ type: 'thread', id, what, value }, transfer);

export class RemoteWorker {
    constructor(url, options) {
        this.id = workers.size;
        workers.set(this.id, this);
        ask(this.id, 'make', { url: String(url), options });
    }

    postMessage(message, transfer) {
        ask(this.id, 'post', message, transfer);
    }

    terminate() {
        ask(this.id, 'terminate');
    }
}

/* What the page says of one of them. */
export function fromThread({ id, what, value }) {
    const worker = workers.get(id);
    if (what === 'message') {
        worker.onmessage?.({ data: value });
    } else {
        /* It is thrown on, and has to say what it is. */
        worker.onerror?.(Object.assign(new Error(value.message), value));
    }
}
