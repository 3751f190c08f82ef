/*
 * Sleeping until another thread changes a word of shared memory, without blocking the
 * own thread: by Atomics.waitAsync, or where an engine does not have it, by threads
 * that block instead.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/** @typedef {{ words: Int32Array, index: number, value: number }} Waited */

/**
 * Threads that wait for nothing now. Each wait that is under way (of a console, a
 * control channel, a network) has one of its own.
 *
 * @type {Worker[]}
 */
const idle = [];

function waiter() {
    return idle.pop() ??
        new Worker(new URL('./waiter.mjs', import.meta.url),
                   { type: 'module', name: 'waiter' });
}

/**
 * @param {Int32Array<SharedArrayBuffer>} words
 * @param {number} index
 * @param {number} value
 * @returns {Promise<void>}
 */
function byThread(words, index, value) {
    const worker = waiter();
    return new Promise((resolve) => {
        worker.onmessage = () => {
            idle.push(worker);
            resolve();
        };
        worker.postMessage({ words, index, value });
    });
}

/**
 * Resolves when words[index] is not `value`, or when another thread notified it.
 *
 * @param {Int32Array<SharedArrayBuffer>} words
 * @param {number} index
 * @param {number} value
 * @returns {Promise<unknown>}
 */
export function changed(words, index, value) {
    if (!Atomics.waitAsync) {
        return byThread(words, index, value);
    }
    const wait = Atomics.waitAsync(words, index, value);
    return wait.async ? wait.value : Promise.resolve();
}
