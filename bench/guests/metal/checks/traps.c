/*
 * Exceptions: the CPU takes each one once, at the instruction that causes it,
 * in a hot loop as well, and registers keep their values across it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../metal.h"

enum { ROUNDS = 300 };

uint64_t check_traps(void)
{
    uint64_t state = 0x452821e638d01377, digest = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t before = machine_trap.count;
        uint64_t where = machine_nowhere() + (metal_random(&state) & 0xff8);

        EXPECT(machine_illegal());
        EXPECT(machine_trap.count == before + 1);
        EXPECT(machine_call());
        EXPECT(machine_trap.count == before + 2);
        EXPECT(machine_fault(where));
        EXPECT(machine_trap.count == before + 3);
        EXPECT(machine_trap.address == where);
        digest = metal_mix(digest, machine_trap.cause);
        digest = metal_mix(digest, state);
    }
    return digest;
}
