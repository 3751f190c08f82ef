/*
 * The page of one boot that a harness drives: it connects a WebSocket with a machine
 * (bench/engines/web/machine.mjs, which users' pages have, too). channel.mjs says what
 * goes over the WebSocket.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { messageOf } from '../../js/errors.mjs';
import { start } from '../../web/machine.mjs';
import { CONSOLE, CONTROL, packed, unpacked } from './channel.mjs';

/** @import { Boot, ToDriver, ToPage } from './channel.mjs' */
/** @import { Most } from '../../js/probe.mjs' */

const socket = new WebSocket(new URL('../../../channel', location.href)
    .href.replace(/^http/, 'ws'));
socket.binaryType = 'arraybuffer';

/** @type {import('../../web/machine.mjs').Machine | null} */
let machine = null;

/**
 * @template {keyof ToDriver} T
 * @param {T} type
 * @param {ToDriver[T]} value
 */
const say = (type, value) => socket.send(JSON.stringify({ type, value }));

/* Errors that nothing else catches. */
addEventListener('error', ({ message }) => say('trouble', message));
addEventListener('unhandledrejection', ({ reason }) =>
    say('trouble', messageOf(reason)));

/** @param {Boot} boot */
async function run({ options, left }) {
    try {
        machine = await start({
            ...options,
            onOutput: (bytes) => socket.send(packed(CONSOLE, bytes)),
            onControl: (bytes) => socket.send(packed(CONTROL, bytes)),
            onError: (text) => say('error', text),
            onTimeline: (line) => say('timeline', line),
        });
    } catch (e) {
        say('failed', messageOf(e));
        return;
    }
    say('started', machine.times);
    const { status, aborted, statsFile, files } = await machine.ended;
    /** @type {Record<string, BodyInit>} */
    const contents = { ...files, ...statsFile && { stats: statsFile } };
    for (const [path, content] of Object.entries(contents)) {
        await fetch(left[path], { method: 'PUT', body: content });
    }
    say('ended', { status, aborted });
}

/**
 * Hand on what the probe says, line by line.
 *
 * @param {Most} most
 */
function probe(most) {
    const worker = new Worker(new URL('./probe-worker.mjs', import.meta.url),
                              { type: 'module' });
    worker.onmessage = ({ data }) => say('probe', data);
    worker.onerror = (event) => say('failed', event.message);
    worker.postMessage(most);
}

/** @param {ToPage} message */
async function receive(message) {
    switch (message.type) {
    case 'start':
        await run(message.value);
        break;
    case 'probe':
        probe(message.value);
        break;
    case 'attach':
        await machine?.attachControl(message.value);
        say('attached', undefined);
        break;
    }
}

/** @param {MessageEvent<string | ArrayBuffer>} event */
socket.onmessage = ({ data }) => {
    if (typeof data === 'string') {
        void receive(JSON.parse(data));
        return;
    }
    const { channel, bytes } = unpacked(data);
    if (channel === CONSOLE) {
        machine?.input(bytes);
    } else {
        machine?.controlInput(bytes);
    }
};
