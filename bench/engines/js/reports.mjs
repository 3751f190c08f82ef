/*
 * Where the runtime is told to leave its statistics, and the device on which it
 * writes its timeline: JSON lines, while the guest runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
export const STATS_PATH = '/tierlab/stats.json';

const TIMELINE_PATH = '/tierlab/timeline';
const TIMELINE_DEVICE = [64, 0];

/* Before main(): statistics are wanted. */
export function askForStats(module) {
    module.FS.mkdirTree('/tierlab');
    module.ENV.TIERLAB_STATS = STATS_PATH;
}

/*
 * Before main(): a timeline is wanted. @write takes each piece, a copy: hosts
 * do not take shared memory.
 */
export function askForTimeline(module, write) {
    const device = module.FS.makedev(...TIMELINE_DEVICE);
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
