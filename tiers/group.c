/*
 * Batches. A TB's words:
 *
 *   WORD_STATE      bits: waits in batch 0, in batch 1; is to be compiled alone
 *   WORD_FORWARD    1 + the TB last chained to it from a lower address
 *   WORD_BACKWARD   1 + the TB last chained to it from its own address or above
 *   WORD_STAMP      the last group that it was a member or a neighbour of
 *
 * A group grows along edges. Of each TB's edges four are known, the newest: two
 * to successors, as chained, and two to predecessors.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "group.h"

#include <stdlib.h>
#include <string.h>

#include "engine-int.h"

enum { WORD_STATE, WORD_FORWARD, WORD_BACKWARD, WORD_STAMP };

enum {
    WAITS = 1,                  /* << number of the batch */
    ALONE = 4,
};

enum {
    NB_NEIGHBOURS = 4,
    AHEAD = 8, /* records that are on their way from memory */
    NEAR_TBS = 4096, /* so many are near enough not to fetch them ahead */
};

const char *const tier_compositions[] = { "heat", "edges", "page", NULL };
const char *const tier_shapes[] = { "functions", "regions", NULL };

uint64_t tier_share_of(double share, uint64_t n)
{
    uint64_t executions = (uint64_t)(share * (double)n);

    return executions > 0 ? executions : 1;
}

/* Edges */

void tier_group_linked(void *state, TierEngine *engine, const TierTb *tb,
                       const TierTb *succ)
{
    uint32_t *words = tier_tb_words(engine, succ->id);

    (void)state;
    if (words) {
        bool forward = tb->guest_pc < succ->guest_pc;

        words[forward ? WORD_FORWARD : WORD_BACKWARD] = tb->id + 1;
    }
}

/* A word holds 1 + an id. 0, for no TB, becomes TIER_NO_TB: 0 - 1. */
static uint32_t neighbour(TierEngine *engine, uint32_t id, unsigned word)
{
    const uint32_t *words = tier_tb_words(engine, id);

    return words ? words[word] - 1 : TIER_NO_TB;
}

uint32_t tier_group_forward(TierEngine *engine, uint32_t id)
{
    return neighbour(engine, id, WORD_FORWARD);
}

uint32_t tier_group_backward(TierEngine *engine, uint32_t id)
{
    return neighbour(engine, id, WORD_BACKWARD);
}

/* Waiting */

bool tier_batch_init(TierBatch *batch)
{
    batch->max = batch->max ? batch->max : batch->size;
    batch->reach = batch->reach ? batch->reach : batch->max;
    batch->queue = batch->queue ? batch->queue : batch->size;
    batch->ids = malloc(batch->queue * sizeof(batch->ids[0]));
    batch->ranks = malloc(batch->queue * sizeof(batch->ranks[0]));
    batch->spare =
        malloc(tier_rank_spare(batch->queue) * sizeof(batch->spare[0]));
    if (!batch->ids || !batch->ranks || !batch->spare) {
        tier_batch_fini(batch);
        return false;
    }
    return true;
}

void tier_batch_fini(TierBatch *batch)
{
    free(batch->ids);
    free(batch->ranks);
    free(batch->spare);
    batch->ids = NULL;
    batch->ranks = NULL;
    batch->spare = NULL;
}

static uint32_t waiting_bit(const TierBatch *batch)
{
    return (uint32_t)WAITS << batch->number;
}

bool tier_batch_add(TierBatch *batch, TierEngine *engine, uint32_t id)
{
    uint32_t *words = tier_tb_words(engine, id);
    uint32_t waits = waiting_bit(batch);

    if (!words || (words[WORD_STATE] & waits)) {
        return true;
    }
    if (batch->n == batch->queue) {
        return false;
    }
    if (batch->n == 0) {
        batch->since_ns = tier_now_ns(engine);
    }
    words[WORD_STATE] |= waits;
    batch->ids[batch->n++] = id;
    return true;
}

bool tier_batch_full(const TierBatch *batch)
{
    return batch->n >= batch->size;
}

bool tier_batch_due(const TierBatch *batch, const TierEngine *engine)
{
    return tier_batch_full(batch) ||
           (batch->n > 0 &&
            tier_now_ns(engine) - batch->since_ns >= batch->wait_ns);
}

void tier_batch_clear(TierBatch *batch)
{
    batch->n = 0;
}

/* Making a group */

/* The TBs that a group may grow to from a TB; TIER_NO_TB: no such neighbour. */
typedef struct Neighbours {
    uint32_t ids[NB_NEIGHBOURS];
} Neighbours;

