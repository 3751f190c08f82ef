/*
 * SplitMix64: reproducible random numbers, for tests and benchmarks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_RNG_H
#define TW_RNG_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Rng {
    uint64_t state;
} Rng;

static inline uint64_t rng_next(Rng *rng)
{
    uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline uint32_t rng_below(Rng *rng, uint32_t n)
{
    return (uint32_t)((rng_next(rng) >> 32) * n >> 32);
}

static inline bool rng_percent(Rng *rng, uint32_t percent)
{
    return rng_below(rng, 100) < percent;
}

/* A value that is likely to be at some edge. */
static inline uint64_t rng_value(Rng *rng)
{
/* clang-format off */
    static const uint64_t edges[] = {
        0, 1, 2, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256,
        0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0x80000001,
        0xffffffff, 0x100000000, 0x1ffffffff, 0x7fffffff00000000,
        0x7fffffffffffffff, 0x8000000000000000, 0x8000000000000001,
        0xffffffff00000000, 0xffffffff7fffffff, 0xffffffff80000000,
        0xfffffffffffffffe, 0xffffffffffffffff, 0x0123456789abcdef,
    };
/* clang-format on */
    uint64_t v;

    switch (rng_below(rng, 8)) {
    case 0:
    case 1:
    case 2:
    case 3:
        return edges[rng_below(rng, sizeof(edges) / sizeof(edges[0]))];
    case 4:
        v = rng_next(rng);
        return v >> rng_below(rng, 64);
    case 5:
        return -(uint64_t)rng_below(rng, 300);
    default:
        return rng_next(rng);
    }
}

#endif
