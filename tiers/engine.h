/*
 * The tier engine: drives one policy, for a runtime (QEMU or the replay
 * simulator) that executes TBs. It keeps a record of every TB and the run's
 * counters, and guards the policy's answers: only live TBs, each once, none
 * that is already compiled at the tier or being so.
 *
 * Use, by a runtime:
 *
 *   e = tier_engine_new(spec, seed, &host, err, sizeof(err));
 *   on translation:      countdown = tier_translated(e, &facts);
 *   countdown is 0:      d = tier_hot(e, id, countdown);
 *                        countdown = d.ask_again;
 *                        if (d.tier) { emit d.ids[0..d.n) as d.shape; if
 *                            tier_make_room(e, slots, bytes, &why)
 *                            then do the events, install, and one of
 *                            tier_compiled(e, ids, n, &cost)
 *                            countdown = tier_failed(e, ids, n, why), of each }
 *   every 1 to 2 ms:     the same with tier_tick(e), again while it chooses, up
 *                        to TIER_MAX_TICK_GROUPS times
 *   events:              while (tier_next_event(e, &event)): after
 *                        tier_make_room, tier_compiled, tier_invalidated,
 *                        tier_demoted, tier_tick
 *   on invalidation:     tier_settle(e, id, countdown), tier_invalidated(e, id)
 *   buffer is full:      i = tier_choose_section(e, ...),
 *                        tier_evicted() each TB of section i, or a whole flush
 *   on a whole flush:    tier_settle() each, tier_flushed(e),
 *                        tier_module_retired() each
 *   at the end:          tier_settle() each, tier_stats_json(e, sink, opaque)
 *
 * d.ids is the engine's buffer: copy it if other calls come before the outcome
 * is reported. Reporting may come later and from another thread.
 *
 * Locking: none inside. Whoever runs several threads holds one lock around
 * every call that has the engine as argument. Countdowns are the runtime's own
 * and need no lock: they may be decremented racily, counts are then as inexact.
 *
 * Cost: tier_hot, tier_tick, tier_settle, tier_executed are O(group), and only
 * tier_engine_new, tier_translated, tier_make_room allocate, and tier_compiled
 * where tier_make_room was not called before. Records of dead TBs are kept for
 * the statistics up to a limit, then the oldest are dropped.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_ENGINE_H
#define TIER_ENGINE_H

#include <assert.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "counters.h"
#include "eviction.h"
#include "json.h"
#include "policy.h"
#include "spec.h"

/* The runtime as the engine sees it; all may be 0. */
typedef struct TierHost {
    void *opaque;
    uint64_t (*now_ns)(void *opaque);   /* monotonic; NULL: always 0 */

    /*
     * What the live TB @id's countdown shows now, for policies that compare
     * TBs; called from within decisions. NULL: they see older figures.
     */
    int32_t (*countdown)(void *opaque, uint32_t id);

    /*
     * Fetch @id's countdown into the processor's cache: it will be asked for
     * soon. @id may be dead. NULL: the runtime cannot, as in Wasm.
     */
    void (*prefetch)(void *opaque, uint32_t id);
    unsigned highest_tier;      /* that it compiles at; 0: tier 1 */
    uint32_t maps_per_module;   /* memory mappings of one; 0: V8's 2 */
    uint32_t max_dead_records;  /* 0: TIER_MAX_DEAD_RECORDS; rounded up */
} TierHost;

#define TIER_MAX_DEAD_RECORDS UINT32_C(262144)

typedef enum TierFate {
    TIER_TB_ABSENT,             /* this id was never translated */
    TIER_TB_LIVE,
    TIER_TB_INVALIDATED,
    TIER_TB_EVICTED,            /* with its section of the code buffer */
    TIER_TB_FLUSHED,
} TierFate;

/* Of the machines that it runs on; a power of 2. */
enum { TIER_CACHE_LINE = 64 };

/*
 * The part of what is known of a TB that decisions read. They read many TBs,
 * most of which no cache has: so a record is one cache line, and records are
 * next to each other.
 */
typedef struct TierTbRecord {
    alignas(TIER_CACHE_LINE) uint32_t words[TIER_TB_WORDS]; /* the policy's */
    uint64_t executions;        /* in all tiers */
    uint64_t hot_ns;            /* when it was first hot; 0: it was not */
    uint32_t succ[2];           /* learned when chained, else TIER_NO_TB */
    uint32_t armed;             /* countdown last given out */
    uint32_t guest_insns;       /* as in its facts */
    uint32_t module;            /* whose code it runs, or TIER_NO_MODULE */
    uint8_t armed_tier;         /* that @armed counts entries in */
    uint8_t fate;               /* TierFate */
    uint8_t tier;               /* highest that it is compiled at */
    uint8_t shape;              /* TierShape, if @tier is over 0 */
    uint8_t pending;            /* it is being compiled */
    uint8_t refused;            /* TierRefusal of the last attempt */
    uint8_t due;                /* its ask_at was reached; a tick will ask */
} TierTbRecord;

static_assert(sizeof(TierTbRecord) == TIER_CACHE_LINE,
              "a decision looks at more than a cache line of a TB");

/* The rest of what is known of a TB; outcomes read the first line. */
typedef struct TierTbDetail {
    alignas(TIER_CACHE_LINE) uint64_t compile_ns; /* share of groups' costs */
    uint64_t wait_ns; /* from its being first hot to its code, or 0 */
    uint32_t ask_at; /* executions to ask at; 0: never, as in tier 0 */
    uint32_t toward; /* of these, those counted up to now */
    uint32_t wasm_bytes; /* its share of its present module */
    uint64_t weighed; /* executions in tier 0 up to the last choice */
    TierTb tb;
    uint64_t compiled[TIER_NB_TIERS - 1]; /* executions in tier 1 and up */
} TierTbDetail;

