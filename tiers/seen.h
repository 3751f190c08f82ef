/*
 * A set of 64-bit keys that grows up to a bound: exact until it is full,
 * afterwards new keys are not learned. Private to the engine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_SEEN_H
#define TIER_SEEN_H

#include <stdbool.h>
#include <stdint.h>

enum {
    TIER_SEEN_MIN_SLOTS = 1 << 12,
    TIER_SEEN_MAX_SLOTS = 1 << 21,
    TIER_SEEN_MAX = TIER_SEEN_MAX_SLOTS / 2,
};

typedef struct TierSeen {
    uint64_t *slots;            /* 0: empty */
    uint32_t nb_slots;          /* a power of 2 */
    uint32_t n;
} TierSeen;

bool tier_seen_init(TierSeen *seen);
void tier_seen_free(TierSeen *seen);

/*
 * Was @key there? It is now, if there is room: at most TIER_SEEN_MAX keys, less
 * if memory is short. @key must be mixed well.
 */
bool tier_seen_add(TierSeen *seen, uint64_t key);

#endif
