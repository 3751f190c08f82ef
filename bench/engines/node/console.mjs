/*
 * The guest's console, which is this process's stdin and stdout: the other end
 * of char-stdio-wasm.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { writeAll } from './host.mjs';

/* TwConsole of char-stdio-wasm.c, in 32-bit words. */
const OUT_HEAD = 0, OUT_TAIL = 1, OUT_SLEEPING = 2, OUT_SIZE = 3;
const IN_HEAD = 4, IN_TAIL = 5, IN_SIZE = 6;
const RINGS_OFFSET = 32;

/* The two rings of the console. */
class Console {
    constructor(module) {
        this.module = module;
        this.base = module._tw_console();
        const buffer = module.wasmMemory.buffer;
        this.words = new Int32Array(buffer, this.base, 8);
        this.outSize = this.words[OUT_SIZE];
        this.inSize = this.words[IN_SIZE];
        this.out = new Uint8Array(buffer, this.base + RINGS_OFFSET,
                                  this.outSize);
        this.in = new Uint8Array(buffer,
                                 this.base + RINGS_OFFSET + this.outSize,
                                 this.inSize);
        this.pending = [];
    }

    drain() {
        const head = Atomics.load(this.words, OUT_HEAD);
        const tail = Atomics.load(this.words, OUT_TAIL);
        const n = (head - tail) >>> 0;
        if (n === 0) {
            return false;
        }
        const start = (tail >>> 0) % this.outSize;
        const first = Math.min(n, this.outSize - start);
        writeAll(1, this.out.slice(start, start + first));
        if (first < n) {
            writeAll(1, this.out.slice(0, n - first));
        }
        Atomics.store(this.words, OUT_TAIL, head);
        Atomics.notify(this.words, OUT_TAIL);
        return true;
    }

    async run() {
        for (;;) {
            if (this.drain()) {
                continue;
            }
            const head = Atomics.load(this.words, OUT_TAIL);
            Atomics.store(this.words, OUT_SLEEPING, 1);
            const wait = Atomics.waitAsync(this.words, OUT_HEAD, head);
            if (wait.async) {
                await wait.value;
            }
            Atomics.store(this.words, OUT_SLEEPING, 0);
        }
    }

    input(bytes) {
        this.pending.push(...bytes);
        this.feed();
    }

    feed() {
        let head = Atomics.load(this.words, IN_HEAD);
        let moved = 0;
        while (moved < this.pending.length &&
               ((head - Atomics.load(this.words, IN_TAIL)) >>> 0) <
               this.inSize) {
            this.in[(head >>> 0) % this.inSize] = this.pending[moved++];
            head = (head + 1) | 0;
        }
        this.pending.splice(0, moved);
        Atomics.store(this.words, IN_HEAD, head);
        this.module._tw_console_input();
        if (this.pending.length) {
            setTimeout(() => this.feed(), 10);
        }
    }
}

let rings = null;

export const consolePart = {
    options: {},

    started(module) {
        rings = new Console(module);
        rings.run();
        process.stdin.on('data', (bytes) => rings.input(bytes));
        process.stdin.on('error', () => {});
        /* QEMU has no signals here: the keys that quit it, Ctrl-A X. */
        process.once('SIGTERM', () => rings.input([1, 0x78]));
    },

    ended() {
        rings?.drain();
    },
};
