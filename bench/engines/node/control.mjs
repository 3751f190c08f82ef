/*
 * QEMU's control channel (QMP) as a Unix socket, for clients that speak to a native
 * QEMU with -qmp unix:SOCKET in the same way. One client is served at a time; the next
 * one waits until it has left.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import net from 'node:net';
import { EXIT_SETUP, codeOf, fail } from './host.mjs';
import { Rings } from '../js/rings.mjs';

/** @import { Part } from './part.d.ts' */

/**
 * QEMU's end of the channel, as Rings have it.
 *
 * @typedef {object} ControlEnd
 * @property {(attached: boolean) => Promise<unknown>} attach
 * @property {(bytes: Uint8Array) => void} input
 */

export class ControlSocket {
    /** @param {ControlEnd} end */
    constructor(end) {
        this.end = end;
        /** @type {net.Socket | null} */
        this.client = null;
        this.last = Promise.resolve();
    }

    /**
     * Hand to the client what QEMU says.
     *
     * @param {Uint8Array} bytes
     */
    output(bytes) {
        this.client?.write(bytes);
    }

    /**
     * Let clients connect from now on; a failure ends the program.
     *
     * @param {string} path
     */
    listen(path) {
        const server = net.createServer((socket) => {
            socket.on('error', () => socket.destroy());
            this.last = this.last.then(() => this.serve(socket));
        });
        server.on('error', (e) =>
            fail(EXIT_SETUP, `no control channel at ${path}: ${codeOf(e)}`));
        server.listen(path);
    }

    /** @param {net.Socket} socket */
    async serve(socket) {
        if (socket.destroyed) {
            return;
        }
        const left = new Promise((resolve) => socket.once('close', resolve));
        this.client = socket;
        await this.end.attach(true);
        socket.on('data', (/** @type {Buffer} */ bytes) => this.end.input(bytes));
        await left;
        this.client = null;
        await this.end.attach(false);
    }
}

/** @type {Part} */
export const controlPart = {
    options: {
        '--control': (settings, socket) => { settings.control = socket; },
    },

    started(module, { control }) {
        if (control) {
            const rings = new Rings(module, module._tw_control(),
                                    module._tw_control_input,
                                    (bytes) => socket.output(bytes));
            const socket = new ControlSocket(rings);
            void rings.run();
            socket.listen(control);
        }
    },
};
