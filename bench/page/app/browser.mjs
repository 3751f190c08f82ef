/*
 * Which browser this is, as it says.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
const NAMES = { Firefox: 'firefox', Edg: 'edge', OPR: 'opera',
                Chrome: 'chromium', Version: 'webkit' };

export function browser() {
    const agent = navigator.userAgent;
    const found = /(Edg|OPR)\/([\d.]+)/.exec(agent) ??
        /(Firefox|Chrome|Version)\/([\d.]+)/.exec(agent);
    return { name: NAMES[found?.[1]] ?? 'browser', version: found?.[2] ?? '' };
}
