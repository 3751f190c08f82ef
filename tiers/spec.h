/*
 * Policy specs: `name` or `name:key=value,key=value`. Beside a policy's own
 * parameters there are common ones, which every policy has.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_SPEC_H
#define TIER_SPEC_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "eviction.h"
#include "json.h"
#include "policy.h"

/* Of a run that does not name a policy. */
#define TIER_DEFAULT_SPEC "threshold"

enum { TIER_ERR_MAX = 1024 };    /* big enough for every error line */

/* The common parameters: indices into tier_common_params. */
typedef enum TierCommon {
    TIER_COMMON_EVICT,
    TIER_COMMON_MAX_MODULES,
    TIER_COMMON_MAX_SLOTS,
    TIER_COMMON_MAX_CODE,
    TIER_COMMON_MAX_MAPS,
    TIER_COMMON_COMPILER,
    TIER_COMMON_BUFFER,
    TIER_NB_COMMON
} TierCommon;

/* Values of TIER_COMMON_COMPILER: who compiles a group that is chosen. */
enum {
    TIER_COMPILER_VCPU, /* the vCPU's thread that asked, which waits */
    TIER_COMPILER_THREAD, /* one beside the vCPUs, which go on in tier 0 */
};

extern const TierParam tier_common_params[];

/* Not to be copied: a value may point into it. */
typedef struct TierSpec {
    const TierPolicy *policy;
    const TierEviction *eviction;
    const TierBuffer *buffer;
    TierValue values[TIER_MAX_PARAMS];  /* in effect, in declared order */
    TierValue common[TIER_NB_COMMON];
    char text[TIER_VALUE_MAX]; /* of the one TEXT that there may be */
} TierSpec;

/* False with one line in @err (without newline): what, why, what is valid. */
bool tier_spec_parse(const char *text, TierSpec *spec, char *err,
                     size_t errsize);

/*
 * The canonical spec, with every parameter of the policy's in effect, but
 * common ones and texts only where they are not the default; true if it fitted.
 */
bool tier_spec_print(const TierSpec *spec, char *buf, size_t size);

/* The members "name", "spec", "params", "common" of an object that is open. */
void tier_spec_json(const TierSpec *spec, TierJson *json);

/* A policy's declaration as one JSON object, for help. */
void tier_policy_json(const TierPolicy *policy, TierJson *json);

/* Common parameters, eviction and buffer policies: as JSON arrays, for help. */
void tier_common_json(TierJson *json);
void tier_evictions_json(TierJson *json);
void tier_buffers_json(TierJson *json);

#endif
