/*
 * The page of one boot that a harness drives: between a WebSocket and a machine
 * (bench/engines/web/machine.mjs, as users' pages have it). channel.mjs says what goes
 * over the WebSocket.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { start } from '../../web/machine.mjs';
import { CONSOLE, CONTROL, packed, unpacked } from './channel.mjs';

const socket = new WebSocket(new URL('../../../channel', location.href)
    .href.replace(/^http/, 'ws'));
socket.binaryType = 'arraybuffer';

let machine = null;

const say = (type, value) => socket.send(JSON.stringify({ type, value }));

/* What nobody else catches. */
addEventListener('error', ({ message }) => say('trouble', message));
addEventListener('unhandledrejection', ({ reason }) =>
    say('trouble', String(reason?.message ?? reason)));

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
        say('failed', e.message);
        return;
    }
    say('started', machine.times);
    const { status, aborted, statsFile, files } = await machine.ended;
    if (statsFile) {
        files.stats = statsFile;
    }
    for (const [path, content] of Object.entries(files)) {
        await fetch(left[path], { method: 'PUT', body: content });
    }
    say('ended', { status, aborted });
}

/* Hands on what it says, line by line. */
function probe(most) {
    const worker = new Worker(new URL('./probe-worker.mjs', import.meta.url),
                              { type: 'module' });
    worker.onmessage = ({ data }) => say('probe', data);
    worker.onerror = (event) => say('failed', event.message);
    worker.postMessage(most);
}

const receive = {
    start: run,
    probe,
    async attach(attached) {
        await machine.attachControl(attached);
        say('attached');
    },
};

socket.onmessage = ({ data }) => {
    if (typeof data === 'string') {
        const { type, value } = JSON.parse(data);
        receive[type](value);
    } else {
        const { channel, bytes } = unpacked(data);
        if (channel === CONSOLE) {
            machine.input(bytes);
        } else {
            machine.controlInput(bytes);
        }
    }
};
