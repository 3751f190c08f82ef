/*
 * QEMU's control channel (QMP) as a Unix socket, so that it is spoken to as a
 * native QEMU with -qmp unix:SOCKET is. One client at a time; the next one is
 * served when it left.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import net from 'node:net';
import { EXIT_SETUP, fail } from './host.mjs';
import { Rings } from '../js/rings.mjs';

export class ControlSocket {
    /* @end: of the channel, with attach() and input() as Rings have them. */
    constructor(end) {
        this.end = end;
        this.client = null;
        this.last = Promise.resolve();
    }

    /* QEMU says something. */
    output(bytes) {
        this.client?.write(bytes);
    }

    /* Clients can connect from now on; a failure is the end. */
    listen(path) {
        const server = net.createServer((socket) => {
            socket.on('error', () => socket.destroy());
            this.last = this.last.then(() => this.serve(socket));
        });
        server.on('error', (e) =>
            fail(EXIT_SETUP, `no control channel at ${path}: ` +
                 `${e.code ?? e.message}`));
        server.listen(path);
    }

    async serve(socket) {
        if (socket.destroyed) {
            return;
        }
        const left = new Promise((resolve) => socket.once('close', resolve));
        this.client = socket;
        await this.end.attach(true);
        socket.on('data', (bytes) => this.end.input(bytes));
        await left;
        this.client = null;
        await this.end.attach(false);
    }
}

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
            rings.run();
            socket.listen(control);
        }
    },
};
