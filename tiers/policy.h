/*
 * What a policy is, for those who write one.
 *
 * A policy decides which TBs are compiled, when, in what groups and at which
 * tier. It is one C file in policies/, everything static but one const
 * TierPolicy, and one line in policies.def. CONTRIBUTING.md shows the way.
 *
 * Life of a TB, seen by its policy:
 *
 *   translated -> countdown c      tier 0 executes it; the c-th entry asks:
 *   linked                         ...which TBs follow it becomes known
 *   hot        -> decision         wait, or compile: these TBs, at this tier
 *   compiled | failed              what came of it, at what cost
 *   ...hot again, in tier 0 or in the new tier, if the policy asked for that
 *   demoted                        its module was given up: tier 0 again
 *   invalidated | flushed          it is never executed again; invalidated also
 *                                  if its part of the code buffer is evicted
 *
 * A policy has no clock, memory or random numbers but those given here, so it
 * decides the same in QEMU and in a replay that tells it the same events.
 * Callbacks never run at the same time: the engine's caller holds a lock.
 *
 * group.h has what policies that compile groups share, single.h what others do.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_POLICY_H
#define TIER_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "params.h"
#include "refusals.h"
#include "rng.h"

enum {
    TIER_NB_TIERS = 2,          /* 0: interpreted, 1: compiled to Wasm */
    TIER_MAX_GROUP = 4096,      /* TBs in one decision */
    TIER_TB_WORDS = 4,          /* of a policy's own, for each TB */
};

/* What a group becomes; a region may inline its members into each other. */
typedef enum TierShape {
    TIER_FUNCTIONS,             /* a function for each TB */
    TIER_REGIONS,               /* functions of many TBs, with control flow */
} TierShape;

/* Countdowns count entries of a TB; the one that makes it 0 asks. */
#define TIER_NEVER_ASK UINT32_C(0)
#define TIER_MAX_COUNTDOWN UINT32_C(1000000000)

#define TIER_NO_TB UINT32_MAX

/* Groups that the runtime compiles in one tick. */
#define TIER_MAX_TICK_GROUPS 8

typedef struct TierEngine TierEngine;

/* TierTb.flags */
enum {
    TIER_TB_RETRANSLATED = 1,   /* set by the engine: seen before */
};

/* Facts about a TB. */
typedef struct TierTb {
    uint32_t id;                /* in the order of translation, since start */
    uint32_t flags;
    uint32_t guest_insns;
    uint32_t bytecode_bytes;
    uint32_t translate_ns;      /* 0: not measured */
    uint32_t section;           /* of the code buffer */
    uint64_t guest_pc;          /* virtual */
    uint64_t guest_page;        /* physical address of its first page */
    uint64_t hash;              /* of guest code and CPU flags; 0: unknown */
} TierTb;

/* What compiling and installing a group cost. */
typedef struct TierCost {
    unsigned tier;
    TierShape shape;
    uint32_t module;            /* its id: 0, 1, 2... as they are installed */
    uint32_t wasm_bytes;
    uint32_t table_slots;       /* taken by the module */
    uint64_t emit_ns;
    uint64_t instantiate_ns;
    uint64_t stall_ns;          /* of these, with a vCPU waiting */
    bool at_once;               /* the entry that asked runs the new code */
} TierCost;

/*
 * An answer. The engine presets it to "do not compile, never ask again" with
 * ids = { the TB that asks } and n = 1; the policy changes what it wants
 * changed.
 */
typedef struct TierDecision {
    unsigned tier;              /* compile at this tier; 0: do not compile.
                                   One that the runtime does not have is
                                   refused: no-such-tier */
    TierShape shape;            /* preset to TIER_FUNCTIONS */
    uint32_t n;                 /* members, at most TIER_MAX_GROUP */
    uint32_t *ids;              /* the engine's; valid until the next call */
    uint32_t ask_again;         /* countdown of the TB that asked */
    TierRefusal why;            /* if tier is 0 */
} TierDecision;