static Neighbours neighbours(const TierTbRecord *record)
{
    return (Neighbours){ { record->succ[0], record->succ[1],
                           record->words[WORD_BACKWARD] - 1,
                           record->words[WORD_FORWARD] - 1 } };
}

/* Fetch what is known of the TB's neighbours, which is needed soon. */
static TIER_PREFETCHES void foresee(const TierBatch *batch,
                                    const TierEngine *engine,
                                    const TierTbRecord *record)
{
    const Neighbours next = neighbours(record);
    bool counts = batch->pull != UINT64_MAX;

    for (unsigned k = 0; k < NB_NEIGHBOURS; k++) {
        tier_expect(engine, next.ids[k], counts);
    }
}

static TierRank rank_of(const TierBatch *batch, const TierEngine *engine,
                        const TierTbRecord *record, uint32_t id)
{
    if (batch->by == TIER_BY_PAGE) {
        const TierTb *tb = &tier_detail(engine, id)->tb;

        return (TierRank){ tb->guest_page, tb->guest_pc, id };
    }
    return (TierRank){ UINT64_MAX - tier_known_executions(engine, record, id),
                       0, id };
}

/* Rank the waiting TBs that may still be compiled; returns their number. */
static uint32_t rank(TierBatch *batch, const TierEngine *engine)
{
    bool counts = batch->by != TIER_BY_PAGE;
    uint32_t n = 0;

    batch->far = engine->counters.tbs_live > NEAR_TBS;
    for (uint32_t i = 0; batch->far && i < batch->n && i < AHEAD; i++) {
        tier_expect(engine, batch->ids[i], counts);
    }
    for (uint32_t i = 0; i < batch->n; i++) {
        uint32_t id = batch->ids[i];
        TierTbRecord *record = tier_live_record(engine, id);

        if (batch->far && i + AHEAD < batch->n) {
            tier_expect(engine, batch->ids[i + AHEAD], counts);
        }
        if (!record) {
            continue;
        }
        if (tier_may_compile(record, 1, batch->shape)) {
            if (batch->far && batch->by == TIER_BY_EDGES) {
                foresee(batch, engine, record);
            }
            batch->ranks[n++] = rank_of(batch, engine, record, id);
        } else {
            record->words[WORD_STATE] &= ~waiting_bit(batch);
        }
    }
    tier_rank_sort(batch->ranks, n, batch->spare);
    return n;
}

/* A group that is being made. */
typedef struct Group {
    TierBatch *batch;
    TierEngine *engine;
    TierDecision *decision;
    uint32_t seeds; /* that have room in it, and are not in yet */
} Group;

static bool is_waiting(const TierBatch *batch, const uint32_t *words)
{
    return words[WORD_STATE] & waiting_bit(batch);
}

static void place(Group *group, TierTbRecord *record, uint32_t id)
{
    uint32_t *words = record->words;

    if (is_waiting(group->batch, words)) {
        group->seeds--;
    } else if (group->batch->far) {
        foresee(group->batch, group->engine, record);
    }
    words[WORD_STATE] &= ~waiting_bit(group->batch);
    words[WORD_STAMP] = group->batch->stamp;
    group->decision->ids[group->decision->n++] = id;
}

/*
 * Place @id in the group if it is hot enough, and leave room for the seeds. A
 * group looks at each TB once only, as its records are far apart in memory.
 */
static void pull(Group *group, uint32_t id)
{
    const TierBatch *batch = group->batch;
    TierTbRecord *record = tier_live_record(group->engine, id);
    bool waits, room;

    if (!record || record->words[WORD_STAMP] == batch->stamp) {
        return;
    }
    record->words[WORD_STAMP] = batch->stamp;
    waits = is_waiting(batch, record->words);
    room = waits ? group->seeds > 0
                 : group->decision->n + group->seeds < batch->max &&
                       batch->pull != UINT64_MAX;
    if (room && tier_may_compile(record, 1, batch->shape) &&
        (waits ||
         tier_known_executions(group->engine, record, id) >= batch->pull)) {
        place(group, record, id);
    }
}

/* Follow the edges from the members that are placed from @start on. */
static void grow(Group *group, uint32_t start)
{
    const TierDecision *d = group->decision;

    for (uint32_t i = start; i < d->n; i++) {
        const TierTbRecord *record = tier_live_record(group->engine, d->ids[i]);
        const Neighbours next = neighbours(record);

        for (unsigned k = 0; k < NB_NEIGHBOURS; k++) {
            if (d->n - start >= group->batch->reach) {
                return;
            }
            if (next.ids[k] != TIER_NO_TB) {
                pull(group, next.ids[k]);
            }
        }
    }
}

