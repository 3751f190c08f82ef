/*
 * A policy for tests: it notes what it is told and answers as it is told. It
 * takes the place of the real list of policies where probe.c is linked.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_TESTS_PROBE_H
#define TIER_TESTS_PROBE_H

#include "../engine.h"

enum { PROBE_MAX_GROUP = 8 };

typedef struct Probe {
    /* What it answers */
    uint32_t countdown;         /* translated, compiled, failed, demoted */
    unsigned tier;
    TierShape shape;
    uint32_t ask_again;
    TierRefusal why;
    uint32_t n;                 /* 0: the preset group */
    uint32_t ids[PROBE_MAX_GROUP];

    /* What it was told: number of calls, and the last arguments */
    unsigned inits, translated, hot, compiled, failed, demoted;
    unsigned invalidated, flushed, ticks, finis;
    TierTb tb;
    uint32_t executions;
    uint32_t preset_n;
    TierRefusal failed_why;
    TierCost cost;
    TierValue values[4];
    bool init_fails;
} Probe;

/* The one probe there is; reset it before each engine. */
extern Probe probe;

void probe_reset(void);

#endif
