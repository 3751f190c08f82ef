/*
 * Bytes to and from QEMU: the other end of char-stdio-wasm.c, two rings in QEMU's
 * linear memory. When that memory grows, the old buffer still shows the rings.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { changed } from './wait.mjs';

/** @import { Qemu } from './qemu.d.ts' */

/* The fields of struct TwRings, as indexes of 32-bit words. */
const OUT_HEAD = 0, OUT_TAIL = 1, OUT_SLEEPING = 2, OUT_SIZE = 3;
const IN_HEAD = 4, IN_TAIL = 5, IN_SIZE = 6;
const ATTACHED = 7, OPENED = 8;
const WORDS = 16;

const RETRY_MS = 10;
const NOTHING = new Uint8Array(0);

export class Rings {
    /**
     * @param {Pick<Qemu, 'wasmMemory'>} module
     * @param {number} pointer to struct TwRings, as C returns it: signed
     * @param {() => void} tell tells QEMU that the rings changed
     * @param {(piece: Uint8Array<ArrayBuffer>) => void} sink gets each piece that
     *     QEMU writes
     */
    constructor(module, pointer, tell, sink) {
        const base = pointer >>> 0;
        const buffer = module.wasmMemory.buffer;
        this.tell = tell;
        this.sink = sink;
        this.words = new Int32Array(buffer, base, WORDS);
        this.outSize = this.words[OUT_SIZE];
        this.inSize = this.words[IN_SIZE];
        this.out = new Uint8Array(buffer, base + 4 * WORDS, this.outSize);
        this.in = new Uint8Array(buffer, base + 4 * WORDS + this.outSize,
                                 this.inSize);
        /* Input for which the ring has no room yet. */
        this.pending = NOTHING;
        /** @type {ReturnType<typeof setTimeout> | null} */
        this.retry = null;
    }

    /** Hand all that QEMU wrote to the sink; false if QEMU wrote nothing. */
    drain() {
        const head = Atomics.load(this.words, OUT_HEAD);
        const tail = Atomics.load(this.words, OUT_TAIL);
        const n = (head - tail) >>> 0;
        if (n === 0) {
            return false;
        }
        const start = (tail >>> 0) % this.outSize;
        const first = Math.min(n, this.outSize - start);
        this.sink(this.out.slice(start, start + first));
        if (first < n) {
            this.sink(this.out.slice(0, n - first));
        }
        Atomics.store(this.words, OUT_TAIL, head);
        Atomics.notify(this.words, OUT_TAIL);
        return true;
    }

    /** Drain the ring whenever QEMU writes; never returns. */
    async run() {
        for (;;) {
            if (this.drain()) {
                continue;
            }
            const head = Atomics.load(this.words, OUT_TAIL);
            Atomics.store(this.words, OUT_SLEEPING, 1);
            await changed(this.words, OUT_HEAD, head);
            Atomics.store(this.words, OUT_SLEEPING, 0);
        }
    }

    /** @param {Uint8Array} bytes */
    input(bytes) {
        const pending = new Uint8Array(this.pending.length + bytes.length);
        pending.set(this.pending);
        pending.set(bytes, this.pending.length);
        this.pending = pending;
        this.feed();
    }

    /** Move pending input to the ring, as far as there is room. */
    feed() {
        let head = Atomics.load(this.words, IN_HEAD);
        let moved = 0;
        while (moved < this.pending.length &&
               ((head - Atomics.load(this.words, IN_TAIL)) >>> 0) <
               this.inSize) {
            this.in[(head >>> 0) % this.inSize] = this.pending[moved++];
            head = (head + 1) | 0;
        }
        this.pending = this.pending.subarray(moved);
        Atomics.store(this.words, IN_HEAD, head);
        this.tell();
        /*
         * QEMU's multiplexer of consoles buffers 32 bytes and does not tell when
         * there is room again, so the ring is looked at from time to time.
         */
        if (head !== Atomics.load(this.words, IN_TAIL) && !this.retry) {
            this.retry = setTimeout(() => {
                this.retry = null;
                this.feed();
            }, RETRY_MS);
        }
    }

    /**
     * Begin or end a session; resolves when QEMU has begun or ended the session, too.
     *
     * @param {boolean} attached
     */
    async attach(attached) {
        const wanted = attached ? 1 : 0;
        this.pending = NOTHING;
        Atomics.store(this.words, ATTACHED, wanted);
        this.tell();
        while (Atomics.load(this.words, OPENED) !== wanted) {
            await changed(this.words, OPENED, 1 - wanted);
        }
    }
}
