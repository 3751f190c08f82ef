/*
 * Callbacks of policies that compile each TB alone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_SINGLE_H
#define TIER_SINGLE_H

#include "policy.h"

/* A `hot` callback: compile the TB that asks, at tier 1. */
void tier_single_hot(void *state, TierEngine *engine, const TierTb *tb,
                     uint32_t executions, TierDecision *decision);

#endif
