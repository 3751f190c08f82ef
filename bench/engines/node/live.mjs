/*
 * Files and folders of the host that QEMU reads and writes in place, and no
 * others: qemu/deps/wasm-posix/hostfs.js opens them, in whichever thread asks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { EXIT_USAGE, fail } from './host.mjs';

const VARIABLE = 'TIERLAB_LIVE';

function allow(settings, option, path, writable) {
    if (!path?.startsWith('/')) {
        fail(EXIT_USAGE, `${option} takes an absolute path, not '${path ?? ''}'`);
    }
    (settings.live ??= {})[path] = writable;
}

/*
 * Node closes what a thread opened when that thread ends, and complains when
 * another one closes it before; QEMU's threads share their files.
 */
function shareDescriptors() {
    const threads = process.getBuiltinModule('node:worker_threads');
    const { Worker } = threads;

    threads.Worker = class extends Worker {
        constructor(file, options) {
            super(file, { ...options, trackUnmanagedFds: false });
        }
    };
}

export const livePart = {
    options: {
        '--live': (settings, path) => allow(settings, '--live', path, true),
        '--live-read': (settings, path) =>
            allow(settings, '--live-read', path, false),
    },

    /* Threads get a copy of the variables of this one. */
    before(settings) {
        process.env[VARIABLE] = JSON.stringify(settings.live ?? {});
        if (settings.live) {
            shareDescriptors();
        }
    },
};
