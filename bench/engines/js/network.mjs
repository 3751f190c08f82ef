/*
 * The guest's network: the other end of runner-wasm.c. The guest's frames go to the
 * network relay over a WebSocket, one frame in each message, and back the same way.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { changed } from './wait.mjs';

/** @import { Qemu } from './qemu.d.ts' */

/* The fields of struct TwNetwork of runner-wasm.c, as indexes of 32-bit words. */
const OUT_HEAD = 0, OUT_TAIL = 1, OUT_SLEEPING = 2, OUT_FULL = 3, OUT_SIZE = 4;
const IN_HEAD = 5, IN_TAIL = 6, IN_WAITING = 7, IN_SIZE = 8;
const LINK_UP = 9;
const RINGS_OFFSET = 48;
const PREFIX = 4;
const FRAME_MAX = 65536;

/* After so many frames the thread's other work has its turn. */
const FRAMES_AT_ONCE = 256;
/* How many bytes the WebSocket may buffer, and the pause when it buffers more. */
const SEND_AHEAD = 1 << 20;
const SEND_PAUSE_MS = 5;
/* How many bytes may wait for room in the guest's ring; further frames are dropped. */
const WAITING_MAX = 4 << 20;

/** @param {number} frameSize */
const recordSize = (frameSize) => PREFIX + ((frameSize + 3) & ~3);

/** A ring in linear memory of frames, each with its size in front. */
class Ring {
    /**
     * @param {SharedArrayBuffer} buffer
     * @param {number} at
     * @param {number} size
     */
    constructor(buffer, at, size) {
        this.bytes = new Uint8Array(buffer, at, size);
        this.prefixes = new Uint32Array(buffer, at, size / PREFIX);
    }

    /** @param {number} at a position, which counts on beyond the ring's end */
    start(at) {
        return (at >>> 0) % this.bytes.length;
    }

    /**
     * A copy of a frame outside shared memory, which WebSockets do not take.
     *
     * @param {number} at
     */
    get(at) {
        const frame = new Uint8Array(this.prefixes[this.start(at) / PREFIX]);
        const start = this.start(at + PREFIX);
        const first = Math.min(frame.length, this.bytes.length - start);
        frame.set(this.bytes.subarray(start, start + first));
        frame.set(this.bytes.subarray(0, frame.length - first), first);
        return frame;
    }

    /**
     * @param {number} at
     * @param {Uint8Array} frame
     */
    put(at, frame) {
        const start = this.start(at + PREFIX);
        const first = Math.min(frame.length, this.bytes.length - start);
        this.prefixes[this.start(at) / PREFIX] = frame.length;
        this.bytes.set(frame.subarray(0, first), start);
        this.bytes.set(frame.subarray(first), 0);
    }
}

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Network {
    /**
     * @param {Pick<Qemu, 'wasmMemory' | '_tw_network' | '_tw_network_event'>} module
     * @param {string} url the relay's WebSocket
     * @param {(why: string) => void} lost called when the relay is gone
     */
    constructor(module, url, lost) {
        const base = module._tw_network() >>> 0;
        const buffer = module.wasmMemory.buffer;
        this.module = module;
        this.lost = lost;
        this.words = new Int32Array(buffer, base, RINGS_OFFSET / 4);
        const outSize = this.words[OUT_SIZE], inSize = this.words[IN_SIZE];
        const outAt = base + RINGS_OFFSET;
        this.out = new Ring(buffer, outAt, outSize);
        this.in = new Ring(buffer, outAt + outSize, inSize);
        /**
         * Frames for which the guest's ring has no room yet.
         *
         * @type {Uint8Array[]}
         */
        this.waiting = [];
        this.waitingBytes = 0;
        this.socket = new WebSocket(url);
        this.socket.binaryType = 'arraybuffer';
        this.socket.onopen = () => void this.send();
        this.socket.onmessage = (event) => this.receive(event.data);
        this.socket.onclose = (event) => this.end(event);
    }

    /** Send the guest's frames until the relay is gone. */
    async send() {
        while (this.socket.readyState === WebSocket.OPEN) {
            if (this.socket.bufferedAmount > SEND_AHEAD) {
                await pause(SEND_PAUSE_MS);
            } else if (this.sendSome()) {
                await pause(0);
            } else {
                await this.frameToSend();
            }
        }
    }

    /** Send some frames; true if the ring may hold more. */
    sendSome() {
        for (let i = 0; i < FRAMES_AT_ONCE; i++) {
            const tail = Atomics.load(this.words, OUT_TAIL);
            if (tail === Atomics.load(this.words, OUT_HEAD)) {
                return false;
            }
            const frame = this.out.get(tail);
            this.socket.send(frame);
            Atomics.store(this.words, OUT_TAIL,
                          tail + recordSize(frame.length));
            if (Atomics.compareExchange(this.words, OUT_FULL, 1, 0)) {
                this.module._tw_network_event();
            }
        }
        return true;
    }

    /** Resolves when the guest may have put a frame into the ring. */
    async frameToSend() {
        const head = Atomics.load(this.words, OUT_TAIL);
        Atomics.store(this.words, OUT_SLEEPING, 1);
        await changed(this.words, OUT_HEAD, head);
        Atomics.store(this.words, OUT_SLEEPING, 0);
    }

    /**
     * Take a frame from the relay, for the guest.
     *
     * @param {ArrayBuffer} data
     */
    receive(data) {
        const size = data.byteLength;
        if (!(size <= FRAME_MAX) || this.waitingBytes + size > WAITING_MAX) {
            return;
        }
        this.waiting.push(new Uint8Array(data));
        this.waitingBytes += size;
        if (this.waiting.length === 1) {
            void this.deliver();
        }
    }

    /** Put the waiting frames into the guest's ring. */
    async deliver() {
        while (this.waiting.length) {
            const frame = this.waiting[0];
            if (this.hasRoom(recordSize(frame.length))) {
                const head = Atomics.load(this.words, IN_HEAD);
                this.in.put(head, frame);
                Atomics.store(this.words, IN_HEAD,
                              head + recordSize(frame.length));
                this.waiting.shift();
                this.waitingBytes -= frame.length;
                this.module._tw_network_event();
            } else {
                await this.room(recordSize(frame.length));
            }
        }
    }

    /** @param {number} size */
    hasRoom(size) {
        const used = Atomics.load(this.words, IN_HEAD) -
                     Atomics.load(this.words, IN_TAIL);
        return this.in.bytes.length - (used >>> 0) >= size;
    }

    /**
     * Resolves when the guest may have taken a frame out of its ring.
     *
     * @param {number} size
     */
    async room(size) {
        const tail = Atomics.load(this.words, IN_TAIL);
        Atomics.store(this.words, IN_WAITING, 1);
        if (!this.hasRoom(size)) {
            await changed(this.words, IN_TAIL, tail);
        }
        Atomics.store(this.words, IN_WAITING, 0);
    }

    /** Leave the relay, without a call of lost(): QEMU has ended. */
    close() {
        this.socket.onclose = null;
        this.socket.close();
    }

    /**
     * The relay is gone: the guest sees its cable pulled out, and goes on.
     *
     * @param {CloseEvent} event
     */
    end(event) {
        Atomics.store(this.words, LINK_UP, 0);
        this.module._tw_network_event();
        this.lost(event.reason || `code ${event.code}`);
    }
}
