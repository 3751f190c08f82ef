/*
 * A thread that waits for another one: see wait.mjs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
onmessage = ({ data: { words, index, value } }) => {
    Atomics.wait(words, index, value);
    postMessage(null);
};
