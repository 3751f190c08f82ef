/*
 * The runner's side of runfs.h. Emscripten calls this function in the thread
 * that has QEMU's module, whichever thread of QEMU's asks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
addToLibrary({
    tw_run_ask__proxy: 'async',
    /**
     * @param {number} call pointer of a TwRunCall
     * @returns {void}
     */
    tw_run_ask: (call) => Module['onFileCall'](call >>> 0),
});
