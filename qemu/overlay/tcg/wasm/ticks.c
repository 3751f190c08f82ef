/*
 * The host's ticks: nanoseconds, or at the rate of the processor that a saved x86
 * machine comes from.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "qemu/timer.h"
#include "settings.h"
#include "ticks.h"

uint32_t tw_ticks_khz = TW_NANOSECONDS_KHZ;

int64_t tw_host_ticks(void)
{
    int64_t ns = get_clock();

    if (likely(tw_ticks_khz == TW_NANOSECONDS_KHZ)) {
        return ns;
    }
    return muldiv64(ns, tw_ticks_khz, TW_NANOSECONDS_KHZ);
}
