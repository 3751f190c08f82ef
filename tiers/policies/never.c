/*
 * never: all code is interpreted. The baseline that compilation is to beat.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../policy.h"

const TierPolicy tier_policy_never = {
    .name = "never",
    .summary = "interpret everything",
    .source = "baseline",
};
