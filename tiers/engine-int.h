/*
 * What the parts of the engine share. Each may call those below it:
 *
 *   engine.c                     start, end, the life of TBs
 *   decisions.c  outcomes.c      asking the policy, what came of its groups
 *   executions.c                 counting
 *   cache.c                      the account of modules
 *   sections.c                   the choice of a section of the code buffer
 *   facts.c                      what may be asked at any time
 *   modules.c  records.c  seen.c the stores
 *
 * stats.c reads them all. group.c, which policies share, includes this file
 * because it looks at many TBs in a decision and finds each record once.
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
    uint32_t asking; /* the TB whose tier_hot() just chose a group */
    uint32_t nb_due;
    uint32_t due[TIER_MAX_DUE]; /* compiled TBs that a tick is to ask about */
    char init_error[TIER_ERR_MAX];
    uint32_t group[TIER_MAX_GROUP]; /* TierDecision.ids */
};

/* NULL if @id is not live. */
static inline TierTbRecord *tier_live_record(const TierEngine *engine,
                                             uint32_t id)
{
    TierTbRecord *record = tier_records_get(&engine->records, id);

    return record && record->fate == TIER_TB_LIVE ? record : NULL;
}

/* Of @id, which has a record. */
static inline TierTbDetail *tier_detail(const TierEngine *engine, uint32_t id)
{
    return tier_records_detail(&engine->records, id);
}

static inline uint32_t tier_clamp_countdown(uint32_t countdown)
{
    return countdown < TIER_MAX_COUNTDOWN ? countdown : TIER_MAX_COUNTDOWN;
}

/* Executions, with those in the TB's countdown if the runtime can read it. */
static inline uint64_t tier_known_executions(const TierEngine *engine,
                                             const TierTbRecord *record,
                                             uint32_t id)
{
    const TierHost *host = &engine->host;
    uint32_t held = 0;

    if (host->countdown && record->fate == TIER_TB_LIVE) {
        held = record->armed - (uint32_t)host->countdown(host->opaque, id);
    }
    return record->executions + held;
}

/*
 * Fetch the record of the TB @id, which is needed soon, and its countdown if
 * @counts. Records are all over memory: better wait for many at once. @id may
 * be TIER_NO_TB.
 */
static TIER_PREFETCHES void tier_expect(const TierEngine *engine, uint32_t id,
                                        bool counts)
{
    if (id == TIER_NO_TB) {
        return;
    }
    tier_records_prefetch(&engine->records, id);
    if (counts && engine->host.prefetch) {
        engine->host.prefetch(engine->host.opaque, id);
    }
}

/* Functions < regions < functions of the next tier. */
static inline unsigned tier_level(unsigned tier, unsigned shape)
{
    return tier > 0 ? 2 * tier + (shape == TIER_REGIONS) : 0;
}

/* May the TB be compiled so: is that better than what it has? */
static inline bool tier_may_compile(const TierTbRecord *record, unsigned tier,
                                    TierShape shape)
{
    return !record->pending &&
           tier_level(record->tier, record->shape) < tier_level(tier, shape);
}

/* Count the entries since the countdown was given out or settled. */
uint32_t tier_take_entries(TierEngine *engine, TierTbRecord *record,
                           uint32_t id, int32_t remaining);

/* Uncount the entry that asked: it is executed in another tier after all. */
void tier_take_back_entry(TierEngine *engine);

/* In compiled code, ask after @countdown executions. */
void tier_set_ask(TierEngine *engine, TierTbRecord *record, uint32_t id,
                  uint32_t countdown);
void tier_set_asks(TierEngine *engine, const uint32_t *ids, uint32_t n,
                   uint32_t countdown);

/* Add a module with the facts of @module; false if memory is short. */
bool tier_cache_install(TierEngine *engine, const TierModule *module);

/* @record's TB no longer runs its module's code. */
void tier_cache_left(TierEngine *engine, TierTbRecord *record,
                     bool invalidated);

/* Code of @module was executed. */
void tier_cache_executed(TierEngine *engine, uint32_t module, uint64_t n);

/* No module has a live member any more, and the runtime retires them all. */
void tier_cache_flushed(TierEngine *engine);

#endif
