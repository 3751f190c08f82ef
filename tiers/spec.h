/*
 * Policy specs: `name` or `name:key=value,key=value`.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_SPEC_H
#define TIER_SPEC_H

#include <stdbool.h>
#include <stddef.h>

#include "json.h"
#include "policy.h"

/* Of a run that does not name a policy. */
#define TIER_DEFAULT_SPEC "threshold"

enum { TIER_ERR_MAX = 1024 };    /* big enough for every error line */

typedef struct TierSpec {
    const TierPolicy *policy;
    TierValue values[TIER_MAX_PARAMS];  /* in effect, in declared order */
} TierSpec;

/* False with one line in @err (without newline): what, why, what is valid. */
bool tier_spec_parse(const char *text, TierSpec *spec, char *err,
                     size_t errsize);

/* The canonical spec, with every parameter in effect; true if it fitted. */
bool tier_spec_print(const TierSpec *spec, char *buf, size_t size);

/* The members "name", "spec" and "params" of an object that is open. */
void tier_spec_json(const TierSpec *spec, TierJson *json);

/* A policy's declaration as one JSON object, for help. */
void tier_policy_json(const TierPolicy *policy, TierJson *json);

#endif
