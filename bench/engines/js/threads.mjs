/*
 * How many threads a QEMU with given arguments begins with: its main thread, that of
 * RCU, and one for each vCPU. Emscripten makes these while it compiles the program.
 * QEMU makes more (for coroutines, for disks) when it needs them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/** @param {readonly string[]} argv QEMU's arguments */
export function threads(argv) {
    const smp = argv[argv.indexOf('-smp') + 1] ?? '';
    const vcpus = Number(/^(?:cpus=)?(\d+)/.exec(smp)?.[1] ?? 1);
    return 2 + Math.min(vcpus, 8);
}
