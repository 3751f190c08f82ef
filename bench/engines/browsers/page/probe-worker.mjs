/*
 * Runs the probe in a worker, because the main thread of a page may not compile large
 * modules synchronously.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { probe } from '../../js/probe.mjs';

/** @param {MessageEvent<import('../../js/probe.mjs').Most>} event */
onmessage = async ({ data }) => {
    postMessage({ found: await probe(data, (progress) =>
        postMessage({ progress })) });
};
