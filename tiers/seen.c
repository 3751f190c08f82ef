/*
 * Open addressing with linear probing, at most half full.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "seen.h"

#include <stdlib.h>

bool tier_seen_init(TierSeen *seen)
{
    *seen = (TierSeen){ .nb_slots = TIER_SEEN_MIN_SLOTS };
    seen->slots = calloc(seen->nb_slots, sizeof(seen->slots[0]));
    return seen->slots != NULL;
}

void tier_seen_free(TierSeen *seen)
{
    free(seen->slots);
}

/* The slot that holds @key, or the empty one where it belongs. */
static uint64_t *slot_of(const TierSeen *seen, uint64_t key)
{
    uint32_t i = (uint32_t)(key % seen->nb_slots);

    while (seen->slots[i] && seen->slots[i] != key) {
        i = (i + 1) % seen->nb_slots;
    }
    return &seen->slots[i];
}

/* Twice the slots, if that is allowed and there is memory. */
static void grow(TierSeen *seen)
{
    TierSeen more = { .nb_slots = seen->nb_slots * 2, .n = seen->n };

    if (seen->nb_slots == TIER_SEEN_MAX_SLOTS) {
        return;
    }
    more.slots = calloc(more.nb_slots, sizeof(more.slots[0]));
    if (!more.slots) {
        return;
    }
    for (uint32_t i = 0; i < seen->nb_slots; i++) {
        if (seen->slots[i]) {
            *slot_of(&more, seen->slots[i]) = seen->slots[i];
        }
    }
    free(seen->slots);
    *seen = more;
}

bool tier_seen_add(TierSeen *seen, uint64_t key)
{
    uint64_t *slot;

    key = key ? key : 1;
    slot = slot_of(seen, key);
    if (*slot) {
        return true;
    }
    if (seen->n == seen->nb_slots / 2) {
        grow(seen);
        slot = slot_of(seen, key);
    }
    if (seen->n < seen->nb_slots / 2) {
        *slot = key;
        seen->n++;
    }
    return false;
}
