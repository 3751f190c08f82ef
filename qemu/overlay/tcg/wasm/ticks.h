/*
 * The host's ticks: an x86 guest's time stamp counter (cpu_get_host_ticks()).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_WASM_TICKS_H
#define TCG_WASM_TICKS_H

#include <stdint.h>

int64_t tw_host_ticks(void);

#endif
