/*
 * Timer interrupts arrive in a hot loop, and do not change what it computes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../metal.h"

enum { TICKS = 5, STEPS = 5000 };

uint64_t check_timer(void)
{
    uint64_t digest = 0, first = 0;

    machine_ticks = 0;
    machine_timer_start();
    while (machine_ticks < TICKS) {
        uint64_t state = 0xbe5466cf34e90c6c, sum = 0;

        for (int i = 0; i < STEPS; i++) {
            sum = metal_mix(sum, metal_random(&state));
        }
        first = first ? first : sum;
        EXPECT(sum == first);
        digest = sum;
    }
    machine_timer_stop();
    return digest;
}
