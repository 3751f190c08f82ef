/*
 * The guest's console, which is this process's stdin and stdout.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { writeAll } from './host.mjs';
import { Rings } from '../js/rings.mjs';

/** @import { Part } from './part.d.ts' */

/** @type {Rings | null} */
let rings = null;

/** @type {Part} */
export const consolePart = {
    options: {},

    started(module) {
        const made = new Rings(module, module._tw_console(),
                               module._tw_console_input,
                               (bytes) => writeAll(1, bytes));
        rings = made;
        void made.run();
        process.stdin.on('data', (/** @type {Buffer} */ bytes) => made.input(bytes));
        process.stdin.on('error', () => {});
        /* QEMU does not get signals here, but the keys that quit it: Ctrl-A X. */
        process.once('SIGTERM', () => made.input(Buffer.from([1, 0x78])));
    },

    ended() {
        rings?.drain();
    },
};
