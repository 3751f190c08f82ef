/*
 * The guest's console, which is this process's stdin and stdout.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { writeAll } from './host.mjs';
import { Rings } from '../js/rings.mjs';

let rings = null;

export const consolePart = {
    options: {},

    started(module) {
        rings = new Rings(module, module._tw_console(),
                          module._tw_console_input,
                          (bytes) => writeAll(1, bytes));
        rings.run();
        process.stdin.on('data', (bytes) => rings.input(bytes));
        process.stdin.on('error', () => {});
        /* QEMU has no signals here: the keys that quit it, Ctrl-A X. */
        process.once('SIGTERM', () => rings.input(Buffer.from([1, 0x78])));
    },

    ended() {
        rings?.drain();
    },
};
