/*
 * The probe in a thread of a page: a page's own may not compile much at once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { probe } from '../../js/probe.mjs';

onmessage = async ({ data }) => {
    postMessage({ found: await probe(data, (progress) =>
        postMessage({ progress })) });
};
