/*
 * policies.def as data: the only place that knows which policies there are.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "policy.h"

const TierPolicy *const tier_policies[] = {
#define X(name) &tier_policy_##name,
#include "policies.def"
    NULL,
};
