/*
 * Tells the runtime where to leave its statistics, and makes the device to which it
 * writes its timeline: JSON lines, while the guest runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
/** @import { Qemu } from './qemu.d.ts' */

export const STATS_PATH = '/tierlab/stats.json';

const TIMELINE_PATH = '/tierlab/timeline';
const TIMELINE_MAJOR = 64, TIMELINE_MINOR = 0;

/**
 * Ask for statistics; to be called before main().
 *
 * @param {Qemu} module
 */
export function askForStats(module) {
    module.FS.mkdirTree('/tierlab');
    module.ENV.TIERLAB_STATS = STATS_PATH;
}

/**
 * Ask for a timeline; to be called before main(). `write` gets each piece as a copy,
 * because neither files nor messages of hosts take shared memory.
 *
 * @param {Qemu} module
 * @param {(piece: Uint8Array) => void} write
 */
export function askForTimeline(module, write) {
    const device = module.FS.makedev(TIMELINE_MAJOR, TIMELINE_MINOR);
    module.FS.registerDevice(device, {
        open() {},
        close() {},
        write(stream, buffer, offset, length) {
            write(buffer.slice(offset, offset + length));
            return length;
        },
    });
    module.FS.mkdirTree('/tierlab');
    module.FS.mkdev(TIMELINE_PATH, device);
    module.ENV.TIERLAB_TIMELINE = TIMELINE_PATH;
}
