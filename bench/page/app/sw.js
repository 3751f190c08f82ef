/*
 * The page without a network, and with the headers that it needs on hosts that do
 * not send them.
 *
 * Files whose directory is named by a digest never change: the first answer is kept.
 * The page itself is asked for each time, and taken from the cache when nobody
 * answers. What a newer page does not know is thrown away.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
'use strict';

const VERSION = {{version}};
const SHELL = {{shell}};
const KNOWN = {{known}};

const CACHE = 'tierlab';
const ISOLATION = {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cross-Origin-Resource-Policy': 'same-origin',
};
const ANSWER_MS = 4000;

const scope = new URL(self.registration.scope);
const known = new Set(KNOWN.map((path) => new URL(path, scope).href));

/* As it came, where that will do: of such answers the browser keeps more. */
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
    await Promise.all(SHELL.map(async (path) => {
        const url = new URL(path, scope).href;
        if (known.has(url) && await cache.match(url)) {
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
    const shell = new Set(SHELL.map((path) => new URL(path, scope).href));
    for (const request of await cache.keys()) {
        if (!known.has(request.url) && !shell.has(request.url)) {
            await cache.delete(request);
        }
    }
    await self.clients.claim();
}

/* Never changes: the cache first. */
async function kept(request) {
    const cache = await caches.open(CACHE);
    const found = await cache.match(request.url);
    if (found) {
        return isolated(found);
    }
    const response = await fetch(request);
    if (response.status === 200) {
        /* A full disk is no reason to fail. */
        cache.put(request.url, response.clone()).catch(() => {});
    }
    return isolated(response);
}

/* What the page fetched before we were there; the browser still has it. */
async function keep(urls) {
    const cache = await caches.open(CACHE);
    for (const url of urls.filter((url) => known.has(url))) {
        if (await cache.match(url)) {
            continue;
        }
        const response = await fetch(url, { cache: 'force-cache' });
        if (response.status === 200) {
            await cache.put(url, response);
        }
    }
}

/* May change: the network first. */
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

self.addEventListener('install', (event) => {
    self.skipWaiting();
    event.waitUntil(install());
});
self.addEventListener('activate', (event) => event.waitUntil(activate()));
self.addEventListener('message', (event) => {
    const { data, source } = event;
    if (data === 'version') {
        source.postMessage({ version: VERSION });
    } else if (data.keep) {
        /* A full disk is no reason to fail. */
        event.waitUntil(keep(data.keep).catch(() => {}));
    }
});
self.addEventListener('fetch', (event) => {
    const { request } = event;
    const url = new URL(request.url);
    url.hash = '';
    if (request.method !== 'GET' || request.headers.has('Range') ||
        !url.href.startsWith(scope.href)) {
        return;
    }
    if (known.has(url.href)) {
        event.respondWith(kept(request));
    } else if (request.mode === 'navigate' &&
               (url.pathname === scope.pathname ||
                url.pathname === `${scope.pathname}index.html`)) {
        event.respondWith(fresh(url.href, scope.href));
    } else if (!url.search) {
        event.respondWith(fresh(request, url.href));
    }
});
