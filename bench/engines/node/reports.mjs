/*
 * What QEMU's runtime tells about itself: statistics when it ends, a timeline while it
 * runs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import fs from 'node:fs';
import { STATS_PATH, askForStats, askForTimeline } from '../js/reports.mjs';
import { writeAll } from './host.mjs';

/** @import { Part } from './part.d.ts' */

/** @type {Part} */
export const reportsPart = {
    options: {
        '--stats': (settings, file) => { settings.stats = file; },
        '--timeline': (settings, file) => { settings.timeline = file; },
    },

    prepare(module, settings) {
        if (settings.timeline) {
            /*
             * Straight to a file of the host: the harness reads it while the guest
             * runs, and a run that is killed leaves nothing else.
             */
            const fd = fs.openSync(settings.timeline, 'w');
            askForTimeline(module, (bytes) => writeAll(fd, bytes));
        }
        if (settings.stats) {
            askForStats(module);
        }
    },

    exited(module, settings) {
        if (settings.stats && module.FS.analyzePath(STATS_PATH).exists) {
            fs.writeFileSync(settings.stats, module.FS.readFile(STATS_PATH));
        }
    },
};
