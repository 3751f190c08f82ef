/*
 * Typed reasons for not compiling; refusals.def is the list.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_REFUSALS_H
#define TIER_REFUSALS_H

typedef enum TierRefusal {
#define COMPILE_REFUSAL(name, key, meaning) TIER_REFUSED_##name,
#define POLICY_REFUSAL(name, key, meaning) TIER_REFUSED_##name,
#include "refusals.def"
    TIER_NB_REFUSALS
} TierRefusal;

const char *tier_refusal_key(TierRefusal why);
const char *tier_refusal_meaning(TierRefusal why);

#endif
