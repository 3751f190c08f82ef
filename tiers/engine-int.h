/*
 * What engine.c, cache.c and stats.c share. Private to them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_ENGINE_INT_H
#define TIER_ENGINE_INT_H

#include "engine.h"
#include "modules.h"
#include "records.h"
#include "seen.h"

enum { TIER_MAX_DUE = 1024 };

/* What modules take of the budgets. */
typedef struct TierUse {
    uint64_t modules;
    uint64_t slots;
    uint64_t bytes;
} TierUse;

struct TierEngine {
    TierSpec spec;
    const TierPolicy *policy;   /* spec.policy, once it is initialised */
    void *state;                /* the policy's */
    const TierEviction *eviction;
    void *eviction_state;
    uint64_t seed;
    TierHost host;
    TierCounters counters;
    TierRecords records;
    TierModules modules;
    TierUse use;                /* of the modules that are present */
    TierSeen seen;
    uint32_t asking;            /* its tier_hot() chose a group, just now */
    uint32_t nb_due;
    uint32_t due[TIER_MAX_DUE]; /* compiled TBs that a tick is to ask about */
    char init_error[TIER_ERR_MAX];
    uint32_t group[TIER_MAX_GROUP];     /* TierDecision.ids */
};

/* A module with the facts of @module; false if memory is short. */
bool tier_cache_install(TierEngine *engine, const TierModule *module);

/* @record's TB no longer runs its module's code. */
void tier_cache_left(TierEngine *engine, TierTbRecord *record,
                     bool invalidated);

/* Code of @module was executed. */
void tier_cache_executed(TierEngine *engine, uint32_t module, uint64_t n);

/* No module has a live member any more, and the runtime retires them all. */
void tier_cache_flushed(TierEngine *engine);

#endif
