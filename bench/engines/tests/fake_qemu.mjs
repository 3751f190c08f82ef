/*
 * Stands in for a QEMU that was built for Wasm: ends as its first argument says.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
/** @import { Qemu } from '../js/qemu.d.ts' */

/** @param {Qemu} module */
export default async function createQemu(module) {
    const how = module.arguments[2];

    module.wasmMemory = { buffer: new SharedArrayBuffer(4096) };
    module._tw_console = () => 0;
    module._tw_console_input = () => {};
    module.onRuntimeInitialized();
    if (how !== 'silent') {
        module.printErr('qemu: helper 7 cannot be called');
    }
    switch (how) {
    case 'exit':
        module.onExit(3);
        break;
    case 'trap':
        setTimeout(() => { throw new WebAssembly.RuntimeError('unreachable'); });
        break;
    default:
        module.onAbort('');
    }
}
