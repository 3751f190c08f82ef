/*
 * A thread that blocks until a word of shared memory changes, for another thread that
 * must not block: see wait.mjs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/** @param {MessageEvent<import('./wait.mjs').Waited>} event */
onmessage = ({ data: { words, index, value } }) => {
    Atomics.wait(words, index, value);
    postMessage(null);
};
