/*
 * least-used: of the older half of the sections, the one whose TBs were
 * executed least since the last choice. The younger half is spared: a section
 * that was filled a moment ago had no time to be used. (Without that rule, a
 * boot with a buffer of 8 MiB evicted its youngest sections again and again.)
 *
 * Executions in tier 0 are known. Compiled code does not count its executions,
 * so each compiled TB stands for a constant number of executions: about as many
 * as a threshold asks for before a TB is compiled. What was hot once thus stays
 * longer, though it may be cold by now. Of equal sections, the oldest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../buffer.h"

enum { EXECUTIONS_OF_COMPILED = 1000 };

static uint64_t use(const TierSection *section)
{
    return section->interpreted +
           (uint64_t)section->compiled * EXECUTIONS_OF_COMPILED;
}

/* How many sections are older than @section. */
static uint32_t older(const TierSection *full, uint32_t n,
                      const TierSection *section)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < n; i++) {
        found += full[i].filled < section->filled;
    }
    return found;
}

static uint32_t choose_least_used(const TierSection *full, uint32_t n)
{
    uint32_t least = TIER_WHOLE_BUFFER;

    for (uint32_t i = 0; i < n; i++) {
        uint64_t a = use(&full[i]);
        uint64_t b = least < n ? use(&full[least]) : UINT64_MAX;

        if (older(full, n, &full[i]) >= (n + 1) / 2) {
            continue;
        }
        if (a < b || (a == b && full[i].filled < full[least].filled)) {
            least = i;
        }
    }
    return least;
}

const TierBuffer tier_buffer_least_used = {
    .summary = "evict the least executed of the older sections",
    .source = "least frequently used, by section",
    .choose = choose_least_used,
    .wants_uses = true,
};
