/*
 * Sleeping until another thread changes a word of shared memory, without
 * blocking this one: Atomics.waitAsync, or where an engine has none, threads
 * that block in its place.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/* One for each wait at a time: a console, a control channel, a network. */
const idle = [];

function waiter() {
    return idle.pop() ??
        new Worker(new URL('./waiter.mjs', import.meta.url),
                   { type: 'module', name: 'waiter' });
}

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

/* Resolves when words[index] is not value, or somebody notified. */
export function changed(words, index, value) {
    if (!Atomics.waitAsync) {
        return byThread(words, index, value);
    }
    const wait = Atomics.waitAsync(words, index, value);
    return wait.async ? wait.value : Promise.resolve();
}
