/*
 * Talks to a running QEMU over its control channel (QMP), and resumes, saves or ends
 * a machine, as the harness does.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
/** @import { MachineLike } from '../../engines/web/types.d.ts' */

/** @typedef {Record<string, unknown>} Answer what QEMU returns for a command */
/** @typedef {{ event: string, data: { status?: string } }} QmpEvent */
/** @typedef {{ QMP?: object, error?: { desc: string }, return?: Answer } &
 *            Partial<QmpEvent>} Said a line of QEMU's */
/**
 * @typedef {object} Asked a command without an answer yet
 * @property {string} command
 * @property {(answer: Answer) => void} resolve
 * @property {(error: Error) => void} reject
 */

/* So much bandwidth that QEMU does not slow down; on wasm32 it is a size_t. */
const BANDWIDTH = 2 ** 32 - 1;

/** One session on the control channel of a machine, whose onControl() calls receive(). */
export class Control {
    /** @param {MachineLike} machine */
    constructor(machine) {
        this.machine = machine;
        this.decoder = new TextDecoder();
        this.rest = '';
        /** @type {Asked[]} */
        this.answers = [];
        /** @type {QmpEvent[]} */
        this.events = [];
        this.waiting = () => {};
        /** @type {PromiseWithResolvers<void>} */
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

    /** @param {Uint8Array} bytes */
    receive(bytes) {
        const lines = (this.rest + this.decoder.decode(bytes, { stream: true }))
            .split('\n');
        this.rest = lines.pop() ?? '';
        lines.filter((line) => line.trim()).forEach((line) =>
            this.take(JSON.parse(line)));
    }

    /** @param {Said} said */
    take(said) {
        if (said.QMP) {
            this.greeted.resolve();
        } else if (said.event) {
            this.events.push({ event: said.event, data: said.data ?? {} });
            this.waiting();
        } else if (said.error) {
            const asked = this.answers.shift();
            asked?.reject(
                new Error(`QEMU refused ${asked.command}: ${said.error.desc}`));
        } else {
            this.answers.shift()?.resolve(said.return ?? {});
        }
    }

    /**
     * Give QEMU a command; resolves with its answer.
     *
     * @param {string} command
     * @param {object} given the command's arguments
     * @returns {Promise<Answer>}
     */
    execute(command, given = {}) {
        /** @type {PromiseWithResolvers<Answer>} */
        const { promise, resolve, reject } = Promise.withResolvers();
        this.answers.push({ command, resolve, reject });
        const text = JSON.stringify({ execute: command, arguments: given });
        this.machine.controlInput(new TextEncoder().encode(`${text}\n`));
        return promise;
    }

    /** Resolves when the machine's state has been transferred. */
    async completed() {
        for (;;) {
            const event = this.events.shift();
            if (!event) {
                /** @type {Promise<void>} */
                const more = new Promise((resolve) => { this.waiting = resolve; });
                await more;
                continue;
            }
            const status = event.event === 'MIGRATION' && event.data.status;
            if (status === 'completed') {
                return;
            }
            if (status === 'failed' || status === 'cancelled') {
                const said = await this.execute('query-migrate');
                throw new Error(String(said['error-desc'] ?? `migration ${status}`));
            }
        }
    }

    /**
     * Load a machine's state into a QEMU that was started with -incoming defer. The
     * guest is stopped afterwards.
     *
     * @param {string} path
     */
    async load(path) {
        await this.beginTransfer();
        await this.execute('migrate-incoming',
                           { uri: `file:${path}`, 'exit-on-error': false });
        await this.completed();
    }

    /** Let the guest run, and end the session. */
    async go() {
        await this.execute('cont');
        await this.end();
    }

    /**
     * Save the machine's state; QEMU ends then.
     *
     * @param {string} path
     */
    async save(path) {
        await this.beginTransfer();
        await this.execute('stop');
        await this.execute('migrate-set-parameters', { 'max-bandwidth': BANDWIDTH });
        await this.execute('migrate', { uri: `file:${path}` });
        await this.completed();
        /* QEMU may end without an answer. */
        void this.execute('quit');
    }

    async quit() {
        await this.begin();
        /* QEMU may end without an answer. */
        void this.execute('quit');
    }
}
