/*
 * Counters of a run; counters.def is the list. A thread may count in a struct
 * of its own and have it merged into the engine's at the end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_COUNTERS_H
#define TIER_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#include "json.h"
#include "refusals.h"

/* Of a SET counter: not measured. */
#define TIER_UNMEASURED UINT64_MAX

typedef enum TierCounterKind {
    TIER_COUNTER_SUM,
    TIER_COUNTER_GAUGE,
    TIER_COUNTER_MAX,
    TIER_COUNTER_SET,
} TierCounterKind;

typedef struct TierCounters {
#define X(name, unit, kind, meaning) uint64_t name;
#include "counters.def"
    uint64_t refused[TIER_NB_REFUSALS]; /* TBs, by reason */
} TierCounters;

typedef struct TierCounterInfo {
    const char *name;
    const char *unit;
    const char *meaning;
    TierCounterKind kind;
    size_t offset;              /* in TierCounters */
} TierCounterInfo;

/* counters.def as data; ends with an entry without a name. */
extern const TierCounterInfo tier_counter_infos[];

void tier_counters_init(TierCounters *counters);
void tier_counters_add(TierCounters *into, const TierCounters *from);
const char *tier_counter_kind_name(TierCounterKind kind);

/* One JSON object: every counter, and refused_<reason> for every reason. */
void tier_counters_json(const TierCounters *counters, TierJson *json);

#endif
