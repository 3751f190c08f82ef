/*
 * What a page needs of this machine, on its loopback only and for this run
 * only: every path begins with a secret, and nothing is served but what was
 * named. The headers make the page cross-origin isolated, and let it load and
 * run nothing else.
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

const TYPES = {
    '.html': 'text/html; charset=utf-8',
    '.mjs': 'text/javascript; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.wasm': 'application/wasm',
};
const OTHER = 'application/octet-stream';

export class Server {
    /*
     * @trees: URL folder -> folder of this machine; a request for a file in one
     * of its own folders, or of a type that is none of a page's, is refused.
     */
    constructor(trees) {
        this.trees = trees;
        this.token = crypto.randomBytes(16).toString('hex');
        /* URL path -> file, to be read, or to be written. */
        this.files = new Map();
        this.wanted = new Map();
        /* URL path -> what becomes a WebSocket: (request, socket, head). */
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
        this.host = `127.0.0.1:${this.server.address().port}`;
        this.origin = `http://${this.host}`;
        this.base = `${this.origin}/${this.token}/`;
    }

    /* Offer a file; returns its URL. */
    offer(file) {
        const name = `file/${this.files.size}`;
        this.files.set(name, file);
        return this.base + name;
    }

    /* Take a file; returns the URL to PUT it to. */
    take(file) {
        const name = `left/${this.wanted.size}`;
        this.wanted.set(name, file);
        return this.base + name;
    }

    /*
     * Let the page reach another WebSocket of this machine, which need not know
     * of pages; returns its URL here.
     */
    tunnel(name, address) {
        const { hostname, port, pathname } = new URL(address);
        this.upgrades.set(name, (request, socket, head) => {
            const other = net.connect(port, hostname);
            const fields = { ...request.headers, host: `${hostname}:${port}` };
            delete fields.origin;
            other.write(`GET ${pathname} HTTP/1.1\r\n` +
                Object.entries(fields).map(([field, value]) =>
                    `${field}: ${value}\r\n`).join('') + '\r\n');
            other.write(head);
            for (const [from, to] of [[socket, other], [other, socket]]) {
                from.setNoDelay(true);
                from.on('error', () => to.destroy());
                from.on('close', () => to.destroy());
                from.pipe(to);
            }
        });
        return `ws://${this.host}/${this.token}/${name}`;
    }

    /* Of a page elsewhere, neither name nor secret would be right. */
    isOurs(request) {
        const given = Buffer.from(request.url.split('/')[1] ?? '');
        const token = Buffer.from(this.token);
        return request.headers.host === this.host &&
            given.length === token.length &&
            crypto.timingSafeEqual(given, token);
    }

    nameIn(request) {
        return request.url.slice(this.token.length + 2);
    }

    isOwnPage(request) {
        return request.headers.origin === this.origin;
    }

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

    async answer(request, response) {
        const refuse = (status) => {
            response.writeHead(status, this.headers('text/plain'));
            response.end();
        };
        if (!this.isOurs(request)) {
            return refuse(404);
        }
        const name = this.nameIn(request);
        if (request.method === 'PUT' && this.wanted.has(name) &&
            this.isOwnPage(request)) {
            const file = this.wanted.get(name);
            await pipeline(request, fs.createWriteStream(file));
            return refuse(204);
        }
        const file = this.files.get(name) ?? this.inTrees(name);
        if (request.method !== 'GET' || !file || !fs.existsSync(file)) {
            return refuse(404);
        }
        response.writeHead(200, {
            ...this.headers(TYPES[path.extname(file)] ?? OTHER),
            'Content-Length': fs.statSync(file).size,
        });
        await pipeline(fs.createReadStream(file), response);
    }

    inTrees(name) {
        const [, folder, file] = name.match(/^(.*)\/([\w.-]+)$/) ?? [];
        const known = file && Object.hasOwn(this.trees, folder) &&
            Object.hasOwn(TYPES, path.extname(file));
        return known ? path.join(this.trees[folder], file) : null;
    }
}
