/*
 * For policies that compile groups. TBs wait in a batch until the batch is
 * full, its oldest TB has waited long enough, or one of its TBs was executed
 * too often meanwhile. Then the TBs of the batch become one group; a rule says
 * in which order and with which neighbours. Making a group costs O(group),
 * everything else O(1), and only tier_batch_init() allocates.
 *
 * A batch uses the words of its TBs, so the policy cannot use them as well.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_GROUP_H
#define TIER_GROUP_H

#include "policy.h"

typedef enum TierComposition {
    TIER_BY_HEAT,       /* hottest first */
    TIER_BY_EDGES,      /* hottest first, each followed by its neighbours */
    TIER_BY_PAGE,       /* by guest page, in it by address */
} TierComposition;

/* A TB, and what it is sorted by. */
typedef struct TierRank {
    uint64_t first, second;
    uint32_t id;
} TierRank;

typedef struct TierBatch {
    /* Rules, for the policy to set before tier_batch_init() */
    uint32_t size;      /* so many are a full batch, and start a group */
    uint32_t queue;     /* so many may wait; 0: @size */
    uint32_t max;       /* members of a group; 0: @size */
    uint32_t reach;     /* of these, by way of one that waited; 0: @max */
    uint64_t pull; /* executions of a neighbour; UINT64_MAX: no neighbours */
    uint64_t wait_ns;
    uint32_t patience; /* executions of one that waits; 0: any number */
    TierComposition by;
    TierShape shape;
    unsigned number; /* 0 or 1: a policy's batches have different ones */

    /* State */
    uint32_t n; /* TBs that wait */
    uint64_t since_ns; /* that the oldest waits */
    uint32_t *ids;
    TierRank *ranks;
    uint64_t *spare; /* for sorting them */
    uint32_t stamp; /* of the last group */
    bool far; /* there are more TBs than a cache has room for */
} TierBatch;

/* False if memory is short. */
bool tier_batch_init(TierBatch *batch);
void tier_batch_fini(TierBatch *batch);

/* Let @id wait, if it does not already. False if there is no room. */
bool tier_batch_add(TierBatch *batch, TierEngine *engine, uint32_t id);

/* Is a group to be made: has the batch enough TBs; has one waited enough? */
bool tier_batch_full(const TierBatch *batch);
bool tier_batch_due(const TierBatch *batch, const TierEngine *engine);

/* Make the group. TBs that do not fit into it go on waiting. */
void tier_batch_take(TierBatch *batch, TierEngine *engine,
                     TierDecision *decision);

/* Forget all TBs, after a flush. */
void tier_batch_clear(TierBatch *batch);

/*
 * The whole answer to the TB that asks, which @decision names: the TB waits,
 * and if the batch is full or the TB's patience is over, the batch is taken.
 * @again: the countdown if there is no room to wait.
 */
void tier_batch_hot(TierBatch *batch, TierEngine *engine, uint32_t again,
                    TierDecision *decision);

/* A whole `tick` callback's answer: take what is due. */
void tier_batch_tick(TierBatch *batch, TierEngine *engine,
                     TierDecision *decision);

/*
 * The countdown after a group of the batch was not compiled: @again, to ask
 * anew. If the group itself may have been the reason, its members are compiled
 * one by one when they are hot again.
 */
uint32_t tier_batch_failed(TierEngine *engine, const uint32_t *ids, uint32_t n,
                           TierRefusal why, uint32_t again);

/* A `linked` callback: the TBs that lead to a TB become its neighbours, too. */
void tier_group_linked(void *state, TierEngine *engine, const TierTb *tb,
                       const TierTb *succ);

/*
 * The TB that was last chained to @id, of those at lower addresses (forward) or
 * of the others (backward); TIER_NO_TB if there is none. For policies whose
 * `linked` callback is tier_group_linked().
 */
uint32_t tier_group_forward(TierEngine *engine, uint32_t id);
uint32_t tier_group_backward(TierEngine *engine, uint32_t id);

