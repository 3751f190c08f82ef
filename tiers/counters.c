/*
 * counters.def as data, and what is done with all counters at once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "counters.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const TierCounterInfo tier_counter_infos[] = {
#define X(name, unit, kind, meaning) \
    { #name, unit, meaning, TIER_COUNTER_##kind, offsetof(TierCounters, name) },
#include "counters.def"
    { NULL, NULL, NULL, TIER_COUNTER_SUM, 0 },
};

static uint64_t *value_of(TierCounters *counters, const TierCounterInfo *info)
{
    return (uint64_t *)((char *)counters + info->offset);
}

static uint64_t value_in(const TierCounters *counters,
                         const TierCounterInfo *info)
{
    return *(const uint64_t *)((const char *)counters + info->offset);
}

const char *tier_counter_kind_name(TierCounterKind kind)
{
    static const char *const names[] = { "sum", "gauge", "max", "set" };

    assert((unsigned)kind < sizeof(names) / sizeof(names[0]));
    return names[kind];
}

void tier_counters_init(TierCounters *counters)
{
    memset(counters, 0, sizeof(*counters));
    for (const TierCounterInfo *i = tier_counter_infos; i->name; i++) {
        if (i->kind == TIER_COUNTER_SET) {
            *value_of(counters, i) = TIER_UNMEASURED;
        }
    }
}

void tier_counters_add(TierCounters *into, const TierCounters *from)
{
    for (const TierCounterInfo *i = tier_counter_infos; i->name; i++) {
        uint64_t *value = value_of(into, i);
        uint64_t more = value_in(from, i);

        switch (i->kind) {
        case TIER_COUNTER_SUM:
        case TIER_COUNTER_GAUGE:
            *value += more;
            break;
        case TIER_COUNTER_MAX:
            *value = more > *value ? more : *value;
            break;
        case TIER_COUNTER_SET:
            *value = more != TIER_UNMEASURED ? more : *value;
            break;
        }
    }
    for (unsigned why = 0; why < TIER_NB_REFUSALS; why++) {
        into->refused[why] += from->refused[why];
    }
}

/* A reason's counter is named like the others, without dashes. */
static void refused_key(TierRefusal why, TierJson *json)
{
    char name[64];

    snprintf(name, sizeof(name), "refused_%s", tier_refusal_key(why));
    for (char *p = strchr(name, '-'); p; p = strchr(p, '-')) {
        *p = '_';
    }
    tier_json_key(json, name);
}

void tier_counters_json(const TierCounters *counters, TierJson *json)
{
    tier_json_open(json, '{');
    for (const TierCounterInfo *i = tier_counter_infos; i->name; i++) {
        uint64_t value = value_in(counters, i);

        tier_json_key(json, i->name);
        if (i->kind == TIER_COUNTER_SET && value == TIER_UNMEASURED) {
            tier_json_null(json);
        } else {
            tier_json_u64(json, value);
        }
    }
    for (unsigned why = TIER_REFUSED_NONE + 1; why < TIER_NB_REFUSALS; why++) {
        refused_key((TierRefusal)why, json);
        tier_json_u64(json, counters->refused[why]);
    }
    tier_json_close(json, '}');
}
