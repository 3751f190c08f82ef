/*
 * What goes over the WebSocket between the driver and its page. Text is JSON,
 * { type, value }. To the page: start or probe (once), attach; to the driver:
 * error, trouble, timeline, started, attached, failed, ended, probe. Binary is a
 * byte that says where the rest belongs: to the guest's console, or to QEMU's
 * control channel.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
export const CONSOLE = 1, CONTROL = 2;

export function packed(channel, bytes) {
    const message = new Uint8Array(1 + bytes.length);
    message[0] = channel;
    message.set(bytes, 1);
    return message;
}

export function unpacked(buffer) {
    const message = new Uint8Array(buffer);
    return { channel: message[0], bytes: message.subarray(1) };
}
