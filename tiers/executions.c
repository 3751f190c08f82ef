/*
 * Executions of TBs. The engine does not count them one by one but takes them
 * from the countdowns: the countdown given out (armed), less what is left of
 * it, is the number of executions since, in the tier that the TB was in then
 * (armed_tier). Countdowns that never ask start at 0 and go down, so the
 * subtraction is modulo 2^32.
 *
 * Compiled code need not have countdowns. Executions that the runtime reports
 * of it go toward the TB's ask_at; a TB that reaches its ask_at is due, and the
 * next tick asks about it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine-int.h"

#include <assert.h>

/* @n is modulo 2^64: UINT64_MAX takes one back. */
static void count_executions(TierEngine *engine, TierTbRecord *record,
                             uint32_t id, unsigned tier, uint64_t n)
{
    TierCounters *c = &engine->counters;
    uint64_t *const exec[] = { &c->exec_tier0, &c->exec_tier1 };
    uint64_t *const insns[] = { &c->guest_insns_tier0, &c->guest_insns_tier1 };

    static_assert(sizeof(exec) / sizeof(exec[0]) == TIER_NB_TIERS,
                  "a tier has no counters of its executions");
    assert(tier < TIER_NB_TIERS);
    *exec[tier] += n;
    if (record) {
        record->executions += n;
        if (tier > 0) {
            tier_detail(engine, id)->compiled[tier - 1] += n;
        }
        *insns[tier] += n * record->guest_insns;
    }
}

/* The compiled TB was executed @n times more: is it time to ask about it? */
static void approach(TierEngine *engine, TierTbRecord *record, uint32_t id,
                     uint64_t n)
{
    TierTbDetail *detail = tier_detail(engine, id);
    uint64_t toward = detail->toward + n;

    tier_cache_executed(engine, record->module, n);
    detail->toward = toward < UINT32_MAX ? (uint32_t)toward : UINT32_MAX;
    /* If there is no room, the TB becomes due when it is next counted. */
    if (detail->ask_at > 0 && detail->toward >= detail->ask_at &&
        !record->due && engine->nb_due < TIER_MAX_DUE) {
        record->due = true;
        engine->due[engine->nb_due++] = id;
    }
}

void tier_set_ask(TierEngine *engine, TierTbRecord *record, uint32_t id,
                  uint32_t countdown)
{
    TierTbDetail *detail = tier_detail(engine, id);

    detail->ask_at = record->tier > 0 ? countdown : TIER_NEVER_ASK;
    detail->toward = 0;
    record->due = false;
}

void tier_set_asks(TierEngine *engine, const uint32_t *ids, uint32_t n,
                   uint32_t countdown)
{
    for (uint32_t i = 0; i < n; i++) {
        TierTbRecord *record = tier_live_record(engine, ids[i]);

        if (record) {
            tier_set_ask(engine, record, ids[i], countdown);
        }
    }
}

uint32_t tier_take_entries(TierEngine *engine, TierTbRecord *record,
                           uint32_t id, int32_t remaining)
{
    uint32_t n = record->armed - (uint32_t)remaining;

    /* More is left than was given out: another thread wrote an older value. */
    if (n > UINT32_MAX - TIER_MAX_COUNTDOWN) {
        n = 0;
    }
    count_executions(engine, record, id, record->armed_tier, n);
    if (record->armed_tier > 0) {
        approach(engine, record, id, n);
    }
    record->armed = (uint32_t)remaining;
    return n;
}

void tier_settle(TierEngine *engine, uint32_t id, int32_t remaining)
{
    TierTbRecord *record = tier_live_record(engine, id);

    if (record) {
        tier_take_entries(engine, record, id, remaining);
    }
}

uint32_t tier_rearm(TierEngine *engine, uint32_t id, int32_t remaining,
                    uint32_t countdown)
{
    TierTbRecord *record = tier_live_record(engine, id);

    if (record) {
        tier_take_entries(engine, record, id, remaining);
        record->armed = countdown;
        record->armed_tier = record->tier;
    }
    return countdown;
}

void tier_executed(TierEngine *engine, uint32_t id, unsigned tier, uint64_t n)
{
    TierTbRecord *record = tier_records_get(&engine->records, id);

    count_executions(engine, record, id, tier, n);
    if (record && record->fate == TIER_TB_LIVE && tier > 0) {
        approach(engine, record, id, n);
    }
}

uint64_t tier_tb_executed(const TierEngine *engine, uint32_t id, unsigned tier)
{
    const TierTbRecord *record = tier_records_get(&engine->records, id);
    const TierTbDetail *detail;
    uint64_t interpreted;

    assert(tier < TIER_NB_TIERS);
    if (!record) {
        return 0;
    }
    detail = tier_detail(engine, id);
    interpreted = record->executions;
    for (unsigned i = 1; i < TIER_NB_TIERS; i++) {
        interpreted -= detail->compiled[i - 1];
    }
    return tier == 0 ? interpreted : detail->compiled[tier - 1];
}

void tier_take_back_entry(TierEngine *engine)
{
    TierTbRecord *record = tier_live_record(engine, engine->asking);

    if (record) {
        count_executions(engine, record, engine->asking, record->armed_tier,
                         UINT64_MAX);
    }
    engine->asking = TIER_NO_TB;
}
