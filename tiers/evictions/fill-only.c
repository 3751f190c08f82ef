/*
 * fill-only: nothing is given up; once a budget is full, code that is not
 * compiled yet is interpreted. What a bounded code cache without a replacement
 * rule does, and the baseline for the others.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../eviction.h"

const TierEviction tier_eviction_fill_only = {
    .summary = "give nothing up; refuse what does not fit",
    .source = "baseline",
};
