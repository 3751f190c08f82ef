/*
 * Talks to a running QEMU over its control channel (QMP), and resumes, saves or ends
 * a machine by it, as bench/harness/process/control.py and transfer.py do.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/* Enough that QEMU does not hold back; on wasm32 it is a size_t. */
const BANDWIDTH = 2 ** 32 - 1;

export class Control {
    /* One session; @machine is of machine.mjs, its onControl() calls receive(). */
    constructor(machine) {
        this.machine = machine;
        this.decoder = new TextDecoder();
        this.rest = '';
        this.answers = [];
        this.events = [];
        this.waiting = null;
        this.greeted = Promise.withResolvers();
    }

    async begin() {
        await this.machine.attachControl(true);
        await this.greeted.promise;
        await this.execute('qmp_capabilities');
    }

    async beginTransfer() {
        await this.begin();
        await this.execute('migrate-set-capabilities', {
            capabilities: [{ capability: 'events', state: true }],
        });
    }

    end() {
        return this.machine.attachControl(false);
    }

    receive(bytes) {
        const lines = (this.rest + this.decoder.decode(bytes, { stream: true }))
            .split('\n');
        this.rest = lines.pop();
        lines.filter((line) => line.trim()).forEach((line) =>
            this.take(JSON.parse(line)));
    }

    take(said) {
        if (said.QMP) {
            this.greeted.resolve();
        } else if (said.event) {
            this.events.push(said);
            this.waiting?.();
        } else if (said.error) {
            const { command, reject } = this.answers.shift();
            reject(new Error(`QEMU refused ${command}: ${said.error.desc}`));
        } else {
            this.answers.shift().resolve(said.return);
        }
    }

    execute(command, given = {}) {
        const { promise, resolve, reject } = Promise.withResolvers();
        this.answers.push({ command, resolve, reject });
        const text = JSON.stringify({ execute: command, arguments: given });
        this.machine.controlInput(new TextEncoder().encode(`${text}\n`));
        return promise;
    }

    async completed() {
        for (;;) {
            const event = this.events.shift();
            if (!event) {
                await new Promise((resolve) => { this.waiting = resolve; });
                continue;
            }
            const status = event.event === 'MIGRATION' && event.data.status;
            if (status === 'completed') {
                return;
            }
            if (status === 'failed' || status === 'cancelled') {
                const said = await this.execute('query-migrate');
                throw new Error(said['error-desc'] ?? `migration ${status}`);
            }
        }
    }

    /* QEMU was started with -incoming defer; the guest stands still afterwards. */
    async load(path) {
        await this.beginTransfer();
        await this.execute('migrate-incoming',
                           { uri: `file:${path}`, 'exit-on-error': false });
        await this.completed();
    }

    async go() {
        await this.execute('cont');
        await this.end();
    }

    /* QEMU ends then. */
    async save(path) {
        await this.beginTransfer();
        await this.execute('stop');
        await this.execute('migrate-set-parameters', { 'max-bandwidth': BANDWIDTH });
        await this.execute('migrate', { uri: `file:${path}` });
        await this.completed();
        this.execute('quit');
    }

    async quit() {
        await this.begin();
        this.execute('quit');
    }
}
