/*
 * What the runtime says of itself: statistics when it ends, a timeline while
 * it runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import fs from 'node:fs';
import path from 'node:path';

const STATS_PATH = '/tierlab/stats.json';
const TIMELINE_PATH = '/tierlab/timeline';
const TIMELINE_DEVICE = [64, 0];

/*
 * The timeline goes straight to a file of the host: it is read while the guest
 * runs, and is all there is of a run that was killed.
 */
function streamTimeline(module, path) {
    const fd = fs.openSync(path, 'w');
    const device = module.FS.makedev(...TIMELINE_DEVICE);
    module.FS.registerDevice(device, {
        open() {},
        close() {},
        /* A copy: the host does not take shared memory. */
        write: (stream, buffer, offset, length) =>
            fs.writeSync(fd, buffer.slice(offset, offset + length)),
    });
    module.FS.mkdirTree('/tierlab');
    module.FS.mkdev(TIMELINE_PATH, device);
    module.ENV.TIERLAB_TIMELINE = TIMELINE_PATH;
}

export const reportsPart = {
    options: {
        '--stats': (settings, file) => { settings.stats = file; },
        '--timeline': (settings, file) => { settings.timeline = file; },
    },

    prepare(module, settings) {
        if (settings.timeline) {
            streamTimeline(module, settings.timeline);
        }
        if (settings.stats) {
            module.FS.mkdirTree(path.posix.dirname(STATS_PATH));
            module.ENV.TIERLAB_STATS = STATS_PATH;
        }
    },

    exited(module, settings) {
        if (settings.stats && module.FS.analyzePath(STATS_PATH).exists) {
            fs.writeFileSync(settings.stats, module.FS.readFile(STATS_PATH));
        }
    },
};
