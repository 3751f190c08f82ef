/*
 * From a decision to code that is executed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_WASM_COMPILE_H
#define TCG_WASM_COMPILE_H

#include <stdbool.h>

#include "tiers/policy.h"

/*
 * TW_COUNTS_SAMPLED counts so many executions at once. A prime, so that loops
 * do not fall in step with it.
 */
enum { TW_SAMPLE_PERIOD = 127 };

/* Once, before a guest runs and without the lock. */
void tw_compile_init(void);

/* Once TCG knows its globals, before anything is compiled. */
void tw_compile_find_globals(void);

/*
 * Compile the decision's group. @at_once: a TB that was entered waits for its
 * code, if a vCPU compiles. Wants the lock.
 */
void tw_compile_group(const TierDecision *decision, bool at_once);

#endif
