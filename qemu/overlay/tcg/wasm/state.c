/*
 * The runtime's state; see state.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "tcg-target-mo.h"
#include "state.h"

/* QEMU may ask for ticks before the settings are read. */
TwRuntime tw = { .settings.tsc_khz = TW_NANOSECONDS_KHZ };

/* The first entry of the dispatcher looks at the clock. */
__thread TwThread tw_thread = { .entries_left = 1 };

__thread TwFrame tw_frame;

unsigned tw_kept_orders;
