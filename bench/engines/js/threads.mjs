/*
 * How many threads a QEMU with these arguments begins with: its main one, RCU's,
 * and one for each vCPU. They are made while the program is compiled; others (of
 * coroutines, of disks) when they are wanted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
export function threads(argv) {
    const smp = argv[argv.indexOf('-smp') + 1] ?? '';
    const vcpus = Number(/^(?:cpus=)?(\d+)/.exec(smp)?.[1] ?? 1);
    return 2 + Math.min(vcpus, 8);
}
