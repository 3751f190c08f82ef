/*
 * A set of 64-bit keys of bounded size: exact until it is full, afterwards new
 * keys are not learned. Private to the engine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_SEEN_H
#define TIER_SEEN_H

#include <stdbool.h>
#include <stdint.h>

enum {
    TIER_SEEN_SLOTS = 1 << 18,
    TIER_SEEN_MAX = TIER_SEEN_SLOTS / 2,
};

typedef struct TierSeen {
    uint64_t *slots;            /* 0: empty */
    uint32_t n;
} TierSeen;

bool tier_seen_init(TierSeen *seen);
void tier_seen_free(TierSeen *seen);

/* Was @key there? It is now, if there is room. @key must be mixed well. */
bool tier_seen_add(TierSeen *seen, uint64_t key);

#endif
