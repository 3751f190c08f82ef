/*
 * Starts the service worker, which serves the page without a network, and adds the
 * headers for shared memory on hosts that do not send them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

const RELOADED = 'tierlab.reloaded';

/*
 * Reload the page, so that the service worker adds the headers. The page remembers that
 * it was reloaded, or a page that stays without headers would reload for ever.
 */
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

/**
 * Have the service worker keep files, which the page may have fetched before the worker
 * was there.
 *
 * @param {string[]} urls
 */
export async function keep(urls) {
    const registration = await navigator.serviceWorker?.ready;
    registration?.active?.postMessage({ keep: urls });
}

/**
 * Start the service worker. The worker fetches the whole page once more, and so waits
 * for calm.
 *
 * @param {() => Promise<void>} calm resolves when the worker slows nothing down
 */
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
        /* The page runs without the worker, or tells which header is missing. */
    }
}
