/*
 * priority: TBs that are asked about enter a priority queue by heat; now and
 * then the hottest are compiled, but no more than a share of the time goes into
 * compiling. Heat ages: it is halved every half-life, so that what was hot long
 * ago gives way to what is hot now.
 *
 * Compiling hottest first within a share of the processor is from Kulkarni,
 * Arnold, Hind, Dynamic compilation: the benefits of early investing, VEE 2007.
 * Counters that decay exponentially are Self's (Hoelzle and Ungar, A
 * third-generation Self implementation, OOPSLA 1994).
 *
 * The queue is a binary heap of bounded size, in which a TB knows its place, so
 * that further executions raise it. Halving keeps the order.
 *
 * Defaults: asked about every 200 executions, a boot's 10,000 hot TBs cost a
 * tenth of its time at 15 us each if they are spread over it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../group.h"

#include <stdlib.h>

enum {
    CAPACITY = 8192,
    MAX_CREDIT_MS = 50,         /* of compiling that was not done, kept */
};

/* Words of a TB. */
enum {
    WORD_PLACE,                 /* 1 + its index in the heap; 0: not there */
    WORD_ALONE,                 /* its group may have failed because of it */
};

typedef struct Entry {
    uint64_t heat;
    uint32_t id;
} Entry;

typedef struct Priority {
    uint32_t every, size;
    double share;
    uint64_t wait_ns, half_life_ns;

    Entry *heap;                /* hottest first */
    uint32_t n;
    uint64_t aged_ns;           /* when heat was last halved */
    uint64_t credited_ns;       /* up to when credit was given */
    uint64_t taken_ns;          /* when a group was last made */
    double credit;              /* ns that may be spent on compiling */
} Priority;

/* Indices into the parameters. */
enum { PARAM_N, PARAM_SIZE, PARAM_WAIT, PARAM_SHARE, PARAM_HALF_LIFE };

static const TierParam priority_params[] = {
    TIER_DECLARE_N(200, "queue a TB, or raise it, each so many executions"),
    TIER_DECLARE_SIZE(64),
    TIER_DECLARE_WAIT(20),
    {
        .name = "share",
        .unit = "",
        .meaning = "of the time, spent compiling at most",
        .type = TIER_PARAM_DOUBLE,
        .def.number = 0.1,
        .min.number = 0.001,
        .max.number = 1,
    },
    {
        .name = "half-life",
        .unit = "ms",
        .meaning = "heat is halved so often",
        .type = TIER_PARAM_U64,
        .def.u64 = 500,
        .min.u64 = 1,
        .max.u64 = 1000000,
    },
    { .name = NULL },
};

static bool priority_init(void *state, TierEngine *engine,
                          const TierValue *values)
{
    Priority *self = state;
    uint64_t now = tier_now_ns(engine);

    self->every = (uint32_t)values[PARAM_N].u64;
    self->size = (uint32_t)values[PARAM_SIZE].u64;
    self->wait_ns = values[PARAM_WAIT].u64 * TIER_NS_PER_MS;
    self->share = values[PARAM_SHARE].number;
    self->half_life_ns = values[PARAM_HALF_LIFE].u64 * TIER_NS_PER_MS;
    self->aged_ns = now;
    self->credited_ns = now;
    self->taken_ns = now;
    self->heap = malloc(CAPACITY * sizeof(self->heap[0]));
    return self->heap != NULL;
}

static uint32_t priority_translated(void *state, TierEngine *engine,
                                    const TierTb *tb)
{
    const Priority *self = state;

    (void)engine;
    (void)tb;
    return self->every;
}

/* The heap */

static void put(Priority *self, TierEngine *engine, uint32_t at, Entry entry)
{
    uint32_t *words = tier_tb_words(engine, entry.id);

    self->heap[at] = entry;
    if (words) {
        words[WORD_PLACE] = at + 1;
    }
}

