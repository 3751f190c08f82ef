/*
 * What all parts need of the host: messages, exit statuses, writing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import fs from 'node:fs';
import { messageOf } from '../js/errors.mjs';

export const EXIT_USAGE = 2;
export const EXIT_SETUP = 3;

/**
 * End the program with one line on stderr.
 *
 * @param {number} status
 * @param {string} message
 * @returns {never}
 */
export function fail(status, message) {
    process.stderr.write(`tierlab: ${message}\n`);
    process.exit(status);
}

/**
 * The code of a system error, as ENOENT; the message of any other.
 *
 * @param {unknown} thrown
 * @returns {string}
 */
export const codeOf = (thrown) =>
    (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string'
        ? thrown.code : messageOf(thrown));

/**
 * Write all bytes. A full pipe is waited for, which Node's own write does not do.
 *
 * @param {number} fd
 * @param {Uint8Array} bytes
 */
export function writeAll(fd, bytes) {
    for (let done = 0; done < bytes.length;) {
        try {
            done += fs.writeSync(fd, bytes, done);
        } catch (e) {
            const code = codeOf(e);
            if (code === 'EPIPE') {
                process.exit(0);
            }
            if (code !== 'EAGAIN') {
                throw e;
            }
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
        }
    }
}
