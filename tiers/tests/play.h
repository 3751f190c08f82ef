/*
 * A runtime in miniature: TBs are numbers, executing one is an entry, time is
 * what the test says. Shows how a runtime uses the engine, and checks that the
 * engine uses the runtime as it may: budgets are kept, a module is given up
 * once, what it knows of modules and members is what there is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_TESTS_PLAY_H
#define TIER_TESTS_PLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "../engine.h"

enum {
    PLAY_MAX_TBS = 4096,
    PLAY_MAX_MODULES = 16384,
    PLAY_NO_MODULE = PLAY_MAX_MODULES,
    PLAY_INSNS = 5,             /* guest instructions of every TB */
};

typedef struct PlayTb {
    int32_t countdown;
    bool live;
    bool compiled;
    bool watched;               /* compiled, but its module is out of use */
    uint32_t module;            /* of a compiled TB */
    uint64_t entries0;          /* that ran in tier 0 */
    uint64_t entries1;
    uint64_t reported1;         /* of these, those that the engine knows */
} PlayTb;

typedef struct PlayModule {
    bool alive;
    bool regions;
    bool broken;                /* a member of its was invalidated */
    bool watched;
    uint32_t n;                 /* slots, members */
    uint32_t live;
} PlayModule;

typedef struct Play {
    TierEngine *engine;
    uint64_t now_ns;
    uint32_t n;
    uint32_t modules;           /* installed up to now */
    uint32_t modules_alive;
    uint32_t slots;
    uint32_t last_group;        /* TBs in the last decision */
    uint32_t last_ids[TIER_MAX_GROUP];
    uint64_t groups_hash;       /* of all that were chosen, in order */
    TierShape last_shape;
    TierRefusal fail;           /* compilations fail so; NONE: they do not */
    PlayTb tbs[PLAY_MAX_TBS];
    PlayModule module[PLAY_MAX_MODULES];
} Play;

/* Exits with a message if the spec is wrong. */
void play_start(Play *play, const char *spec, uint64_t seed);

/* Translate one more TB; returns its id. */
uint32_t play_translate(Play *play);

/* The same, at an address and with a hash. */
uint32_t play_translate_at(Play *play, uint64_t pc, uint64_t hash);

void play_enter(Play *play, uint32_t id, uint64_t times);

/* Exit @exit of @id leads to @succ. */
void play_link(Play *play, uint32_t id, unsigned exit, uint32_t succ);

/* Let @ms pass, and tick as a runtime does; returns the groups compiled. */
uint32_t play_tick(Play *play, uint32_t ms);

/* Report the executions in tier 1, as a runtime that counts there does. */
void play_report(Play *play);

void play_invalidate(Play *play, uint32_t id);
void play_flush(Play *play);

/* Settle all countdowns, as a runtime does at the end. */
void play_settle(Play *play);

/* Abort unless the engine knows what there is. */
void play_check(const Play *play);

void play_free(Play *play);

#endif
