/*
 * What all parts need of the host: messages, exit statuses, writing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import fs from 'node:fs';

export const EXIT_USAGE = 2;
export const EXIT_SETUP = 3;

export function fail(status, message) {
    process.stderr.write(`tierlab: ${message}\n`);
    process.exit(status);
}

/* Also to a pipe that is full, where a write of Node's own would not wait. */
export function writeAll(fd, bytes) {
    for (let done = 0; done < bytes.length;) {
        try {
            done += fs.writeSync(fd, bytes, done);
        } catch (e) {
            if (e.code === 'EPIPE') {
                process.exit(0);
            }
            if (e.code !== 'EAGAIN') {
                throw e;
            }
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
        }
    }
}
