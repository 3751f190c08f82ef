/*
 * evictions.def as data: the only place that knows which there are.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "eviction.h"

const TierEviction *const tier_evictions[] = {
#define X(ident, name) &tier_eviction_##ident,
#include "evictions.def"
    NULL,
};

const char *const tier_eviction_names[] = {
#define X(ident, name) name,
#include "evictions.def"
    NULL,
};
