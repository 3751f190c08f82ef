/*
 * Open addressing with linear probing, at most half full.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "seen.h"

#include <stdlib.h>

bool tier_seen_init(TierSeen *seen)
{
    seen->n = 0;
    seen->slots = calloc(TIER_SEEN_SLOTS, sizeof(seen->slots[0]));
    return seen->slots != NULL;
}

void tier_seen_free(TierSeen *seen)
{
    free(seen->slots);
}

bool tier_seen_add(TierSeen *seen, uint64_t key)
{
    uint32_t i = (uint32_t)(key % TIER_SEEN_SLOTS);

    key = key ? key : 1;
    while (seen->slots[i]) {
        if (seen->slots[i] == key) {
            return true;
        }
        i = (i + 1) % TIER_SEEN_SLOTS;
    }
    if (seen->n < TIER_SEEN_MAX) {
        seen->slots[i] = key;
        seen->n++;
    }
    return false;
}
