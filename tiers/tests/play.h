/*
 * A runtime in miniature: TBs are numbers, executing one is an entry, compiling
 * always succeeds. Shows how a runtime uses the engine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_TESTS_PLAY_H
#define TIER_TESTS_PLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "../engine.h"

enum { PLAY_MAX_TBS = 256 };

typedef struct PlayTb {
    int32_t countdown;
    bool compiled;
    uint64_t entries0;          /* that ran in tier 0 */
    uint64_t entries1;
} PlayTb;

typedef struct Play {
    TierEngine *engine;
    uint32_t n;
    uint32_t modules;
    PlayTb tbs[PLAY_MAX_TBS];
} Play;

/* Exits with a message if the spec is wrong. */
void play_start(Play *play, const char *spec, uint64_t seed);

/* Translate one more TB; returns its id. */
uint32_t play_translate(Play *play);

void play_enter(Play *play, uint32_t id, uint64_t times);

/* Settle all countdowns, as a runtime does at the end. */
void play_settle(Play *play);

void play_free(Play *play);

#endif
