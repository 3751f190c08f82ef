/*
 * xoshiro256** and what is drawn with it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "rng.h"

#include <assert.h>

/* A fused multiply-add would round differently on hosts that have one. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

static uint64_t splitmix64(uint64_t *x)
{
    uint64_t z = *x += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void tier_rng_seed(TierRng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        rng->s[i] = splitmix64(&seed);
    }
}

uint64_t tier_rng_u64(TierRng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

/* 2 * atanh(@s) = ln((1 + s) / (1 - s)), for |@s| <= 1/3. */
static double two_atanh(double s)
{
    double square = s * s;
    double power = s;
    double sum = 0;

    for (int k = 1; k < 40; k += 2) {
        sum += power / k;
        power *= square;
    }
    return 2 * sum;
}

/* ln(@x) for 0 < @x <= 1, by halving the distance to 1. */
static double ln(double x)
{
    const double ln2 = 0.69314718055994530942;
    int halvings = 0;

    assert(x > 0 && x <= 1);
    while (x < 0.5) {
        x *= 2;
        halvings++;
    }
    return two_atanh((x - 1) / (x + 1)) - halvings * ln2;
}

uint64_t tier_rng_geometric(TierRng *rng, double p)
{
    /* 53 random bits, as a number in (0, 1]. */
    double u = (double)((tier_rng_u64(rng) >> 11) + 1) * 0x1p-53;
    double ln_fail;

    assert(p > 0 && p <= 1);
    if (p == 1) {
        return 1;
    }
    /* ln(1 - p), without rounding small p away. */
    ln_fail = p < 0.5 ? two_atanh(-p / (2 - p)) : ln(1 - p);
    /* P(trials > k) = (1 - p)^k = P(u < (1 - p)^k) */
    return 1 + (uint64_t)(ln(u) / ln_fail);
}