/*
 * A policy with one batch, in which TBs wait from their n-th execution on. The
 * policy's state begins with this struct; its callbacks may be the following.
 */
typedef struct TierOneBatch {
    uint32_t n;
    TierBatch batch;
} TierOneBatch;

uint32_t tier_one_batch_translated(void *state, TierEngine *engine,
                                   const TierTb *tb);
void tier_one_batch_hot(void *state, TierEngine *engine, const TierTb *tb,
                        uint32_t executions, TierDecision *decision);
uint32_t tier_one_batch_failed(void *state, TierEngine *engine,
                               const uint32_t *ids, uint32_t n,
                               TierRefusal why);
void tier_one_batch_flushed(void *state, TierEngine *engine);
void tier_one_batch_tick(void *state, TierEngine *engine,
                         TierDecision *decision);
void tier_one_batch_fini(void *state);

/*
 * Sort: ascending by first, then by second, then by id. @spare has room for
 * tier_rank_spare(n) numbers.
 */
void tier_rank_sort(TierRank *ranks, uint32_t n, uint64_t *spare);
size_t tier_rank_spare(uint32_t n);

/* Declarations of the parameters that such policies share. */

extern const char *const tier_compositions[];
extern const char *const tier_shapes[];

#define TIER_DECLARE_N(def_n, what) \
    { .name = "n", \
      .unit = "executions", \
      .meaning = what, \
      .type = TIER_PARAM_U64, \
      .def.u64 = (def_n), \
      .min.u64 = 1, \
      .max.u64 = TIER_MAX_COUNTDOWN }
#define TIER_DECLARE_SIZE(def_size) \
    { .name = "size", \
      .unit = "TBs", \
      .meaning = "compile when so many wait", \
      .type = TIER_PARAM_U64, \
      .def.u64 = (def_size), \
      .min.u64 = 1, \
      .max.u64 = 1024 }
#define TIER_DECLARE_MAX(def_max, what) \
    { .name = "max", \
      .unit = "TBs", \
      .meaning = what, \
      .type = TIER_PARAM_U64, \
      .def.u64 = (def_max), \
      .min.u64 = 1, \
      .max.u64 = TIER_MAX_GROUP }
#define TIER_DECLARE_WAIT(def_ms) \
    { .name = "wait", \
      .unit = "ms", \
      .meaning = "compile when one has waited so long", \
      .type = TIER_PARAM_U64, \
      .def.u64 = (def_ms), \
      .min.u64 = 0, \
      .max.u64 = 1000000 }
#define TIER_DECLARE_PATIENCE(def_patience) \
    { .name = "patience", \
      .unit = "executions", \
      .meaning = "compile when one was executed so often while it waited; " \
                 "0: however often", \
      .type = TIER_PARAM_U64, \
      .def.u64 = (def_patience), \
      .min.u64 = 0, \
      .max.u64 = TIER_MAX_COUNTDOWN }
#define TIER_DECLARE_SHARE(def_share) \
    { .name = "share", \
      .unit = "of n", \
      .meaning = "neighbours executed so often come along; 0: all that " \
                 "were executed", \
      .type = TIER_PARAM_DOUBLE, \
      .def.number = (def_share), \
      .min.number = 0, \
      .max.number = 1 }
#define TIER_DECLARE_BY(def_by) \
    { .name = "by", \
      .unit = "", \
      .meaning = "order of a group, and by edges with neighbours", \
      .type = TIER_PARAM_ENUM, \
      .choices = tier_compositions, \
      .def.choice = (def_by) }
#define TIER_DECLARE_SHAPE(def_shape) \
    { .name = "shape", \
      .unit = "", \
      .meaning = "compile each TB to a function, or groups to regions", \
      .type = TIER_PARAM_ENUM, \
      .choices = tier_shapes, \
      .def.choice = (def_shape) }

enum { TIER_NS_PER_MS = 1000000 };

/* Executions that a share of @n is, at least 1. */
uint64_t tier_share_of(double share, uint64_t n);

#endif
