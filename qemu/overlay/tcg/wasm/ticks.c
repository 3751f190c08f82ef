/*
 * The host's ticks: nanoseconds, or at the rate of the processor that a saved
 * x86 machine comes from.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "qemu/timer.h"
#include "state.h"
#include "ticks.h"

int64_t tw_host_ticks(void)
{
    uint32_t khz = tw.settings.tsc_khz;
    int64_t ns = get_clock();

    if (likely(khz == TW_NANOSECONDS_KHZ)) {
        return ns;
    }
    return muldiv64(ns, khz, TW_NANOSECONDS_KHZ);
}
