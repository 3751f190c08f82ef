/*
 * Callbacks of policies that compile each TB alone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "single.h"

void tier_single_hot(void *state, TierEngine *engine, const TierTb *tb,
                     uint32_t executions, TierDecision *decision)
{
    (void)state;
    (void)engine;
    (void)tb;
    (void)executions;
    decision->tier = 1;
}
