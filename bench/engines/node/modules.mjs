/*
 * Writes each Wasm module that a thread compiles into a folder, for wasm-objdump and
 * wasm-opt. Node loads this file before the program, in every thread:
 *
 *   TIERLAB_MODULES=FOLDER TIERLAB_NAMES=on node --import .../modules.mjs PROGRAM
 *
 * A file is called THREAD-NUMBER-NAME.wasm. NAME is that of the module's first function,
 * as region-ffffffff8000a2c4: the shape, and the guest address of the first TB.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
import fs from 'node:fs';
import path from 'node:path';
import { threadId } from 'node:worker_threads';

const FUNCTION_NAMES = 1;
const folder = process.env.TIERLAB_MODULES;
let written = 0;

/**
 * The unsigned LEB128 number at a place, and the place behind it.
 *
 * @param {Uint8Array} bytes
 * @param {number} at
 */
function number(bytes, at) {
    let value = 0, shift = 0, byte;
    do {
        byte = bytes[at++];
        value += (byte & 0x7f) * 2 ** shift;
        shift += 7;
    } while (byte & 0x80);
    return { value, at };
}

/**
 * The name of the first function in the custom section "name"; null without one.
 *
 * @param {WebAssembly.Module} module
 */
function firstName(module) {
    const [section] = WebAssembly.Module.customSections(module, 'name');
    const bytes = new Uint8Array(section ?? 0);
    if (bytes[0] !== FUNCTION_NAMES) {
        return null;
    }
    const size = number(bytes, 1), count = number(bytes, size.at);
    const index = number(bytes, count.at), length = number(bytes, index.at);
    const text = bytes.subarray(length.at, length.at + length.value);
    return count.value ? new TextDecoder().decode(text) : null;
}

/**
 * @param {WebAssembly.Module} module
 * @param {BufferSource} bytes
 */
function write(module, bytes) {
    const name = (firstName(module) ?? 'module').replace(/[^\w.-]/g, '-');
    const place = `${threadId}-${String(++written).padStart(5, '0')}-${name}.wasm`;
    const view = ArrayBuffer.isView(bytes)
        ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        : new Uint8Array(bytes);
    fs.writeFileSync(path.join(folder ?? '', place), view);
}

if (folder) {
    fs.mkdirSync(folder, { recursive: true });
    WebAssembly.Module = new Proxy(WebAssembly.Module, {
        construct(target, [bytes, ...more]) {
            const module = Reflect.construct(target, [bytes, ...more]);
            write(module, bytes);
            return module;
        },
    });
}
