/*
 * oldest: first in, first out, by section. A program's phase translates what it
 * needs, so the oldest section has the code of a phase that is probably over;
 * and its TBs are chained mostly to each other. Code that every phase uses, as
 * the kernel's, is evicted with it and translated again into the youngest
 * section.
 *
 * This is the medium-grained eviction of Hazelwood and Smith (Exploring code
 * cache eviction granularities in dynamic optimization systems, CGO 2004):
 * units of more than one TB need less unchaining than single TBs, and lose less
 * than a whole flush.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../buffer.h"

static uint32_t choose_oldest(const TierSection *full, uint32_t n)
{
    uint32_t oldest = 0;

    for (uint32_t i = 1; i < n; i++) {
        if (full[i].filled < full[oldest].filled) {
            oldest = i;
        }
    }
    return oldest;
}

const TierBuffer tier_buffer_oldest = {
    .summary = "evict the section of the code buffer that was filled first",
    .source = "Hazelwood and Smith, CGO 2004",
    .choose = choose_oldest,
};
