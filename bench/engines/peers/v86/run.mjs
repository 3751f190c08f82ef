/*
 * Boots a Linux guest in v86, as bench/engines/node/run.mjs boots it in QEMU.
 *
 *   node [engine flags] run.mjs --v86 DIR --kernel BZIMAGE --initrd FILE
 *        --append WORDS --memory MIB --seed N [--exit-port PORT]
 *
 * The first serial port is this process's stdin and stdout; Ctrl-A X quits. It
 * ends when the guest resets the machine, halts it for good, which is how a
 * machine without ACPI is powered off, or writes to the exit port: then with
 * QEMU's isa-debug-exit's status, else with 0.
 *
 * The machine is v86's default but for what the guest in QEMU does not have
 * either: no display's firmware, no network card.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { EXIT_SETUP, EXIT_USAGE, fail, writeAll } from
    '../../node/host.mjs';

const EXIT_ABORTED = 134;
const CTRL_A = 1;
const QUIT = Buffer.from('xX');
const NEWLINE = 10;

function settings() {
    const text = { type: 'string' };
    let values;
    try {
        ({ values } = parseArgs({
            options: { v86: text, kernel: text, initrd: text, append: text,
                       memory: text, seed: text, 'exit-port': text },
        }));
    } catch (e) {
        fail(EXIT_USAGE, e.message);
    }
    for (const name of ['v86', 'kernel', 'initrd', 'append', 'memory', 'seed']) {
        if (values[name] === undefined) {
            fail(EXIT_USAGE, `no --${name}`);
        }
    }
    return values;
}

function read(file) {
    try {
        return fs.readFileSync(file);
    } catch (e) {
        fail(EXIT_SETUP, `cannot read ${file}: ${e.code ?? e.message}`);
    }
}

/* As v86 takes a file: a buffer of its own. */
function image(file) {
    const bytes = read(file);
    return { buffer: bytes.buffer.slice(bytes.byteOffset,
                                        bytes.byteOffset + bytes.length) };
}

/* What the guest gets as randomness (Marsaglia's xorshift, 32 bits). */
function randomness(seed) {
    let state = seed >>> 0 || 1;
    return () => {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        return state | 0;
    };
}

/* The guest's console: lines are written when they end, others soon. */
class Output {
    bytes = [];
    waiting = false;

    put(byte) {
        this.bytes.push(byte);
        if (byte === NEWLINE) {
            this.flush();
        } else if (!this.waiting) {
            this.waiting = true;
            setImmediate(() => this.flush());
        }
    }

    flush() {
        this.waiting = false;
        writeAll(1, Buffer.from(this.bytes));
        this.bytes.length = 0;
    }
}

/* Keys for the guest, without those that are for us: Ctrl-A X, as in QEMU. */
class Input {
    escaped = false;

    constructor(send, quit) {
        this.send = send;
        this.quit = quit;
    }

    take(bytes) {
        const passed = [];
        for (const byte of bytes) {
            if (!this.escaped && byte === CTRL_A) {
                this.escaped = true;
                continue;
            }
            if (this.escaped && QUIT.includes(byte)) {
                this.send(passed);
                this.quit();
            }
            this.escaped = false;
            passed.push(byte);
        }
        this.send(passed);
    }
}

async function main() {
    const options = settings();
    const file = (name) => path.join(options.v86, name);
    const library = file('libv86.mjs');
    if (!fs.existsSync(library)) {
        fail(EXIT_SETUP, `${library} does not exist; run './tierlab build'`);
    }
    const { V86 } = await import(pathToFileURL(path.resolve(library)));

    const output = new Output();
    function end(status) {
        output.flush();
        process.exit(status);
    }
    process.on('uncaughtException', (e) => {
        output.flush();
        process.stderr.write(`${e.stack}\n`);
        fail(EXIT_ABORTED, `v86 stopped: ${e}`);
    });
    const emulator = new V86({
        async wasm_fn({ env }) {
            const get_rand_int = randomness(Number(options.seed));
            const { instance } = await WebAssembly.instantiate(
                read(file('v86.wasm')), { env: { ...env, get_rand_int } });
            return instance.exports;
        },
        memory_size: Number(options.memory) * 1024 * 1024,
        bios: image(file('bios.bin')),
        bzimage: image(options.kernel),
        initrd: image(options.initrd),
        cmdline: options.append,
        net_device: { type: 'none' },
        disable_keyboard: true,
        disable_mouse: true,
        disable_speaker: true,
        autostart: true,
    });
    emulator.add_listener('serial0-output-byte', (byte) => output.put(byte));
    emulator.add_listener('cpu-event-halt', () => end(0));
    emulator.add_listener('emulator-ready', () => {
        const { cpu } = emulator.v86;
        cpu.reboot_internal = () => end(0);
        if (options['exit-port'] !== undefined) {
            const exit = (value) => end(value << 1 & 0xff | 1);
            cpu.io.register_write(Number(options['exit-port']), {},
                                  exit, exit, exit);
        }
        const input = new Input(
            (bytes) => emulator.serial_send_bytes(0, Uint8Array.from(bytes)),
            () => end(0));
        process.stdin.on('data', (bytes) => input.take(bytes));
        process.stdin.on('error', () => {});
    });
}

main().catch((e) => fail(EXIT_SETUP, `v86 did not start: ${e.stack ?? e}`));