/* Callbacks may be NULL; each says what that means. @state begins zeroed. */
typedef struct TierPolicy {
    const char *name; /* as in specs: lower case, digits, dashes */
    const char *summary; /* one line */
    const char *source; /* of the rule: a paper, program, "baseline" */
    const TierParam *params; /* NULL: none */

    /* Other defaults of common parameters, as in a spec. NULL: none. */
    const char *common;
    size_t state_size;

    /*
     * Called once, before all others. @values: one for each of @params, in
     * order. False: memory is short, or the error given to tier_init_error().
     * NULL: nothing to prepare.
     */
    bool (*init)(void *state, TierEngine *engine, const TierValue *values);

    /*
     * A TB has been translated. Returns the countdown at which tier 0 is to
     * ask. NULL: never.
     */
    uint32_t (*translated)(void *state, TierEngine *engine, const TierTb *tb);

    /*
     * An exit of @tb was chained to @succ, as tier_tb_succ() says, too. Must be
     * quick: it happens more often than `hot`. NULL: not interested.
     */
    void (*linked)(void *state, TierEngine *engine, const TierTb *tb,
                   const TierTb *succ);

    /*
     * @tb's countdown ran out, @executions entries after it was set, the
     * present one included. Must be quick and allocate nothing. NULL: never
     * compile.
     *
     * Cache misses are what takes time. tier_tb_words(), tier_tb_executions(),
     * tier_tb_succ() and the like read one cache line for each TB; the line of
     * the TB that asks has been fetched. The facts in @tb are on another line:
     * better copy those that are needed each time into the TB's words, and take
     * its id from @decision->ids[0].
     */
    void (*hot)(void *state, TierEngine *engine, const TierTb *tb,
                uint32_t executions, TierDecision *decision);

    /*
     * A group that the policy chose is installed. Returns the members'
     * countdown in their new tier: `hot` is called for each member that is
     * executed so often there, if the runtime counts executions there. NULL:
     * never ask.
     */
    uint32_t (*compiled)(void *state, TierEngine *engine, const uint32_t *ids,
                         uint32_t n, const TierCost *cost);

    /*
     * A group that the policy chose was not compiled. Returns the countdown for
     * all members. NULL: never ask again.
     */
    uint32_t (*failed)(void *state, TierEngine *engine, const uint32_t *ids,
                       uint32_t n, TierRefusal why);

    /*
     * @tb's module was given up and it is back in tier 0. Returns its
     * countdown. NULL: what `translated` returns.
     */
    uint32_t (*demoted)(void *state, TierEngine *engine, const TierTb *tb);

    /* @tb is never executed again. NULL: not interested. */
    void (*invalidated)(void *state, TierEngine *engine, const TierTb *tb);

    /* No TB known so far is executed again. NULL: not interested. */
    void (*flushed)(void *state, TierEngine *engine);

    /*
     * Every 1 to 2 ms while the guest runs. May choose a group (of its own:
     * @decision comes with n = 0), and is then called again at once, up to
     * TIER_MAX_TICK_GROUPS times. NULL: not interested.
     */
    void (*tick)(void *state, TierEngine *engine, TierDecision *decision);

    /* Once, at the end. NULL: nothing to free. */
    void (*fini)(void *state);
} TierPolicy;

/* What a policy may ask, all O(1). */

/* Facts of a TB; NULL if it is gone. Valid until the callback returns. */
const TierTb *tier_tb(const TierEngine *engine, uint32_t id);

/* The TB that exit 0 or 1 was last chained to; TIER_NO_TB: none, or gone. */
uint32_t tier_tb_succ(const TierEngine *engine, uint32_t id, unsigned exit);

/* The highest tier that a TB is compiled at; 0 if it is not, or gone. */
unsigned tier_tb_tier(const TierEngine *engine, uint32_t id);

/*
 * Is the TB live, not being compiled, and not yet compiled as well as that?
 * Functions are less than regions, and a tier is less than the next one.
 */
bool tier_tb_may_compile(const TierEngine *engine, uint32_t id, unsigned tier,
                         TierShape shape);

/*
 * Executions known so far, in all tiers. They include those that the TB's
 * countdown holds, if the runtime can read countdowns.
 */
uint64_t tier_tb_executions(const TierEngine *engine, uint32_t id);

/*
 * TIER_TB_WORDS words of the policy's own about a TB, at first 0. Still there
 * when the TB is invalidated; NULL if there is no record of it. Valid until the
 * callback returns.
 */
uint32_t *tier_tb_words(TierEngine *engine, uint32_t id);

/* The host's monotonic clock, in ns; simulated in a replay. */
uint64_t tier_now_ns(const TierEngine *engine);

/* The run's seed, for a TierRng of the policy's own. */
uint64_t tier_seed(const TierEngine *engine);

/* Why `init` returns false: one line of what, why, what to do next. */
void tier_init_error(TierEngine *engine, const char *line);

#define X(name) extern const TierPolicy tier_policy_##name;
#include "policies.def"

/* All policies, in the order of policies.def; NULL-terminated. */
extern const TierPolicy *const tier_policies[];

#endif
