/*
 * What policies, evictions and runtimes may ask the engine at any time: facts
 * of TBs, the clock, the seed. Nothing here changes an engine, but for a
 * policy's own words and the line that says why it cannot start.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine-int.h"

#include <assert.h>
#include <stdio.h>

/* The engine */

const TierSpec *tier_engine_spec(const TierEngine *engine)
{
    return &engine->spec;
}

TierCounters *tier_counters(TierEngine *engine)
{
    return &engine->counters;
}

uint64_t tier_now_ns(const TierEngine *engine)
{
    const TierHost *host = &engine->host;

    return host->now_ns ? host->now_ns(host->opaque) : 0;
}

uint64_t tier_seed(const TierEngine *engine)
{
    return engine->seed;
}

void tier_init_error(TierEngine *engine, const char *line)
{
    snprintf(engine->init_error, sizeof(engine->init_error), "%s", line);
}

/* TBs */

const TierTbRecord *tier_tb_record(const TierEngine *engine, uint32_t id)
{
    return tier_records_get(&engine->records, id);
}

const TierTbDetail *tier_tb_detail(const TierEngine *engine, uint32_t id)
{
    return tier_records_get(&engine->records, id) ? tier_detail(engine, id)
                                                  : NULL;
}

const TierTb *tier_tb(const TierEngine *engine, uint32_t id)
{
    return tier_live_record(engine, id) ? &tier_detail(engine, id)->tb : NULL;
}

uint32_t tier_tb_succ(const TierEngine *engine, uint32_t id, unsigned exit)
{
    const TierTbRecord *record = tier_live_record(engine, id);

    assert(exit < 2);
    return record ? record->succ[exit] : TIER_NO_TB;
}

unsigned tier_tb_tier(const TierEngine *engine, uint32_t id)
{
    const TierTbRecord *record = tier_live_record(engine, id);

    return record ? record->tier : 0;
}

bool tier_tb_may_compile(const TierEngine *engine, uint32_t id, unsigned tier,
                         TierShape shape)
{
    const TierTbRecord *record = tier_live_record(engine, id);

    return record && tier_may_compile(record, tier, shape);
}

uint64_t tier_tb_executions(const TierEngine *engine, uint32_t id)
{
    const TierTbRecord *record = tier_records_get(&engine->records, id);

    return record ? tier_known_executions(engine, record, id) : 0;
}

uint32_t *tier_tb_words(TierEngine *engine, uint32_t id)
{
    TierTbRecord *record = tier_records_get(&engine->records, id);

    return record ? record->words : NULL;
}
