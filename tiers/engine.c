/*
 * The engine: its start and end, and the life of TBs.
 *
 * A record's life:
 *
 *   tier_translated        fate = LIVE, armed = the countdown given out
 *   tier_hot, tier_tick    pending, for each member that is accepted
 *   tier_compiled          tier, shape, module as told, no longer pending
 *   tier_failed            refused = why, no longer pending
 *   tier_demoted           tier = 0, module = none
 *   tier_invalidated       fate = INVALIDATED: kept for the statistics, until
 *   tier_evicted           fate = EVICTED      tier_records_trim() drops it
 *   tier_flushed           fate = FLUSHED
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine-int.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* Creation */

/* False if memory is short. */
static bool make_state(void **state, size_t size)
{
    *state = size > 0 ? calloc(1, size) : NULL;
    return size == 0 || *state;
}

static bool start_eviction(TierEngine *engine)
{
    const TierEviction *eviction = engine->spec.eviction;

    engine->eviction = eviction;
    if (!make_state(&engine->eviction_state, eviction->state_size)) {
        return false;
    }
    if (eviction->init) {
        eviction->init(engine->eviction_state, engine);
    }
    return true;
}

static bool start_policy(TierEngine *engine)
{
    const TierPolicy *policy = engine->spec.policy;

    if (!make_state(&engine->state, policy->state_size)) {
        return false;
    }
    if (policy->init &&
        !policy->init(engine->state, engine, engine->spec.values)) {
        return false;
    }
    /* Not before: fini belongs to an init that succeeded. */
    engine->policy = policy;
    return true;
}

TierEngine *tier_engine_new(const char *spec, uint64_t seed,
                            const TierHost *host, char *err, size_t errsize)
{
    TierEngine *engine = calloc(1, sizeof(*engine));

    if (!engine || !tier_seen_init(&engine->seen)) {
        goto failed;
    }
    if (!tier_spec_parse(spec, &engine->spec, err, errsize)) {
        tier_engine_free(engine);
        return NULL;
    }
    engine->seed = seed;
    engine->asking = TIER_NO_TB;
    if (host) {
        assert(host->highest_tier < TIER_NB_TIERS);
        engine->host = *host;
    }
    engine->records.max_dead = engine->host.max_dead_records
                                   ? engine->host.max_dead_records
                                   : TIER_MAX_DEAD_RECORDS;
    tier_modules_init(&engine->modules);
    tier_counters_init(&engine->counters);
    if (start_eviction(engine) && start_policy(engine)) {
        return engine;
    }

failed:
    snprintf(err, errsize, "%s",
             engine && engine->init_error[0]
                 ? engine->init_error
                 : "no memory for the tier engine: give it more");
    tier_engine_free(engine);
    return NULL;
}

void tier_engine_free(TierEngine *engine)
{
    if (!engine) {
        return;
    }
    if (engine->policy && engine->policy->fini) {
        engine->policy->fini(engine->state);
    }
    free(engine->state);
    free(engine->eviction_state);
    tier_modules_free(&engine->modules);
    tier_seen_free(&engine->seen);
    tier_records_free(&engine->records);
    free(engine);
}

/* Translation */

/* What makes two translations translations of the same code. */
static uint64_t identity(const TierTb *tb)
{
    return mix(tb->guest_pc ^ mix(tb->guest_page ^ mix(tb->hash)));
}

uint32_t tier_translated(TierEngine *engine, const TierTb *facts)
{
    const TierPolicy *policy = engine->policy;
    TierCounters *c = &engine->counters;
    TierTbRecord *record;
    TierTbDetail *detail;

    c->tbs_translated++;
    c->translate_ns += facts->translate_ns;
    c->translate_guest_insns += facts->guest_insns;
    c->bytecode_bytes += facts->bytecode_bytes;
    if (facts->id % TIER_CHUNK_SIZE == 0) {
        c->tb_records_dropped += tier_records_trim(&engine->records);
    }
    record = tier_records_add(&engine->records, facts->id);
    if (!record) {
        c->refused[TIER_REFUSED_UNKNOWN]++;
        return TIER_NEVER_ASK;
    }
    c->tbs_live++;
    detail = tier_detail(engine, facts->id);
    record->guest_insns = facts->guest_insns;
    record->succ[0] = TIER_NO_TB;
    record->succ[1] = TIER_NO_TB;
    detail->tb = *facts;
    detail->tb.flags = 0;
    record->module = TIER_NO_MODULE;
    if (tier_seen_add(&engine->seen, identity(facts))) {
        detail->tb.flags |= TIER_TB_RETRANSLATED;
        c->tbs_retranslated++;
        c->retranslate_ns += facts->translate_ns;
    }
    if (policy->translated) {
        record->armed = tier_clamp_countdown(
            policy->translated(engine->state, engine, &detail->tb));
    }
    return record->armed;
}

void tier_linked(TierEngine *engine, uint32_t id, unsigned exit, uint32_t succ)
{
    const TierPolicy *policy = engine->policy;
    TierTbRecord *record = tier_live_record(engine, id);
    const TierTb *next = tier_tb(engine, succ);

    assert(exit < 2);
    engine->counters.tb_links++;
    if (record) {
        record->succ[exit] = succ;
    }
    if (record && next && policy->linked) {
        policy->linked(engine->state, engine, &tier_detail(engine, id)->tb,
                       next);
    }
}

/* Ends */

static void end(TierEngine *engine, uint32_t id, TierFate fate,
                uint64_t *counter)
{
    const TierPolicy *policy = engine->policy;
    TierTbRecord *record = tier_live_record(engine, id);

    if (!record) {
        return;
    }
    ++*counter;
    engine->counters.tbs_live--;
    tier_cache_left(engine, record, true);
    tier_records_bury(&engine->records, id, fate);
    if (policy->invalidated) {
        policy->invalidated(engine->state, engine,
                            &tier_detail(engine, id)->tb);
    }
}

void tier_invalidated(TierEngine *engine, uint32_t id)
{
    end(engine, id, TIER_TB_INVALIDATED, &engine->counters.tbs_invalidated);
}

void tier_evicted(TierEngine *engine, uint32_t id)
{
    end(engine, id, TIER_TB_EVICTED, &engine->counters.tbs_evicted);
}

void tier_flushed(TierEngine *engine)
{
    const TierPolicy *policy = engine->policy;
    TierRecords *records = &engine->records;
    uint32_t id = tier_records_from(records, 0);

    engine->counters.tb_flushes++;
    engine->nb_due = 0;
    tier_cache_flushed(engine);
    engine->counters.tbs_live = 0;
    for (; id != TIER_NO_TB; id = tier_records_from(records, id + 1)) {
        if (tier_live_record(engine, id)) {
            tier_records_bury(records, id, TIER_TB_FLUSHED);
        }
    }
    engine->counters.tb_records_dropped += tier_records_trim(records);
    if (policy->flushed) {
        policy->flushed(engine->state, engine);
    }
}
