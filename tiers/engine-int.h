/*
 * What engine.c and stats.c share. Private to them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_ENGINE_INT_H
#define TIER_ENGINE_INT_H

#include "engine.h"
#include "records.h"
#include "seen.h"

struct TierEngine {
    TierSpec spec;
    const TierPolicy *policy;   /* spec.policy */
    void *state;                /* the policy's */
    uint64_t seed;
    TierHost host;
    TierCounters counters;
    TierRecords records;
    TierSeen seen;
    uint32_t asking;            /* its tier_hot() chose a group, just now */
    uint32_t group[TIER_MAX_GROUP];     /* TierDecision.ids */
};

#endif
