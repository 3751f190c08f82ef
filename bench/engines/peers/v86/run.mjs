/*
 * Boots a Linux guest in v86, as bench/engines/node/run.mjs boots it in QEMU.
 *
 *   node [engine flags] run.mjs --v86 DIR --kernel BZIMAGE --initrd FILE
 *        --append WORDS --memory MIB --seed N [--exit-port PORT]
 *
 * The first serial port is this process's stdin and stdout; Ctrl-A X quits. The process
 * ends when the guest resets the machine, when the guest halts the machine for good
 * (which is how a machine without ACPI is powered off), or when the guest writes to the
 * exit port. The status is then that of QEMU's isa-debug-exit, in the other cases 0.
 *
 * The machine is v86's default machine without what the guest in QEMU does not have
 * either: firmware of a display, and a network card.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { EXIT_SETUP, EXIT_USAGE, codeOf, fail, writeAll } from
    '../../node/host.mjs';
import { messageOf, stackOf } from '../../js/errors.mjs';

/** @import { V86Image, V86Library } from './v86.d.ts' */

const EXIT_ABORTED = 134;
const CTRL_A = 1;
const QUIT = Buffer.from('xX');
const NEWLINE = 10;

function commandLine() {
    const text = /** @type {const} */ ({ type: 'string' });
    try {
        return parseArgs({
            options: { v86: text, kernel: text, initrd: text, append: text,
                       memory: text, seed: text, 'exit-port': text },
        }).values;
    } catch (e) {
        return fail(EXIT_USAGE, messageOf(e));
    }
}

function settings() {
    const values = commandLine();
    /** @param {Exclude<keyof typeof values, 'exit-port'>} name */
    const given = (name) => values[name] ?? fail(EXIT_USAGE, `no --${name}`);
    return {
        v86: given('v86'), kernel: given('kernel'), initrd: given('initrd'),
        append: given('append'), memory: Number(given('memory')),
        seed: Number(given('seed')), exitPort: values['exit-port'],
    };
}

/** @param {string} file */
function read(file) {
    try {
        return fs.readFileSync(file);
    } catch (e) {
        return fail(EXIT_SETUP, `cannot read ${file}: ${codeOf(e)}`);
    }
}

/**
 * A file as v86 takes it: in a buffer of its own.
 *
 * @param {string} file
 * @returns {V86Image}
 */
const image = (file) => ({ buffer: Uint8Array.from(read(file)).buffer });

/**
 * The guest's random numbers (Marsaglia's xorshift, 32 bits).
 *
 * @param {number} seed
 */
function randomness(seed) {
    let state = seed >>> 0 || 1;
    return () => {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        return state | 0;
    };
}

/** The guest's console: whole lines are written at once, parts of lines soon. */
class Output {
    /** @type {number[]} */
    bytes = [];
    waiting = false;

    /** @param {number} byte */
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

/** Hands keys to the guest, but quits at Ctrl-A X, as QEMU does. */
class Input {
    escaped = false;

    /**
     * @param {(bytes: number[]) => void} send
     * @param {() => void} quit
     */
    constructor(send, quit) {
        this.send = send;
        this.quit = quit;
    }

    /** @param {Uint8Array} bytes */
    take(bytes) {
        /** @type {number[]} */
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
    /** @param {string} name */
    const file = (name) => path.join(options.v86, name);
    const library = file('libv86.mjs');
    if (!fs.existsSync(library)) {
        fail(EXIT_SETUP, `${library} does not exist; run './tierlab build'`);
    }
    /** @type {V86Library} */
    const { V86 } = await import(pathToFileURL(path.resolve(library)).href);

    const output = new Output();
    /** @param {number} status */
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
            const get_rand_int = randomness(options.seed);
            const { instance } = await WebAssembly.instantiate(
                read(file('v86.wasm')), { env: { ...env, get_rand_int } });
            return instance.exports;
        },
        memory_size: options.memory * 1024 * 1024,
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
        if (options.exitPort !== undefined) {
            /** @param {number} value */
            const exit = (value) => end(value << 1 & 0xff | 1);
            cpu.io.register_write(Number(options.exitPort), {},
                                  exit, exit, exit);
        }
        const input = new Input(
            (bytes) => emulator.serial_send_bytes(0, Uint8Array.from(bytes)),
            () => end(0));
        process.stdin.on('data', (/** @type {Buffer} */ bytes) => input.take(bytes));
        process.stdin.on('error', () => {});
    });
}

main().catch((e) => fail(EXIT_SETUP, `v86 did not start: ${stackOf(e)}`));
