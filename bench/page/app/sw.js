/*
 * The service worker: it serves the page without a network, and with the headers that
 * the page needs on hosts that do not send them.
 *
 * Files whose folder is named by a digest never change: the worker keeps the first
 * answer. The worker asks for the page itself each time, and takes it from the cache
 * when no server answers. It removes files that a newer page does not know.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
'use strict';

/**
 * What bench/page/site.py puts here in place of a text.
 *
 * @typedef {object} Built
 * @property {string} version of the page
 * @property {string[]} shell paths of what the page needs before a guest is chosen
 * @property {string[]} known paths of files whose folder is named by a digest
 * @property {string[]} folders such folders, of which not every file is listed
 */
const BUILT = /** @type {Built} */ (/** @type {unknown} */ ('{{built}}'));

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

const CACHE = 'tierlab';
const ISOLATION = {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cross-Origin-Resource-Policy': 'same-origin',
};
const ANSWER_MS = 4000;

const scope = new URL(worker.registration.scope);
const files = new Set(BUILT.known.map((path) => new URL(path, scope).href));
const folders = BUILT.folders.map((path) => new URL(`${path}/`, scope).href);

/**
 * Whether the file at an URL never changes.
 *
 * @param {string} url
 */
const isKnown = (url) => files.has(url) ||
    folders.some((folder) => url.startsWith(folder));

/**
 * The response with the headers. A response that has them, or that may not be read, is
 * not changed: the browser keeps compiled code only of unchanged responses.
 *
 * @template {Response | undefined} R
 * @param {R} response
 */
function isolated(response) {
    if (!response || response.type === 'opaqueredirect' ||
        response.headers.has('Cross-Origin-Embedder-Policy')) {
        return response;
    }
    const headers = new Headers(response.headers);
    for (const [name, value] of Object.entries(ISOLATION)) {
        headers.set(name, value);
    }
    const { status, statusText } = response;
    return new Response(response.body, { status, statusText, headers });
}

async function install() {
    const cache = await caches.open(CACHE);
    await Promise.all(BUILT.shell.map(async (path) => {
        const url = new URL(path, scope).href;
        if (isKnown(url) && await cache.match(url)) {
            return;
        }
        const response = await fetch(url, { cache: 'no-cache' });
        if (!response.ok) {
            throw new Error(`${url}: ${response.status}`);
        }
        await cache.put(url, response);
    }));
}

async function activate() {
    const cache = await caches.open(CACHE);
    const shell = new Set(BUILT.shell.map((path) => new URL(path, scope).href));
    for (const request of await cache.keys()) {
        if (!isKnown(request.url) && !shell.has(request.url)) {
            await cache.delete(request);
        }
    }
    await worker.clients.claim();
}

/**
 * A file that never changes: from the cache, or else from the network. A request that
 * is to reload the file passes the cache by: what was kept has turned out to be damaged.
 *
 * @param {Request} request
 */
async function kept(request) {
    const cache = await caches.open(CACHE);
    const found = request.cache === 'reload' ? undefined
                                             : await cache.match(request.url);
    if (found) {
        return isolated(found);
    }
    const response = await fetch(request);
    if (response.status === 200) {
        /* The page goes on although the disk is full. */
        cache.put(request.url, response.clone()).catch(() => {});
    }
    return isolated(response);
}

/**
 * Keep files that the page fetched before this worker was there; the browser's own
 * cache still has them.
 *
 * @param {string[]} urls
 */
async function keep(urls) {
    const cache = await caches.open(CACHE);
    for (const url of urls.filter(isKnown)) {
        if (await cache.match(url)) {
            continue;
        }
        const response = await fetch(url, { cache: 'force-cache' });
        if (response.status === 200) {
            await cache.put(url, response);
        }
    }
}

/**
 * A file that may change: from the network, or else from the cache.
 *
 * @param {Request | string} request
 * @param {string} key in the cache
 */
async function fresh(request, key) {
    const cache = await caches.open(CACHE);
    try {
        const response = await fetch(request, {
            cache: 'no-cache',
            signal: AbortSignal.timeout(ANSWER_MS),
        });
        if (response.status === 200) {
            cache.put(key, response.clone()).catch(() => {});
        }
        return isolated(response);
    } catch (error) {
        const found = await cache.match(key);
        if (!found) {
            throw error;
        }
        return isolated(found);
    }
}

worker.addEventListener('install', (event) => {
    void worker.skipWaiting();
    event.waitUntil(install());
});
worker.addEventListener('activate', (event) => event.waitUntil(activate()));
worker.addEventListener('message', (event) => {
    const { data, source } = event;
    if (data === 'version') {
        source?.postMessage({ version: BUILT.version });
    } else if (data.keep) {
        /* The page goes on although the disk is full. */
        event.waitUntil(keep(data.keep).catch(() => {}));
    }
});
worker.addEventListener('fetch', (event) => {
    const { request } = event;
    const url = new URL(request.url);
    url.hash = '';
    if (request.method !== 'GET' || request.headers.has('Range') ||
        !url.href.startsWith(scope.href)) {
        return;
    }
    if (isKnown(url.href)) {
        event.respondWith(kept(request));
    } else if (request.mode === 'navigate' &&
               (url.pathname === scope.pathname ||
                url.pathname === `${scope.pathname}index.html`)) {
        event.respondWith(fresh(url.href, scope.href));
    } else if (!url.search) {
        event.respondWith(fresh(request, url.href));
    }
});
