/*
 * QEMU's calls on disks whose content the page has: the other end of runfs.c. Each call
 * comes from a thread that sleeps until the call is answered.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import { messageOf } from '../js/errors.mjs';
import { EIO, FileError } from './disk-file.mjs';

/** @import { Qemu } from '../js/qemu.d.ts' */
/** @import { DiskFile } from './disk-file.mjs' */

/* The fields of struct TwRunCall, as indexes of 32-bit words and of doubles. */
const DONE = 0, KIND = 1, FILE = 2, COUNT = 3, IOV = 4;
const POSITION = 3, RESULT = 4;
const WORDS = 10, DOUBLES = 5;
/* The kinds of calls: enum TwRunKind. */
const READ = 0, WRITE = 1, SIZE = 2, TRUNCATE = 3;

export class DiskCalls {
    /**
     * @param {Pick<Qemu, 'wasmMemory' | '_tw_mem_buffer' | '_tw_run_add'>} module
     */
    constructor(module) {
        this.module = module;
        /** @type {DiskFile[]} */
        this.files = [];
    }

    /**
     * Let QEMU find a disk, before QEMU starts.
     *
     * @param {string} path
     * @param {DiskFile} file
     * @param {boolean} readonly
     */
    add(path, file, readonly) {
        const { module } = this;
        const name = new TextEncoder().encode(`${path}\0`);
        const at = module._tw_mem_buffer(name.length) >>> 0;
        if (at) {
            new Uint8Array(module.wasmMemory.buffer, at, name.length).set(name);
        }
        const number = at ? module._tw_run_add(at, readonly ? 0 : 1) : -1;
        if (number < 0) {
            throw new Error(`the disk ${path} cannot be plugged in: error ${-number}`);
        }
        this.files[number] = file;
    }

    /**
     * Answer a call, whatever happens: nothing else wakes the thread.
     *
     * @param {number} call the address of the struct TwRunCall
     */
    async answer(call) {
        const { buffer } = this.module.wasmMemory;
        const words = new Int32Array(buffer, call, WORDS);
        const doubles = new Float64Array(buffer, call, DOUBLES);
        let result;
        try {
            result = await this.result(words, doubles[POSITION]);
        } catch (error) {
            /* Whoever fetches has told the page why. */
            result = -(error instanceof FileError ? error.errno : EIO);
            console.warn(`a disk's call failed: ${messageOf(error)}`);
        }
        doubles[RESULT] = result;
        Atomics.store(words, DONE, 1);
        Atomics.notify(words, DONE);
    }

    /**
     * @param {Int32Array} words
     * @param {number} position
     * @returns {Promise<number>}
     */
    async result(words, position) {
        const file = this.files[words[FILE]];
        switch (words[KIND]) {
        case READ:
            return await this.read(file, words, position);
        case WRITE:
            return await this.write(file, words, position);
        case SIZE:
            return file.size;
        case TRUNCATE:
            file.truncate(position);
            return 0;
        default:
            throw new Error(`there is no call ${words[KIND]}`);
        }
    }

    /**
     * @param {DiskFile} file
     * @param {Int32Array} words
     * @param {number} position
     */
    async read(file, words, position) {
        const size = this.buffers(words).reduce((sum, { length }) => sum + length, 0);
        const bytes = await file.read(position, size);
        let at = 0;
        /* QEMU's memory may have grown meanwhile. */
        for (const buffer of this.buffers(words)) {
            const part = bytes.subarray(at, at + buffer.length);
            buffer.set(part);
            at += part.length;
        }
        return bytes.length;
    }

    /**
     * @param {DiskFile} file
     * @param {Int32Array} words
     * @param {number} position
     */
    async write(file, words, position) {
        let at = position;
        for (const buffer of this.buffers(words)) {
            await file.write(at, buffer);
            at += buffer.length;
        }
        return at - position;
    }

    /**
     * The buffers of a call, in QEMU's memory.
     *
     * @param {Int32Array} words
     */
    buffers(words) {
        const { buffer } = this.module.wasmMemory;
        const vectors = new Uint32Array(buffer, words[IOV] >>> 0, 2 * words[COUNT]);
        return Array.from({ length: words[COUNT] }, (_, i) =>
            new Uint8Array(buffer, vectors[2 * i], vectors[2 * i + 1]));
    }
}
