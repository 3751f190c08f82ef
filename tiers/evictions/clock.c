/*
 * clock: second chance. Modules are looked at in the order of their age, round
 * and round; those that were executed since they were last looked at are
 * passed over, others are given up.
 *
 * The clock algorithm is Corbato's (A paging experiment with the Multics
 * system, 1968). There is no hardware's reference bit here: a module is watched
 * by taking it out of use, as Babaoglu and Joy did with pages (Converting a
 * swap-based system to do paging in an architecture lacking page-referenced
 * bits, SOSP 1981). And as in their 4.3BSD there are two hands, so that a
 * module has time to be executed between being watched and being judged:
 *
 *      oldest ... [hand: judges] ... AHEAD modules watched ... [scout] ...
 *
 * The scout goes ahead only when a budget is nearly full, so that nothing is
 * disturbed while there is room. Where the hand meets the scout, all before it
 * were in use, and the one at the hand is given up: first in, first out, as in
 * any clock with all bits set.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../eviction.h"

enum {
    NEARLY_FULL = 90,           /* percent, at which watching begins */
    AHEAD_SHARE = 8,            /* one of so many modules is being watched */
    MAX_LOOKS = 64,             /* modules judged for one that is given up */
};

typedef struct Clock {
    uint32_t hand, scout;       /* the next to be judged, and to be watched */
    uint32_t ahead;             /* modules from hand to scout */
} Clock;

static uint32_t after(const TierEngine *engine, uint32_t module)
{
    uint32_t next = tier_module_younger(engine, module);

    return next != TIER_NO_MODULE ? next : tier_module_oldest(engine);
}

static void clock_init(void *state, TierEngine *engine)
{
    Clock *self = state;

    (void)engine;
    self->hand = TIER_NO_MODULE;
    self->scout = TIER_NO_MODULE;
}

/* Both hands on a module, if there is any. */
static bool ready(Clock *self, const TierEngine *engine)
{
    if (self->hand == TIER_NO_MODULE) {
        self->hand = tier_module_oldest(engine);
        self->scout = self->hand;
        self->ahead = 0;
    }
    return self->hand != TIER_NO_MODULE;
}

static void step_hand(Clock *self, const TierEngine *engine)
{
    self->hand = after(engine, self->hand);
    if (self->ahead > 0) {
        self->ahead--;
    } else {
        self->scout = self->hand;
    }
}

/* Watch up to @n modules more, if the scout is not far enough ahead. */
static void scout(Clock *self, TierEngine *engine, uint32_t n)
{
    uint32_t far = tier_modules_present(engine) / AHEAD_SHARE;

    for (; n > 0 && self->ahead < far; n--) {
        tier_watch(engine, self->scout);
        self->scout = after(engine, self->scout);
        self->ahead++;
    }
}

static void clock_make_room(void *state, TierEngine *engine)
{
    Clock *self = state;

    if (!ready(self, engine)) {
        return;
    }
    for (unsigned looks = 0; looks < MAX_LOOKS && self->ahead > 0; looks++) {
        if (tier_module(engine, self->hand)->watched) {
            break;
        }
        step_hand(self, engine);
    }
    tier_give_up(engine, self->hand);
    if (ready(self, engine)) {
        scout(self, engine, 2);
    }
}

/* Before @module leaves, the hands do. */
static void clock_gone(void *state, TierEngine *engine,
                       const TierModule *module)
{
    Clock *self = state;

    if (tier_modules_present(engine) == 1) {
        clock_init(self, engine);
        return;
    }
    if (self->scout == module->id) {
        self->scout = after(engine, module->id);
    }
    if (self->hand == module->id) {
        step_hand(self, engine);
    }
}

static void clock_tick(void *state, TierEngine *engine)
{
    Clock *self = state;

    if (tier_fullness(engine) >= NEARLY_FULL && ready(self, engine)) {
        scout(self, engine, 4);
    }
}

const TierEviction tier_eviction_clock = {
    .summary = "give up what was not executed since it was last looked at",
    .source = "Corbato 1968; Babaoglu and Joy, SOSP 1981",
    .state_size = sizeof(Clock),
    .init = clock_init,
    .make_room = clock_make_room,
    .gone = clock_gone,
    .tick = clock_tick,
};
