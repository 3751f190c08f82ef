/*
 * The events of a boot, told to a tier engine: TBs are translated, linked,
 * executed, invalidated. What is measured is the time of the engine's calls.
 *
 * Synthetic and deterministic, after a boot of Debian's kernel on riscv64: TBs
 * are translated during the first 60 % of the time, in the order in which they
 * then run, two dozen a page; each is linked to the next and two of three to an
 * earlier one; executions of a TB follow the boot's distribution (100 or more:
 * 18.5 % of the TBs, 1,000: 6.5 %, 10,000: 1.7 %) at a steady rate each. Every
 * 100th translation invalidates a TB, every 64th group fails, all others are
 * compiled at once. The clock that policies see is the
 * boot's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MICRO_BOOT_EVENTS_H
#define MICRO_BOOT_EVENTS_H

#include "tiers/engine.h"

/* Calls of one kind: how many, for how many TBs, and their time. */
typedef struct BootCalls {
    uint64_t n;
    uint64_t tbs;
    double ns;
} BootCalls;

typedef struct BootTimes {
    BootCalls translated;       /* tier_translated() */
    BootCalls linked;           /* tier_linked() */
    BootCalls hot;              /* tier_hot(); tbs: at least one each */
    BootCalls tick;             /* tier_tick(); tbs: the ones chosen */
    BootCalls room;             /* tier_make_room() */
    BootCalls outcome;          /* tier_compiled() or tier_failed() */
    double stats_ns;            /* of tier_stats_json() at the end */
    uint64_t interrupted;       /* calls not counted: other programs ran */
    uint64_t groups;
    uint64_t chosen;            /* TBs in them */
    uint64_t retired;           /* modules */
} BootTimes;

/* Hash of the guest code of TB @id, the same in all boots. */
uint64_t boot_hash(uint64_t id);

/*
 * Tell an engine with the policy @spec the events of a boot of @n TBs; adds to
 * @times. @seed is that of the boot's random numbers. False with a line in @err
 * (of TIER_ERR_MAX bytes) if the spec is wrong, or memory is short.
 */
bool boot_run(const char *spec, uint32_t n, uint64_t seed, BootTimes *times,
              char *err);

#endif
