/*
 * The files and folders of the host that QEMU may open in place. hostfs.js in
 * qemu/deps/wasm-posix opens them, in the thread that asks, and opens no others.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { EXIT_USAGE, fail } from './host.mjs';

/** @import { Part, Settings } from './part.d.ts' */

const VARIABLE = 'TIERLAB_LIVE';

/**
 * @param {Settings} settings
 * @param {string} option
 * @param {string | undefined} path
 * @param {boolean} writable
 */
function allow(settings, option, path, writable) {
    if (!path?.startsWith('/')) {
        fail(EXIT_USAGE, `${option} takes an absolute path, not '${path ?? ''}'`);
    }
    (settings.live ??= {})[path] = writable;
}

/*
 * When a thread ends, Node closes the files that the thread opened, and complains about
 * those that another thread has closed before. QEMU's threads share their files, so
 * Node must not track them.
 */
function shareDescriptors() {
    const threads = process.getBuiltinModule('node:worker_threads');
    const { Worker } = threads;

    threads.Worker = class extends Worker {
        /**
         * @param {string | URL} file
         * @param {import('node:worker_threads').WorkerOptions} [options]
         */
        constructor(file, options) {
            super(file, { ...options, trackUnmanagedFds: false });
        }
    };
}

/** @type {Part} */
export const livePart = {
    options: {
        '--live': (settings, path) => allow(settings, '--live', path, true),
        '--live-read': (settings, path) =>
            allow(settings, '--live-read', path, false),
    },

    /* QEMU's threads get a copy of this thread's variables. */
    before(settings) {
        process.env[VARIABLE] = JSON.stringify(settings.live ?? {});
        if (settings.live) {
            shareDescriptors();
        }
    },
};
