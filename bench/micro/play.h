/*
 * The life of a guest's TBs, told to a tier engine, with the time that each of
 * its calls takes.
 *
 * Synthetic and deterministic, after a boot of Debian's kernel on riscv64: TBs
 * are translated during the first 60 % of the time, in the order in which they
 * then run, two dozen a page; each is linked to the next and two of three to an
 * earlier one; executions of a TB follow the boot's distribution (100 or more:
 * 18.5 % of the TBs, 1,000: 6.5 %, 10,000: 1.7 %) at a steady rate each. Every
 * 100th translation invalidates a TB, every 64th group fails, all others are
 * compiled at once. The clock that policies see is the play's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MICRO_PLAY_H
#define MICRO_PLAY_H

#include "tiers/engine.h"

/* Calls of one kind: how many, for how many TBs, and their time. */
typedef struct PlayCalls {
    uint64_t n;
    uint64_t tbs;
    double ns;
} PlayCalls;

typedef struct PlayTimes {
    PlayCalls translated;       /* tier_translated() */
    PlayCalls linked;           /* tier_linked() */
    PlayCalls hot;              /* tier_hot(); tbs: at least one each */
    PlayCalls tick;             /* tier_tick(); tbs: the ones chosen */
    PlayCalls room;             /* tier_make_room() */
    PlayCalls outcome;          /* tier_compiled() or tier_failed() */
    double stats_ns;            /* of tier_stats_json() at the end */
    uint64_t interrupted;       /* calls not counted: others were running */
    uint64_t groups;
    uint64_t chosen;            /* TBs in them */
    uint64_t retired;           /* modules */
} PlayTimes;

/* Hash of the guest code of TB @id, as all plays have it. */
uint64_t play_hash(uint64_t id);

/*
 * Play @n TBs under the policy @spec; adds to @times. @seed is that of the
 * play's random numbers. False with a line in @err (of TIER_ERR_MAX bytes) if
 * the spec is wrong, or memory is short.
 */
bool play_run(const char *spec, uint32_t n, uint64_t seed, PlayTimes *times,
              char *err);

#endif
