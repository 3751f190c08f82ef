/*
 * Stands in for libv86.mjs: prints how it was called, then does what the file of the
 * kernel says, a word at a time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
/** @import { PortWriter, V86Listeners, V86Options } from '../peers/v86/v86.d.ts' */

export class V86 {
    /** @param {V86Options} options */
    constructor(options) {
        this.options = options;
        /** @type {Partial<V86Listeners>} */
        this.listeners = {};
        /** @type {Record<number, PortWriter>} */
        this.writes = {};
        const io = {
            /**
             * @param {number} port
             * @param {object} device
             * @param {PortWriter} write8
             */
            register_write: (port, device, write8) => {
                this.writes[port] = write8;
            },
        };
        this.v86 = { cpu: { io, reboot_internal: () => this.say('again') } };
        void this.run();
    }

    /**
     * @template {keyof V86Listeners} K
     * @param {K} event
     * @param {V86Listeners[K]} listener
     */
    add_listener(event, listener) {
        this.listeners[event] = listener;
    }

    /**
     * @param {number} port
     * @param {Uint8Array} bytes
     */
    serial_send_bytes(port, bytes) {
        this.say(`${port}:${Buffer.from(bytes)}\n`);
    }

    /** @param {string} text */
    say(text) {
        for (const byte of Buffer.from(text)) {
            this.listeners['serial0-output-byte']?.(byte);
        }
    }

    async run() {
        const get_rand_int = () => 0;
        const exports = await this.options.wasm_fn({ env: { get_rand_int } });
        const random = /** @type {() => number} */ (exports.random);
        this.listeners['emulator-ready']?.();
        const { memory_size, cmdline } = this.options;
        this.say(`${memory_size >> 20} MiB, ${cmdline}\n`);
        const script = Buffer.from(this.options.bzimage.buffer).toString();
        for (const word of script.split(' ')) {
            switch (word) {
            case 'halt': this.listeners['cpu-event-halt']?.(); break;
            case 'reset': this.v86.cpu.reboot_internal(); break;
            case 'exit': this.writes[0xf4](3); break;
            case 'trap': throw new Error('unreachable');
            case 'random': this.say(`${random()} ${random()}\n`); break;
            case 'wait': break;
            default: this.say(word);
            }
        }
    }
}
