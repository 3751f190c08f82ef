/*
 * The host's ticks, for cpu_get_host_ticks(): an x86 guest's time stamp counter.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_WASM_TICKS_H
#define TCG_WASM_TICKS_H

/* How many a millisecond: set before a guest runs. */
extern uint32_t tw_ticks_khz;

int64_t tw_host_ticks(void);

#endif
