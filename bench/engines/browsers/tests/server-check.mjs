/*
 * Tests server.mjs: what it serves, to whom, and with which headers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Server } from '../server.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tierlab-'));
/** @param {string} name */
const at = (name) => path.join(folder, name);
fs.mkdirSync(at('tree'));
fs.writeFileSync(at('tree/a.mjs'), 'export {}');
fs.writeFileSync(at('tree/secret.txt'), 'secret');
fs.writeFileSync(at('b.mjs'), 'outside');
fs.writeFileSync(at('kernel'), 'kernel');

const server = new Server({ 'some/tree': at('tree') });
await server.listen();
const { base, origin, host } = server;

/**
 * Send a request as it is: fetch() would tidy the path up, and sends its own host.
 *
 * @param {string} url
 * @param {import('node:http').OutgoingHttpHeaders} headers
 */
async function ask(url, method = 'GET', headers = {}, body = '') {
    const [, address, target] = url.match(/^http:\/\/([^/]+)(.*)$/) ?? [];
    const [hostname, port] = address.split(':');
    const request = http.request({ hostname, port, path: target, method,
                                   headers: { host, ...headers } });
    request.end(body);
    /** @type {http.IncomingMessage} */
    const response = (await once(request, 'response'))[0];
    response.setEncoding('utf8');
    let text = '';
    for await (const piece of response) {
        text += piece;
    }
    return { status: response.statusCode, headers: response.headers, text };
}

/* A file of the tree is served with the headers of an isolated page. */
const page = await ask(`${base}some/tree/a.mjs`);
assert.equal(page.status, 200);
assert.equal(page.text, 'export {}');
assert.match(page.headers['content-type'] ?? '', /^text\/javascript/);
assert.equal(page.headers['cross-origin-opener-policy'], 'same-origin');
assert.equal(page.headers['cross-origin-embedder-policy'], 'require-corp');
const policy = String(page.headers['content-security-policy']);
assert.match(policy, /default-src 'none'/);
assert.match(policy, /script-src 'self' 'wasm-unsafe-eval';/);
assert.doesNotMatch(policy, /'unsafe-eval'|unsafe-inline|\*/);

/* A disk is served in ranges. */
const disk = server.offer(at('kernel'));
for (const [range, status, text, said] of [
    ['bytes=1-3', 206, 'ern', 'bytes 1-3/6'],
    ['bytes=4-99', 206, 'el', 'bytes 4-5/6'],
    ['bytes=6-7', 200, 'kernel', undefined],
    ['bytes=3-1', 200, 'kernel', undefined],
    ['bytes=-2', 200, 'kernel', undefined],
    ['lines=1-2', 200, 'kernel', undefined],
]) {
    const part = await ask(disk, 'GET', { range: String(range) });
    assert.deepEqual([part.status, part.text, part.headers['content-range']],
                     [status, text, said]);
}

/* Nothing else is served. */
for (const url of [
    `${origin}/`,
    `${origin}/some/tree/a.mjs`,
    `${base.replace(server.token, '0'.repeat(32))}some/tree/a.mjs`,
    `${base}some/tree/secret.txt`,
    `${base}some/tree/../b.mjs`,
    `${base}some/tree/..%2fb.mjs`,
    `${base}some/tree/`,
    `${base}some/none.mjs`,
    `${base}b.mjs`,
    `${base}constructor/a.mjs`,
    `${base}file/1`,
]) {
    assert.equal((await ask(url)).status, 404, url);
}
/* A request by another name of the host is refused. */
assert.equal((await ask(`${base}some/tree/a.mjs`, 'GET',
                        { host: 'evil.example' })).status, 404);

/* An offered file is served. */
const offered = server.offer(at('kernel'));
assert.equal((await ask(offered)).text, 'kernel');

/* A wanted file is taken from the own page only. */
const wanted = server.take(at('left'));
assert.equal((await ask(wanted, 'PUT', {}, 'x')).status, 404);
assert.equal((await ask(wanted, 'PUT', { origin: 'http://evil.example' },
                        'x')).status, 404);
assert.equal((await ask(offered, 'PUT', { origin }, 'x')).status, 404);
assert.ok(!fs.existsSync(at('left')));
assert.equal((await ask(wanted, 'PUT', { origin }, 'stats')).status, 204);
assert.equal(fs.readFileSync(at('left'), 'utf8'), 'stats');

/* A tunnel leads to a server that knows neither the host's name nor its pages. */
/** @type {PromiseWithResolvers<string>} */
const seen = Promise.withResolvers();
const relay = net.createServer((socket) => {
    socket.once('data', (data) => {
        seen.resolve(data.toString());
        socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
        socket.pipe(socket);
    });
    socket.on('error', () => {});
});
relay.listen(0, '127.0.0.1');
await once(relay, 'listening');
const { port: relayPort } = /** @type {net.AddressInfo} */ (relay.address());
const relayHost = `127.0.0.1:${relayPort}`;
const tunnel = new URL(server.tunnel('network', `ws://${relayHost}/secret`));

/** @param {string} from the origin of the request */
function upgrade(from) {
    const socket = net.connect(Number(tunnel.port), tunnel.hostname);
    socket.on('error', () => {});
    socket.write(`GET ${tunnel.pathname} HTTP/1.1\r\nHost: ${host}\r\n` +
        `Origin: ${from}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    return socket;
}

await once(upgrade('http://evil.example'), 'close');
const socket = upgrade(origin);
const request = await seen.promise;
assert.match(request, /^GET \/secret HTTP\/1.1\r\n/);
assert.ok(request.includes(`host: ${relayHost}\r\n`));
assert.doesNotMatch(request, /origin/i);
assert.match((await once(socket, 'data'))[0].toString(), /^HTTP\/1.1 101/);
socket.write('frame');
assert.equal((await once(socket, 'data'))[0].toString(), 'frame');

fs.rmSync(folder, { recursive: true });
console.log('all right');
process.exit(0);
