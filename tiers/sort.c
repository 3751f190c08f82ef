/*
 * Sorting ranks. A decision sorts a few dozen ranks. If each comparison were a
 * branch, every other one would be mispredicted, which would be most of the
 * cost. Ranks by executions differ only in the low half of the first key and in
 * the id: such ranks are packed into one integer each, and merge sort without
 * branches sorts the integers. Other ranks are rare; Shell's sort does for
 * them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "group.h"

static bool before(const TierRank *a, const TierRank *b)
{
    if (a->first != b->first) {
        return a->first < b->first;
    }
    if (a->second != b->second) {
        return a->second < b->second;
    }
    return a->id < b->id;
}

static void sort_any(TierRank *ranks, uint32_t n)
{
    static const uint32_t gaps[] = { 1577, 701, 301, 132, 57, 23, 10, 4, 1 };

    for (unsigned g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++) {
        uint32_t gap = gaps[g];

        for (uint32_t i = gap; i < n; i++) {
            TierRank rank = ranks[i];
            uint32_t k = i;

            for (; k >= gap && before(&rank, &ranks[k - gap]); k -= gap) {
                ranks[k] = ranks[k - gap];
            }
            ranks[k] = rank;
        }
    }
}

static bool can_pack(const TierRank *ranks, uint32_t n)
{
    uint64_t differ = 0;

    for (uint32_t i = 0; i < n; i++) {
        differ |= (ranks[i].first ^ ranks[0].first) >> 32;
        differ |= ranks[i].second ^ ranks[0].second;
    }
    return differ == 0;
}

/*
 * Merge two runs of @half each, at @from, to @to: from both ends at once, which
 * are independent, and neither of which reads beyond its run.
 */
static void merge(const uint64_t *from, uint32_t half, uint64_t *to)
{
    const uint64_t *a = from, *b = from + half;
    const uint64_t *a_last = b - 1, *b_last = b + half - 1;
    uint64_t *last = to + 2 * half - 1;

    for (uint32_t i = 0; i < half; i++) {
        uint64_t x = *a, y = *b, v = *a_last, w = *b_last;
        bool second = y < x;
        bool first = w < v;

        to[i] = second ? y : x;
        a += !second;
        b += second;
        *last-- = first ? v : w;
        a_last -= first;
        b_last -= !first;
    }
}

static void sort_pairs(uint64_t *keys, uint32_t n)
{
    for (uint32_t i = 0; i + 1 < n; i += 2) {
        uint64_t x = keys[i], y = keys[i + 1];

        keys[i] = x < y ? x : y;
        keys[i + 1] = x < y ? y : x;
    }
}

/* @n is a power of 2; @spare has as much room. Returns where the result is. */
static uint64_t *sort_keys(uint64_t *keys, uint64_t *spare, uint32_t n)
{
    sort_pairs(keys, n);
    for (uint32_t half = 2; half < n; half *= 2) {
        uint64_t *to = spare;

        for (uint32_t i = 0; i < n; i += 2 * half) {
            merge(keys + i, half, to + i);
        }
        spare = keys;
        keys = to;
    }
    return keys;
}

static uint32_t power_of_2(uint32_t n)
{
    uint32_t power = 1;

    while (power < n) {
        power *= 2;
    }
    return power;
}

size_t tier_rank_spare(uint32_t n)
{
    return 2 * power_of_2(n);
}

void tier_rank_sort(TierRank *ranks, uint32_t n, uint64_t *spare)
{
    uint32_t all = power_of_2(n);
    const uint64_t *sorted;

    if (!can_pack(ranks, n)) {
        sort_any(ranks, n);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        spare[i] = ranks[i].first << 32 | ranks[i].id;
    }
    for (uint32_t i = n; i < all; i++) {
        spare[i] = UINT64_MAX;
    }
    sorted = sort_keys(spare, spare + all, all);
    for (uint32_t i = 0; i < n; i++) {
        ranks[i].first = ranks[i].first >> 32 << 32 | sorted[i] >> 32;
        ranks[i].id = (uint32_t)sorted[i];
    }
}