/* TBs that were ranked but not placed go on waiting. */
static void keep_rest(TierBatch *batch, const TierEngine *engine,
                      uint32_t ranked)
{
    batch->since_ns = tier_now_ns(engine);
    for (uint32_t i = 0; i < ranked; i++) {
        uint32_t id = batch->ranks[i].id;

        if (is_waiting(batch, tier_live_record(engine, id)->words)) {
            batch->ids[batch->n++] = id;
        }
    }
}

void tier_batch_take(TierBatch *batch, TierEngine *engine,
                     TierDecision *decision)
{
    uint32_t ranked = rank(batch, engine);
    uint32_t seeds = ranked < batch->size ? ranked : batch->size;
    Group group = { batch, engine, decision, 0 };

    seeds = seeds < batch->max ? seeds : batch->max;
    group.seeds = seeds;
    /* Batches of the same policy do not share stamps, and 0 is none. */
    batch->stamp = (batch->stamp | 1u) + 1 + batch->number;
    decision->n = 0;
    for (uint32_t i = 0; i < ranked && group.seeds > 0; i++) {
        uint32_t id = batch->ranks[i].id;
        TierTbRecord *record = tier_live_record(engine, id);

        if (is_waiting(batch, record->words)) {
            uint32_t start = decision->n;

            place(&group, record, id);
            if (batch->by == TIER_BY_EDGES) {
                grow(&group, start);
            }
        }
    }
    batch->n = 0;
    if (seeds < ranked) {
        keep_rest(batch, engine, ranked);
    }
    decision->tier = decision->n > 0 ? 1 : 0;
    decision->shape = batch->shape;
    decision->why = TIER_REFUSED_ALREADY;
}

/* Callbacks */

void tier_batch_hot(TierBatch *batch, TierEngine *engine, uint32_t again,
                    TierDecision *decision)
{
    uint32_t id = decision->ids[0];
    uint32_t *words = tier_tb_words(engine, id);

    if (words[WORD_STATE] & ALONE) {
        /* Its group could not be compiled; try it without the others. */
        words[WORD_STATE] &= ~(uint32_t)ALONE;
        decision->tier = 1;
        decision->shape = batch->shape;
    } else if (is_waiting(batch, words)) {
        tier_batch_take(batch, engine, decision);
    } else if (!tier_batch_add(batch, engine, id)) {
        decision->ask_again = again;
        decision->why = TIER_REFUSED_BUDGET;
    } else if (tier_batch_full(batch)) {
        tier_batch_take(batch, engine, decision);
    } else {
        decision->ask_again = batch->patience;
        decision->why = TIER_REFUSED_QUEUED;
    }
}

void tier_batch_tick(TierBatch *batch, TierEngine *engine,
                     TierDecision *decision)
{
    if (tier_batch_due(batch, engine)) {
        tier_batch_take(batch, engine, decision);
    }
}

uint32_t tier_batch_failed(TierEngine *engine, const uint32_t *ids, uint32_t n,
                           TierRefusal why, uint32_t again)
{
    bool own_fault =
        why == TIER_REFUSED_BAD_BYTECODE || why == TIER_REFUSED_TOO_LARGE;

    if (own_fault && n == 1) {
        return TIER_NEVER_ASK;
    }
    for (uint32_t i = 0; i < n && own_fault; i++) {
        uint32_t *words = tier_tb_words(engine, ids[i]);

        if (words) {
            words[WORD_STATE] |= ALONE;
        }
    }
    return again;
}

uint32_t tier_one_batch_translated(void *state, TierEngine *engine,
                                   const TierTb *tb)
{
    const TierOneBatch *self = state;

    (void)engine;
    (void)tb;
    return self->n;
}

void tier_one_batch_hot(void *state, TierEngine *engine, const TierTb *tb,
                        uint32_t executions, TierDecision *decision)
{
    TierOneBatch *self = state;

    (void)tb;
    (void)executions;
    tier_batch_hot(&self->batch, engine, self->n, decision);
}

uint32_t tier_one_batch_failed(void *state, TierEngine *engine,
                               const uint32_t *ids, uint32_t n, TierRefusal why)
{
    const TierOneBatch *self = state;

    return tier_batch_failed(engine, ids, n, why, self->n);
}

void tier_one_batch_flushed(void *state, TierEngine *engine)
{
    TierOneBatch *self = state;

    (void)engine;
    tier_batch_clear(&self->batch);
}

void tier_one_batch_tick(void *state, TierEngine *engine,
                         TierDecision *decision)
{
    TierOneBatch *self = state;

    tier_batch_tick(&self->batch, engine, decision);
}

void tier_one_batch_fini(void *state)
{
    TierOneBatch *self = state;

    tier_batch_fini(&self->batch);
}
