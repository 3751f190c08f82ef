/*
 * refusals.def as text.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "refusals.h"

#include <assert.h>

static const char *const keys[] = {
#define COMPILE_REFUSAL(name, key, meaning) key,
#define POLICY_REFUSAL(name, key, meaning) key,
#include "refusals.def"
};

static const char *const meanings[] = {
#define COMPILE_REFUSAL(name, key, meaning) meaning,
#define POLICY_REFUSAL(name, key, meaning) meaning,
#include "refusals.def"
};

const char *tier_refusal_key(TierRefusal why)
{
    assert((unsigned)why < TIER_NB_REFUSALS);
    return keys[why];
}

const char *tier_refusal_meaning(TierRefusal why)
{
    assert((unsigned)why < TIER_NB_REFUSALS);
    return meanings[why];
}
