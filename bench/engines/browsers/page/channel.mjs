/*
 * The messages on the WebSocket between the driver (run.mjs) and its page. A message of
 * text is JSON, { type, value }: ToPage and ToDriver say which there are. The first byte
 * of a binary message says where the rest belongs: to the guest's console, or to QEMU's
 * control channel.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
/** @import { MachineOptions, Row, Times } from '../../web/types.d.ts' */
/** @import { Found, Most, Progress } from '../../js/probe.mjs' */

/**
 * What the page boots.
 *
 * @typedef {object} Boot
 * @property {MachineOptions} options
 * @property {Record<string, string>} left where the page PUTs the files that QEMU
 *     leaves, by their paths in QEMU; `stats` is for the statistics
 */

/**
 * The driver tells the page once to start or to probe, and may attach a client of the
 * control channel.
 *
 * @typedef {{ type: 'start', value: Boot } | { type: 'probe', value: Most } |
 *           { type: 'attach', value: boolean }} ToPage
 */

/** @typedef {{ status: number | null, aborted: string | null }} Ended */

/**
 * Each type of message to the driver, and its value.
 *
 * @typedef {object} ToDriver
 * @property {string} error a line that QEMU printed
 * @property {string} trouble an error in the page that nothing caught
 * @property {Row} timeline a line of QEMU's timeline
 * @property {Times} started
 * @property {undefined} attached
 * @property {string} failed why QEMU did not start
 * @property {Ended} ended
 * @property {{ progress: Progress } | { found: Found }} probe
 */

export const CONSOLE = 1, CONTROL = 2;

/**
 * @param {number} channel
 * @param {Uint8Array} bytes
 */
export function packed(channel, bytes) {
    const message = new Uint8Array(1 + bytes.length);
    message[0] = channel;
    message.set(bytes, 1);
    return message;
}

/** @param {ArrayBuffer | Uint8Array} buffer */
export function unpacked(buffer) {
    const message = new Uint8Array(buffer);
    return { channel: message[0], bytes: message.subarray(1) };
}
