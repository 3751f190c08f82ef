/*
 * Tests network.mjs against a real relay, with small rings instead of QEMU's: sooner
 * or later a frame wraps or waits for room. Pings the host with contents of all sizes;
 * all answers must come back, whole and in order.
 *
 *   node network-check.mjs RELAY_PROGRAM
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Network } from '../../js/network.mjs';

const PINGS = 1500;
const BASE = 64, RING = 4096;
const OUT_HEAD = 0, OUT_TAIL = 1, OUT_SLEEPING = 2, OUT_FULL = 3, OUT_SIZE = 4;
const IN_HEAD = 5, IN_TAIL = 6, IN_WAITING = 7, IN_SIZE = 8;
const LINK_UP = 9;
const GUEST = [10, 0, 2, 15], HOST = [10, 0, 2, 2];
const MAC = [0x52, 0x54, 0, 1, 2, 3];

/** @type {() => PromiseWithResolvers<void>} */
const signal = () => Promise.withResolvers();

/** Does what runner-wasm.c does, and counts how often each side waited. */
class Guest {
    constructor() {
        const memory = new SharedArrayBuffer(BASE + 48 + 2 * RING);
        this.wasmMemory = { buffer: memory };
        this.words = new Int32Array(memory, BASE, 12);
        this.bytes = new Uint8Array(memory, BASE + 48);
        this.words[OUT_SIZE] = this.words[IN_SIZE] = RING;
        this.words[LINK_UP] = 1;
        /* Positions near the end of what 32 bits count. */
        this.words.fill(-RING * 2, OUT_HEAD, OUT_TAIL + 1);
        this.words.fill(-RING * 2, IN_HEAD, IN_TAIL + 1);
        this.events = this.fulls = this.waits = 0;
        this.changed = signal();
    }

    _tw_network() {
        return BASE;
    }

    _tw_network_event() {
        this.events++;
        this.changed.resolve();
        this.changed = signal();
    }

    /**
     * @param {number} ring
     * @param {number} position
     */
    at(ring, position) {
        return ring * RING + (position >>> 0) % RING;
    }

    /** @param {number} size */
    hasRoom(size) {
        const used = Atomics.load(this.words, OUT_HEAD) -
                     Atomics.load(this.words, OUT_TAIL);
        return RING - (used >>> 0) >= size;
    }

    /** @param {number[]} frame */
    async put(frame) {
        const record = 4 + ((frame.length + 3) & ~3);
        while (!this.hasRoom(record)) {
            this.fulls++;
            const changed = this.changed.promise;
            Atomics.store(this.words, OUT_FULL, 1);
            if (!this.hasRoom(record)) {
                await changed;
            }
        }
        const head = this.words[OUT_HEAD];
        const size = frame.length;
        [size & 255, size >> 8, 0, 0, ...frame].forEach((byte, i) => {
            this.bytes[this.at(0, head + i)] = byte;
        });
        Atomics.store(this.words, OUT_HEAD, head + record);
        if (Atomics.load(this.words, OUT_SLEEPING)) {
            Atomics.notify(this.words, OUT_HEAD, 1);
        }
    }

    async take() {
        const tail = this.words[IN_TAIL];
        while (tail === Atomics.load(this.words, IN_HEAD)) {
            await this.changed.promise;
        }
        /** @param {number} i */
        const byte = (i) => this.bytes[this.at(1, tail + i)];
        const size = byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24;
        const frame = Array.from({ length: size }, (_, i) => byte(4 + i));
        Atomics.store(this.words, IN_TAIL, tail + 4 + ((size + 3) & ~3));
        if (Atomics.load(this.words, IN_WAITING)) {
            this.waits++;
            Atomics.notify(this.words, IN_TAIL, 1);
        }
        return frame;
    }
}

/** @param {number[]} bytes */
function checksum(bytes) {
    let sum = 0;
    for (let i = 0; i < bytes.length; i += 2) {
        sum += bytes[i] << 8 | (bytes[i + 1] ?? 0);
    }
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return [~sum >> 8 & 255, ~sum & 255];
}

function arpRequest() {
    return [255, 255, 255, 255, 255, 255, ...MAC, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1,
            ...MAC, ...GUEST, 0, 0, 0, 0, 0, 0, ...HOST];
}

/** @param {number} number */
function ping(number) {
    const content = Array.from({ length: number * 7 % 1400 },
                               (_, i) => (i * 31 + number) & 255);
    const icmp = [8, 0, 0, 0, 1, 1, number >> 8, number & 255, ...content];
    icmp.splice(2, 2, ...checksum(icmp));
    const length = 20 + icmp.length;
    const ip = [0x45, 0, length >> 8, length & 255, 0, 0, 0, 0, 64, 1, 0, 0,
                ...GUEST, ...HOST];
    ip.splice(10, 2, ...checksum(ip));
    return [255, 255, 255, 255, 255, 255, ...MAC, 8, 0, ...ip, ...icmp];
}

/** @param {Guest} guest */
async function takePings(guest) {
    for (let number = 0; number < PINGS; number++) {
        const frame = await guest.take();
        const sent = ping(number);
        /* Ethernet's shortest frame is 60 bytes. */
        assert.equal(frame.length, Math.max(sent.length, 60));
        assert.equal(frame[34], 0);
        assert.deepEqual(frame.slice(38, sent.length), sent.slice(38));
        if (number % 100 === 99) {
            /* Let both rings fill. */
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
    }
}

/** @param {Guest} guest */
async function putPings(guest) {
    for (let number = 0; number < PINGS; number++) {
        await guest.put(ping(number));
    }
}

const relay = spawn(process.argv[2], [],
                    { stdio: ['pipe', 'pipe', 'inherit'] });
const [line] = await once(relay.stdout, 'data');
const guest = new Guest();
const lost = Promise.withResolvers();
new Network(guest, line.toString().trim(), lost.resolve);

await guest.put(arpRequest());
assert.deepEqual((await guest.take()).slice(20, 22), [0, 2]);
await Promise.all([putPings(guest), takePings(guest)]);
assert.equal(guest.words[OUT_TAIL], guest.words[OUT_HEAD]);
assert.ok(guest.fulls > 0, 'the guest never waited for room');
assert.ok(guest.waits > 0, 'the relay never waited for room');
assert.equal(guest.words[LINK_UP], 1);

const before = guest.events;
relay.stdin.end();
assert.equal(typeof await lost.promise, 'string');
assert.equal(guest.words[LINK_UP], 0);
assert.ok(guest.events > before);
console.log(`${PINGS} pings, ${guest.fulls} and ${guest.waits} waits for room`);
process.exit(0);
