/*
 * oldest-half: when a module does not fit, the older half of the modules is
 * given up: first in, first out in two generations. Younger code survives, and
 * the work per eviction stays rare.
 *
 * Hazelwood and Smith compared granularities from one unit (flush) to single
 * superblocks (fine-grained FIFO) and found medium-grained FIFO, a cache that
 * is flushed in a few large units, to cost least: Exploring code cache eviction
 * granularities in dynamic optimization systems, CGO 2004. DynamoRIO's caches
 * are FIFO as well (Bruening and Amarasinghe, Maintaining consistency and
 * bounding capacity of software code caches, CGO 2005).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../eviction.h"

static void oldest_half_make_room(void *state, TierEngine *engine)
{
    uint32_t n = (tier_modules_present(engine) + 1) / 2;

    (void)state;
    while (n-- > 0) {
        tier_give_up(engine, tier_module_oldest(engine));
    }
}

const TierEviction tier_eviction_oldest_half = {
    .summary = "give up the older half when a module does not fit",
    .source = "Hazelwood and Smith, CGO 2004: medium-grained FIFO",
    .make_room = oldest_half_make_room,
};
