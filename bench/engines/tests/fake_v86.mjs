/*
 * In the place of libv86.mjs: shows how it was called, then does what the
 * kernel's file says, a word at a time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
export class V86 {
    constructor(options) {
        this.options = options;
        this.listeners = {};
        this.writes = {};
        const io = { register_write: (port, device, w8) => {
            this.writes[port] = w8;
        } };
        this.v86 = { cpu: { io, reboot_internal: () => this.say('again') } };
        this.run();
    }

    add_listener(event, listener) {
        this.listeners[event] = listener;
    }

    serial_send_bytes(port, bytes) {
        this.say(`${port}:${Buffer.from(bytes)}\n`);
    }

    say(text) {
        for (const byte of Buffer.from(text)) {
            this.listeners['serial0-output-byte'](byte);
        }
    }

    async run() {
        let random;
        const get_rand_int = () => 0;
        await this.options.wasm_fn({ env: { get_rand_int } }).then((exports) => {
            random = exports.random;
        });
        this.listeners['emulator-ready']();
        const { memory_size, cmdline } = this.options;
        this.say(`${memory_size >> 20} MiB, ${cmdline}\n`);
        const script = Buffer.from(this.options.bzimage.buffer).toString();
        for (const word of script.split(' ')) {
            switch (word) {
            case 'halt': this.listeners['cpu-event-halt'](); break;
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
