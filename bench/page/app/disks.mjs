/*
 * Reads a user's disk images, and makes QEMU's arguments for disks, as images.py and
 * disk.py of the harness's devices do.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { deviceOf } from './settings.mjs';

/** @import { Disk, Guest, Limits, OwnDisk } from './site.d.ts' */

const SECTOR = 512;
const SERIAL_BYTES = 20;
const QCOW2 = [0x51, 0x46, 0x49, 0xfb];
/**
 * First bytes of files that are hardly meant as raw disks.
 *
 * @type {[number[], string][]}
 */
const OTHERS = [
    [[0x1f, 0x8b], 'packed by gzip'], [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'packed by xz'],
    [[0x28, 0xb5, 0x2f, 0xfd], 'packed by zstd'], [[0x42, 0x5a, 0x68], 'packed by bzip2'],
    [[0x4b, 0x44, 0x4d, 0x56], 'a VMDK image'], [[0x50, 0x4b, 3, 4], 'a ZIP archive'],
];
/* Where ext2, ext3 and ext4 have their magic number, and the number. */
const EXT_AT = 1080, EXT = [0x53, 0xef];

/**
 * @param {Uint8Array} bytes
 * @param {number[]} magic
 */
const starts = (bytes, magic) => magic.every((byte, i) => bytes[i] === byte);

/** @param {string} name */
const plain = (name) => name.replace(/[^A-Za-z0-9._-]/g, '_');

/**
 * @param {File} file
 * @param {number} at
 * @param {number} size
 */
async function bytesAt(file, at, size) {
    return new Uint8Array(await file.slice(at, at + size).arrayBuffer());
}

/**
 * A user's disk; an Error of one line if the file is not an image of a disk.
 *
 * @param {File} file
 * @param {Pick<Limits, 'disk_bytes'>} limits
 * @returns {Promise<OwnDisk>}
 */
export async function readImage(file, limits) {
    const { name, size } = file;
    const head = await bytesAt(file, 0, 16);
    const packed = starts(head, QCOW2);
    if (packed !== /\.qcow2$/.test(name)) {
        throw new Error(`it has the ${packed ? 'contents' : 'name'} of a qcow2 image ` +
                        'only');
    }
    if (size > limits.disk_bytes) {
        throw new Error(`it has more than ${limits.disk_bytes / 2 ** 30} GiB, which ` +
                        'this page does not take');
    }
    const other = OTHERS.find(([magic]) => starts(head, magic));
    if (!packed && other) {
        throw new Error(`it is ${other[1]}, no raw disk`);
    }
    if (!packed && (!size || size % SECTOR)) {
        throw new Error(`${size} bytes are not whole sectors`);
    }
    const ext = !packed && starts(await bytesAt(file, EXT_AT, 2), EXT);
    return { name, blob: file, bytes: size, format: packed ? 'qcow2' : 'raw',
             mount: ext ? 'ext4' : '', readonly: false };
}

/**
 * Where QEMU finds a disk.
 *
 * @param {{ name: string }} disk
 * @param {number} n
 */
export const diskPath = ({ name }, n) => `/disks/${n}-${plain(name)}`;

/**
 * QEMU's arguments for a disk.
 *
 * @param {Pick<Guest, 'disk'>} guest
 * @param {Pick<Disk, 'name' | 'format' | 'readonly'>} disk
 * @param {number} n
 */
export function diskArguments(guest, disk, n) {
    const serial = plain(disk.name.replace(/\.[^.]*$/, '')).slice(0, SERIAL_BYTES);
    const words = (guest.disk ?? []).map((word) => word
        .replaceAll('@FILE@', diskPath(disk, n)).replaceAll('@FORMAT@', disk.format)
        .replaceAll('@NUMBER@', String(n)).replaceAll('@SERIAL@', serial));
    words[1] += disk.readonly ? ',readonly=on' : '';
    return words;
}

/**
 * The word on the kernel's command line that tells the project's guests to mount a disk.
 *
 * @param {Pick<Disk, 'mount' | 'readonly'> & { root?: boolean }} disk
 * @param {number} n
 */
export function mountWord({ mount, readonly, root = false }, n) {
    if (root) {
        return `tierlab.root=${deviceOf(n)}:${mount}`;
    }
    return mount ? `tierlab.disk=${deviceOf(n)}:${mount}${readonly ? ':ro' : ''}` : '';
}
