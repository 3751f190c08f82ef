/*
 * The service worker: the page without a network, and on hosts that do not send
 * the headers for shared memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

const RELOADED = 'tierlab.reloaded';

/* By way of the worker, which adds them; once, or it would go on for ever. */
function reloadIsolated() {
    try {
        if (sessionStorage.getItem(RELOADED)) {
            return;
        }
        sessionStorage.setItem(RELOADED, '1');
    } catch {
        return;
    }
    location.reload();
}

/* These were fetched, maybe before it was there. */
export async function keep(urls) {
    const registration = await navigator.serviceWorker?.ready;
    registration?.active.postMessage({ keep: urls });
}

/* @calm resolves when it is in nobody's way: it fetches the whole page once more. */
export async function register(calm) {
    if (!('serviceWorker' in navigator) || !isSecureContext) {
        return;
    }
    const wanted = !crossOriginIsolated;
    try {
        if (!wanted) {
            await calm();
        }
        await navigator.serviceWorker.register('./sw.js',
                                               { updateViaCache: 'none' });
        if (wanted) {
            await navigator.serviceWorker.ready;
            reloadIsolated();
            return;
        }
        sessionStorage.removeItem(RELOADED);
    } catch {
        /* It is for comfort: without it there is a network, or an obstacle. */
    }
}
