/*
 * Serves the files that a page needs, on this machine's loopback and for this run only:
 * every path begins with a secret, and nothing is served that was not named. The
 * headers make the page cross-origin isolated, and let it load and run nothing else.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import crypto from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

/** @import { IncomingMessage, ServerResponse } from 'node:http' */

/**
 * @callback Upgrade
 * @param {IncomingMessage} request
 * @param {import('node:stream').Duplex} socket
 * @param {Buffer} head
 * @returns {void}
 */

/** @type {Record<string, string>} */
const TYPES = {
    '.html': 'text/html; charset=utf-8',
    '.mjs': 'text/javascript; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.wasm': 'application/wasm',
};
const OTHER = 'application/octet-stream';

/**
 * The range that a request asks for, if it is one that the page's modules ask for: the
 * whole file is a valid answer to any other.
 *
 * @param {string | undefined} header
 * @param {number} size of the file
 */
function rangeOf(header, size) {
    const [, first, last] = (header ?? '').match(/^bytes=(\d+)-(\d+)$/) ?? [];
    const start = Number(first), end = Math.min(size, Number(last) + 1);
    return start < end ? { start, end } : null;
}

export class Server {
    /**
     * @param {Record<string, string>} trees folders of this machine by their folder in
     *     the URL. Requests for files in folders below them are refused, and requests
     *     for files of types that a page does not load.
     */
    constructor(trees) {
        this.trees = trees;
        this.token = crypto.randomBytes(16).toString('hex');
        this.host = this.origin = this.base = '';
        /**
         * Files that may be read, by the path in their URL.
         *
         * @type {Map<string, string>}
         */
        this.files = new Map();
        /**
         * Files that may be written, by the path in their URL.
         *
         * @type {Map<string, string>}
         */
        this.wanted = new Map();
        /**
         * What answers WebSockets, by the path in their URL.
         *
         * @type {Map<string, Upgrade>}
         */
        this.upgrades = new Map();
        this.server = http.createServer((request, response) => {
            this.answer(request, response).catch(() => response.destroy());
        });
        this.server.on('upgrade', (request, socket, head) => {
            const wanted = this.isOurs(request) && this.isOwnPage(request)
                ? this.upgrades.get(this.nameIn(request)) : undefined;
            if (wanted) {
                wanted(request, socket, head);
            } else {
                socket.destroy();
            }
        });
    }

    async listen() {
        this.server.listen(0, '127.0.0.1');
        await once(this.server, 'listening');
        const { port } = /** @type {net.AddressInfo} */ (this.server.address());
        this.host = `127.0.0.1:${port}`;
        this.origin = `http://${this.host}`;
        this.base = `${this.origin}/${this.token}/`;
    }

    /**
     * Offer a file; returns its URL.
     *
     * @param {string} file
     */
    offer(file) {
        const name = `file/${this.files.size}`;
        this.files.set(name, file);
        return this.base + name;
    }

    /**
     * Let the page write a file; returns the URL for its PUT.
     *
     * @param {string} file
     */
    take(file) {
        const name = `left/${this.wanted.size}`;
        this.wanted.set(name, file);
        return this.base + name;
    }

    /**
     * Let the page reach another WebSocket of this machine, whose server need not know
     * about pages; returns the WebSocket's URL on this server.
     *
     * @param {string} name
     * @param {string} address
     */
    tunnel(name, address) {
        const { hostname, port, pathname } = new URL(address);
        this.upgrades.set(name, (request, socket, head) => {
            const other = net.connect(Number(port), hostname);
            const { origin, ...headers } = request.headers;
            const fields = { ...headers, host: `${hostname}:${port}` };
            other.write(`GET ${pathname} HTTP/1.1\r\n` +
                Object.entries(fields).map(([field, value]) =>
                    `${field}: ${value}\r\n`).join('') + '\r\n');
            other.write(head);
            other.setNoDelay(true);
            request.socket.setNoDelay(true);
            for (const [from, to] of [[socket, other], [other, socket]]) {
                from.on('error', () => to.destroy());
                from.on('close', () => to.destroy());
                from.pipe(to);
            }
        });
        return `ws://${this.host}/${this.token}/${name}`;
    }

    /**
     * Whether a request names this server and its secret, as other sites' pages do not.
     *
     * @param {IncomingMessage} request
     */
    isOurs(request) {
        const given = Buffer.from(request.url?.split('/')[1] ?? '');
        const token = Buffer.from(this.token);
        return request.headers.host === this.host &&
            given.length === token.length &&
            crypto.timingSafeEqual(given, token);
    }

    /**
     * The path behind the secret.
     *
     * @param {IncomingMessage} request
     */
    nameIn(request) {
        return request.url?.slice(this.token.length + 2) ?? '';
    }

    /** @param {IncomingMessage} request */
    isOwnPage(request) {
        return request.headers.origin === this.origin;
    }

    /** @param {string} type */
    headers(type) {
        return {
            'Content-Type': type,
            'Cache-Control': 'no-store',
            'Cross-Origin-Opener-Policy': 'same-origin',
            'Cross-Origin-Embedder-Policy': 'require-corp',
            'Cross-Origin-Resource-Policy': 'same-origin',
            'Content-Security-Policy': "default-src 'none'; base-uri 'none'; " +
                "form-action 'none'; frame-ancestors 'none'; img-src data:; " +
                "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; " +
                `connect-src 'self' ws://${this.host}`,
            'Referrer-Policy': 'no-referrer',
            'X-Content-Type-Options': 'nosniff',
        };
    }

    /**
     * @param {IncomingMessage} request
     * @param {ServerResponse} response
     * @returns {Promise<void>}
     */
    async answer(request, response) {
        /** @param {number} status */
        const refuse = (status) => {
            response.writeHead(status, this.headers('text/plain'));
            response.end();
        };
        if (!this.isOurs(request)) {
            return refuse(404);
        }
        const name = this.nameIn(request);
        const wanted = this.wanted.get(name);
        if (request.method === 'PUT' && wanted && this.isOwnPage(request)) {
            await pipeline(request, fs.createWriteStream(wanted));
            return refuse(204);
        }
        const file = this.files.get(name) ?? this.inTrees(name);
        if (request.method !== 'GET' || !file || !fs.existsSync(file)) {
            return refuse(404);
        }
        const { size } = fs.statSync(file);
        const range = rangeOf(request.headers.range, size);
        const { start, end } = range ?? { start: 0, end: size };
        response.writeHead(range ? 206 : 200, {
            ...this.headers(TYPES[path.extname(file)] ?? OTHER),
            'Content-Length': end - start,
            ...range && { 'Content-Range': `bytes ${start}-${end - 1}/${size}` },
        });
        if (start === end) {
            response.end();
            return;
        }
        await pipeline(fs.createReadStream(file, { start, end: end - 1 }), response);
    }

    /**
     * The file of a path in one of the trees, or null.
     *
     * @param {string} name
     */
    inTrees(name) {
        const [, folder, file] = name.match(/^(.*)\/([\w.-]+)$/) ?? [];
        const known = file && Object.hasOwn(this.trees, folder) &&
            Object.hasOwn(TYPES, path.extname(file));
        return known ? path.join(this.trees[folder], file) : null;
    }
}
