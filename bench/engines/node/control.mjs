/*
 * QEMU's control channel (QMP) as a Unix socket, so that it is spoken to as a
 * native QEMU with -qmp unix:SOCKET is. One client at a time; the next one is
 * served when it left.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { once } from 'node:events';
import net from 'node:net';
import { EXIT_SETUP, fail } from './host.mjs';
import { Rings } from '../js/rings.mjs';

class Control {
    constructor(module) {
        this.client = null;
        this.last = Promise.resolve();
        this.rings = new Rings(module, module._tw_control(),
                               module._tw_control_input,
                               (bytes) => this.client?.write(bytes));
        this.rings.run();
    }

    /* Resolves when clients can connect. */
    async listen(path) {
        const server = net.createServer((socket) => {
            socket.on('error', () => socket.destroy());
            this.last = this.last.then(() => this.serve(socket));
        });
        server.listen(path);
        await once(server, 'listening');
    }

    async serve(socket) {
        if (socket.destroyed) {
            return;
        }
        const left = new Promise((resolve) => socket.once('close', resolve));
        this.client = socket;
        await this.rings.attach(true);
        socket.on('data', (bytes) => this.rings.input(bytes));
        await left;
        this.client = null;
        await this.rings.attach(false);
    }
}

export const controlPart = {
    options: {
        '--control': (settings, socket) => { settings.control = socket; },
    },

    started(module, { control }) {
        if (control) {
            new Control(module).listen(control).catch((e) =>
                fail(EXIT_SETUP, `no control channel at ${control}: ` +
                     `${e.code ?? e.message}`));
        }
    },
};