/* NULL with one line in @err if the spec is wrong or memory is short. */
TierEngine *tier_engine_new(const char *spec, uint64_t seed,
                            const TierHost *host, char *err, size_t errsize);
void tier_engine_free(TierEngine *engine);

const TierSpec *tier_engine_spec(const TierEngine *engine);

/* The engine's counters, for the runtime to count what only it sees. */
TierCounters *tier_counters(TierEngine *engine);

/*
 * A TB was translated. @facts->id is the runtime's: 0, 1, 2... in the order of
 * translation; threads may report slightly out of order. Flags of
 * @facts are ignored. Returns the countdown, or TIER_NEVER_ASK.
 */
uint32_t tier_translated(TierEngine *engine, const TierTb *facts);

/* @id's exit @exit was chained to @succ. */
void tier_linked(TierEngine *engine, uint32_t id, unsigned exit, uint32_t succ);

/*
 * @id's countdown ran out; @remaining is what it shows now (0, less if threads
 * raced). The entry that asks counts as an execution of the tier that asks,
 * unless tier_compiled() comes next and says that it runs the new code.
 */
TierDecision tier_hot(TierEngine *engine, uint32_t id, int32_t remaining);

/*
 * Every 1 to 2 ms while the guest runs, from a thread that may compile. Again
 * while it chooses a group, at most TIER_MAX_TICK_GROUPS times.
 */
TierDecision tier_tick(TierEngine *engine);

/*
 * A chosen group is installed as one module. Returns the countdown that the
 * policy wants in the new tier; for tier_rearm(), or ignored if that tier has
 * no countdowns. If it has not, but tier_executed() reports its executions now
 * and then, tier_tick() asks when they are as many.
 */
uint32_t tier_compiled(TierEngine *engine, const uint32_t *ids, uint32_t n,
                       const TierCost *cost);

/* A chosen group was not compiled. Returns the countdown for tier_rearm(). */
uint32_t tier_failed(TierEngine *engine, const uint32_t *ids, uint32_t n,
                     TierRefusal why);

/*
 * @id's module was given up, and @id is back in tier 0. @why: NONE if the
 * engine's own event asked for that; a refusal, which is counted, if a further
 * thread could not install the module. Returns as tier_failed() does.
 */
uint32_t tier_demoted(TierEngine *engine, uint32_t id, TierRefusal why);

/*
 * Modules. A module's id is the runtime's: 0, 1, 2... in the order of
 * installation, told by TierCost.
 */

typedef enum TierModuleEventKind {
    /*
     * Give the module up: take the code away from its live members, for each
     * tier_demoted() and tier_rearm(), then tier_module_retired().
     */
    TIER_MODULE_RETIRE,

    /*
     * Let its members enter tier 0, until one does: put it back then, and
     * tier_module_touched().
     */
    TIER_MODULE_WATCH,
} TierModuleEventKind;

typedef struct TierModuleEvent {
    TierModuleEventKind kind;
    uint32_t module;
} TierModuleEvent;

/*
 * May a module with @slots and @wasm_bytes be installed? Has others given up if
 * a budget is full: drain the events before installing. False with the reason,
 * for tier_failed().
 */
bool tier_make_room(TierEngine *engine, uint32_t slots, uint32_t wasm_bytes,
                    TierRefusal *why);

/* What is to be done to a module; false if there is nothing more. */
bool tier_next_event(TierEngine *engine, TierModuleEvent *event);

/* A member of a watched @module was entered. */
void tier_module_touched(TierEngine *engine, uint32_t module);

/* @module is gone, and its slots are free. Without an event as well. */
void tier_module_retired(TierEngine *engine, uint32_t module);

/* @id is never executed again. */
void tier_invalidated(TierEngine *engine, uint32_t id);

/*
 * All sections of the code buffer are in use, and a thread needs one: which of
 * the full ones, @full[0..@n), is evicted? The runtime has set their index and
 * order, and settled all TBs if the buffer policy wants uses; the engine fills
 * in the rest. Returns an index into @full; or TIER_WHOLE_BUFFER, also if @n is
 * 0. O(sections), and O(live TBs) for uses.
 */
uint32_t tier_choose_section(TierEngine *engine, TierSection *full, uint32_t n);

/* @id is never executed again, as the section with its bytecode is evicted. */
void tier_evicted(TierEngine *engine, uint32_t id);

/* No TB translated so far is executed again. */
void tier_flushed(TierEngine *engine);

/*
 * Take into account the entries since @id's countdown was last given out or
 * settled; it shows @remaining now, and goes on from there.
 */
void tier_settle(TierEngine *engine, uint32_t id, int32_t remaining);

/*
 * Settle, then count on from @countdown in the tier that @id is in now. Returns
 * @countdown.
 */
uint32_t tier_rearm(TierEngine *engine, uint32_t id, int32_t remaining,
                    uint32_t countdown);

/* @id was executed @n times more in @tier. */
void tier_executed(TierEngine *engine, uint32_t id, unsigned tier, uint64_t n);

/* NULL if there is no record, or no longer. Valid until the next call. */
const TierTbRecord *tier_tb_record(const TierEngine *engine, uint32_t id);
const TierTbDetail *tier_tb_detail(const TierEngine *engine, uint32_t id);

/* Executions in @tier, without those that its countdown holds. */
uint64_t tier_tb_executed(const TierEngine *engine, uint32_t id, unsigned tier);

/*
 * The run's statistics as one JSON object:
 *   {"schema": 1, "policy": {"name", "spec", "seed", "params"},
 *    "counters": {...}, "tbs": {"columns": [...], "rows": [[...], ...]}}
 */
void tier_stats_json(const TierEngine *engine, TierSinkFn *sink, void *opaque);

#endif