static void sift_up(Priority *self, TierEngine *engine, uint32_t at)
{
    Entry entry = self->heap[at];

    while (at > 0 && self->heap[(at - 1) / 2].heat < entry.heat) {
        put(self, engine, at, self->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(self, engine, at, entry);
}

static void sift_down(Priority *self, TierEngine *engine, uint32_t at)
{
    Entry entry = self->heap[at];

    for (;;) {
        uint32_t child = 2 * at + 1;

        if (child + 1 < self->n &&
            self->heap[child + 1].heat > self->heap[child].heat) {
            child++;
        }
        if (child >= self->n || self->heap[child].heat <= entry.heat) {
            break;
        }
        put(self, engine, at, self->heap[child]);
        at = child;
    }
    put(self, engine, at, entry);
}

/* The hottest leaves the heap, which is not empty. */
static uint32_t pop(Priority *self, TierEngine *engine)
{
    uint32_t id = self->heap[0].id;
    uint32_t *words = tier_tb_words(engine, id);

    if (words) {
        words[WORD_PLACE] = 0;
    }
    self->n--;
    if (self->n > 0) {
        self->heap[0] = self->heap[self->n];
        sift_down(self, engine, 0);
    }
    return id;
}

static void priority_hot(void *state, TierEngine *engine, const TierTb *tb,
                         uint32_t executions, TierDecision *decision)
{
    Priority *self = state;
    uint32_t id = decision->ids[0];
    uint32_t *words = tier_tb_words(engine, id);

    (void)tb;
    if (words[WORD_ALONE]) {
        words[WORD_ALONE] = 0;
        decision->tier = 1;
        return;
    }
    decision->ask_again = self->every;
    decision->why = TIER_REFUSED_QUEUED;
    if (words[WORD_PLACE] > 0) {
        self->heap[words[WORD_PLACE] - 1].heat += executions;
        sift_up(self, engine, words[WORD_PLACE] - 1);
    } else if (self->n == CAPACITY) {
        decision->why = TIER_REFUSED_BUDGET;
    } else {
        self->heap[self->n] = (Entry){ executions, id };
        sift_up(self, engine, self->n++);
    }
}

/* Time passes */

static void age(Priority *self, uint64_t now)
{
    if (now - self->aged_ns < self->half_life_ns) {
        return;
    }
    self->aged_ns = now;
    for (uint32_t i = 0; i < self->n; i++) {
        self->heap[i].heat /= 2;
    }
}

static void give_credit(Priority *self, uint64_t now)
{
    const double most = (double)MAX_CREDIT_MS * TIER_NS_PER_MS;

    self->credit += self->share * (double)(now - self->credited_ns);
    self->credit = self->credit < most ? self->credit : most;
    self->credited_ns = now;
}

static void priority_tick(void *state, TierEngine *engine,
                          TierDecision *decision)
{
    Priority *self = state;
    uint64_t now = tier_now_ns(engine);
    bool ready = self->n >= self->size ||
                 (self->n > 0 && now - self->taken_ns >= self->wait_ns);

    age(self, now);
    give_credit(self, now);
    if (!ready || self->credit < 0) {
        return;
    }
    self->taken_ns = now;
    while (self->n > 0 && decision->n < self->size) {
        uint32_t id = pop(self, engine);

        if (tier_tb_may_compile(engine, id, 1, TIER_FUNCTIONS)) {
            decision->ids[decision->n++] = id;
        }
    }
    decision->tier = decision->n > 0;
}

static uint32_t priority_compiled(void *state, TierEngine *engine,
                                  const uint32_t *ids, uint32_t n,
                                  const TierCost *cost)
{
    Priority *self = state;

    (void)engine;
    (void)ids;
    (void)n;
    self->credit -= (double)(cost->emit_ns + cost->instantiate_ns);
    return TIER_NEVER_ASK;
}

static uint32_t priority_failed(void *state, TierEngine *engine,
                                const uint32_t *ids, uint32_t n,
                                TierRefusal why)
{
    const Priority *self = state;
    bool own_fault =
        why == TIER_REFUSED_BAD_BYTECODE || why == TIER_REFUSED_TOO_LARGE;

    if (own_fault && n == 1) {
        return TIER_NEVER_ASK;
    }
    for (uint32_t i = 0; i < n && own_fault; i++) {
        uint32_t *words = tier_tb_words(engine, ids[i]);

        if (words) {
            words[WORD_ALONE] = 1;
        }
    }
    return self->every;
}

static void priority_flushed(void *state, TierEngine *engine)
{
    Priority *self = state;

    (void)engine;
    self->n = 0;
}

static void priority_fini(void *state)
{
    Priority *self = state;

    free(self->heap);
}

const TierPolicy tier_policy_priority = {
    .name = "priority",
    .summary = "the hottest first, in a share of the time; heat ages",
    .source = "Kulkarni, Arnold and Hind, VEE 2007",
    .params = priority_params,
    .state_size = sizeof(Priority),
    .init = priority_init,
    .translated = priority_translated,
    .hot = priority_hot,
    .compiled = priority_compiled,
    .failed = priority_failed,
    .flushed = priority_flushed,
    .tick = priority_tick,
    .fini = priority_fini,
};
