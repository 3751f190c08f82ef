/*
 * Which browser this is, as the browser itself tells.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
/** @type {Record<string, string>} */
const NAMES = { Firefox: 'firefox', Edg: 'edge', OPR: 'opera',
                Chrome: 'chromium', Version: 'webkit' };

export function browser() {
    const agent = navigator.userAgent;
    const found = /(Edg|OPR)\/([\d.]+)/.exec(agent) ??
        /(Firefox|Chrome|Version)\/([\d.]+)/.exec(agent);
    return { name: NAMES[found?.[1] ?? ''] ?? 'browser', version: found?.[2] ?? '' };
}
