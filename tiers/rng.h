/*
 * Random numbers that are the same on every host: xoshiro256**, seeded by
 * splitmix64 (Blackman and Vigna, public domain algorithms).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_RNG_H
#define TIER_RNG_H

#include <stdint.h>

typedef struct TierRng {
    uint64_t s[4];
} TierRng;

void tier_rng_seed(TierRng *rng, uint64_t seed);
uint64_t tier_rng_u64(TierRng *rng);

/*
 * Trials until the first success, itself included, of probability @p each:
 * geometric, at least 1. Made of IEEE basic operations only, so no libm's last
 * digit decides. 0 < @p <= 1.
 */
uint64_t tier_rng_geometric(TierRng *rng, double p);

#endif
