/*
 * clock: second chance. The oldest module is judged: if it was executed since
 * it was last looked at it becomes the youngest again, else it is given up. The
 * list by age, going round, is the clock's face.
 *
 * The clock algorithm is Corbato's (A paging experiment with the Multics
 * system, 1968). There is no hardware's reference bit here: a module is watched
 * by taking it out of use, as Babaoglu and Joy did with pages (Converting a
 * swap-based system to do paging in an architecture lacking page-referenced
 * bits, SOSP 1981). And as in their 4.3BSD there are two hands, so that a
 * module has time to be executed between being watched and being judged:
 *
 *     oldest: judged ... `ahead` modules, watched ... scout: watched next ...
 *
 * The scout goes ahead only when a budget is nearly full, so that nothing is
 * disturbed while there is room. Modules that it has not come to are given up
 * unseen: first in, first out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../eviction.h"

enum {
    NEARLY_FULL = 90,           /* percent, at which watching begins */
    AHEAD_SHARE = 2,            /* one of so many is between the hands */
    WATCHES_PER_TICK = 4,
    MAX_LOOKS = 64,             /* modules judged for one that is given up */
};

typedef struct Clock {
    uint32_t scout;             /* meaningful if @ahead is not 0 */
    uint32_t ahead;
} Clock;

/* The oldest is judged, and leaves its place. */
static void step(Clock *self, const TierEngine *engine)
{
    if (self->ahead > 0) {
        self->ahead--;
    }
    /* Others between the hands may have died. */
    if (self->scout == tier_module_oldest(engine)) {
        self->ahead = 0;
    }
}

static void clock_make_room(void *state, TierEngine *engine)
{
    Clock *self = state;
    uint32_t oldest = tier_module_oldest(engine);

    for (unsigned looks = 0; looks < MAX_LOOKS; looks++) {
        const TierModule *module = tier_module(engine, oldest);

        if (!module || !module->touched) {
            break;
        }
        step(self, engine);
        tier_renew(engine, oldest);
        oldest = tier_module_oldest(engine);
    }
    step(self, engine);
    tier_give_up(engine, oldest);
}

static void clock_gone(void *state, TierEngine *engine,
                       const TierModule *module)
{
    Clock *self = state;

    if (self->ahead > 0 && self->scout == module->id) {
        self->scout = tier_module_younger(engine, module->id);
    }
}

static void clock_tick(void *state, TierEngine *engine)
{
    Clock *self = state;
    uint32_t far = tier_modules_present(engine) / AHEAD_SHARE;

    if (tier_fullness(engine) < NEARLY_FULL) {
        return;
    }
    for (unsigned i = 0; i < WATCHES_PER_TICK && self->ahead < far; i++) {
        if (self->ahead == 0) {
            self->scout = tier_module_oldest(engine);
        }
        tier_watch(engine, self->scout);
        self->scout = tier_module_younger(engine, self->scout);
        self->ahead++;
    }
}

const TierEviction tier_eviction_clock = {
    .summary = "give up what was not executed since it was last looked at",
    .source = "Corbato 1968; Babaoglu and Joy, SOSP 1981",
    .state_size = sizeof(Clock),
    .make_room = clock_make_room,
    .gone = clock_gone,
    .tick = clock_tick,
};
