/*
 * Events are taken from a queue ordered by the boot's time: a TB's countdown
 * runs out, or the next TB is translated. Times of calls are those of the real
 * clock, less the time that reading the clock twice takes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "boot-events.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tcg-wasm/rng.h"

enum {
    NS_PER_TB = 60000,          /* of the boot's time */
    TICK_NS = 1500000,
    TBS_PER_PAGE = 24,
    INVALIDATE_EVERY = 100,
    FAIL_EVERY = 64,
    ENGINE_SEED = 1,
    INTERRUPTED_NS = 200000,
};

static const double NEVER = INFINITY;

/*
 * In a cache line of its own, as the header in which a runtime has the
 * countdown.
 */
typedef struct Tb {
    alignas(TIER_CACHE_LINE) double born;
    double rate;                /* executions per ns */
    double armed_at;            /* executions when the countdown was set */
    double due;                 /* time at which it runs out */
    uint32_t countdown;
    uint32_t module;
    bool live;
} Tb;

typedef struct Module {
    uint32_t first, n;          /* of Boot.members */
} Module;

typedef struct Entry {
    double time;
    uint32_t id;
} Entry;

typedef struct Boot {
    TierEngine *engine;
    BootTimes *times;
    Rng rng;
    double clock_ns;            /* what reading the clock takes */
    double now;
    double end;
    double next_tick;
    uint32_t n, translated;
    Tb *tbs;
    Entry *heap;
    uint32_t heap_n, heap_cap;
    Module *modules;
    uint32_t nmodules, modules_cap;
    uint32_t *members;
    uint32_t nmembers, members_cap;
    bool failed;                /* out of memory */
} Boot;

/* The clocks. */

static double real_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* The least of many averages, as other programs may run meanwhile. */
static double clock_cost(void)
{
    double least = NEVER;

    for (int round = 0; round < 50; round++) {
        double start = real_ns(), end = start;

        for (int i = 0; i < 200; i++) {
            end = real_ns();
        }
        least = fmin(least, (end - start) / 200);
    }
    return least;
}

/*
 * A call that took longer than INTERRUPTED_NS was interrupted: it is left out.
 */
static void count_call(Boot *p, BootCalls *calls, double ns, uint32_t tbs)
{
    calls->tbs += tbs;
    if (ns < INTERRUPTED_NS) {
        calls->n++;
        calls->ns += ns - p->clock_ns;
    } else {
        p->times->interrupted++;
    }
}

#define TIMED(p, kind, ntbs, call) \
    do { \
        double start_ = real_ns(); \
        call; \
        count_call(p, &(p)->times->kind, real_ns() - start_, ntbs); \
    } while (0)

static uint64_t boot_clock(void *opaque)
{
    const Boot *p = opaque;

    return (uint64_t)p->now;
}

/* Growing arrays. */

static bool room_for(Boot *p, void **array, uint32_t *cap, uint32_t n,
                     size_t size)
{
    while (n > *cap) {
        uint32_t more = *cap ? *cap * 2 : 1024;
        void *grown = realloc(*array, more * size);

        if (!grown) {
            p->failed = true;
            return false;
        }
        *array = grown;
        *cap = more;
    }
    return true;
}

/*
 * The queue of countdowns, a heap by time. An entry is passed over if its TB's
 * countdown was set anew since.
 */

static void push(Boot *p, double time, uint32_t id)
{
    uint32_t i = p->heap_n;

    if (!room_for(p, (void **)&p->heap, &p->heap_cap, i + 1,
                  sizeof(p->heap[0]))) {
        return;
    }
    p->heap_n++;
    for (; i > 0 && time < p->heap[(i - 1) / 2].time; i = (i - 1) / 2) {
        p->heap[i] = p->heap[(i - 1) / 2];
    }
    p->heap[i] = (Entry){ time, id };
}

static Entry pop(Boot *p)
{
    Entry first = p->heap[0], last = p->heap[--p->heap_n];
    uint32_t i = 0, child;

    while ((child = 2 * i + 1) < p->heap_n) {
        child += child + 1 < p->heap_n &&
                 p->heap[child + 1].time < p->heap[child].time;
        if (last.time <= p->heap[child].time) {
            break;
        }
        p->heap[i] = p->heap[child];
        i = child;
    }
    p->heap[i] = last;
    return first;
}

/* TBs. */

uint64_t boot_hash(uint64_t id)
{
    Rng rng = { id };

    return rng_next(&rng) | 1;
}

/*
 * Rounded down by a cast, not a call of floor(): where a policy asks for it, a
 * runtime only loads a word.
 */
static double executions(const Boot *p, const Tb *tb)
{
    return (double)(int64_t)((p->now - tb->born) * tb->rate);
}

static int32_t remaining(const Boot *p, const Tb *tb)
{
    return (int32_t)((double)tb->countdown -
                     (executions(p, tb) - tb->armed_at));
}

static int32_t host_countdown(void *opaque, uint32_t id)
{
    const Boot *p = opaque;
    const Tb *tb = &p->tbs[id];

    return tb->module == TIER_NO_MODULE ? remaining(p, tb) : 1;
}

static void host_prefetch(void *opaque, uint32_t id)
{
    const Boot *p = opaque;

    __builtin_prefetch(&p->tbs[id]);
}

static void arm(Boot *p, uint32_t id, uint32_t countdown)
{
    Tb *tb = &p->tbs[id];

    tb->countdown = countdown;
    tb->armed_at = executions(p, tb);
    tb->due = NEVER;
    if (countdown != TIER_NEVER_ASK && tb->live &&
        tb->module == TIER_NO_MODULE) {
        tb->due = tb->born + (tb->armed_at + countdown) / tb->rate;
    }
    if (tb->due < p->end) {
        push(p, tb->due, id);
    }
}

/* How often a TB is executed. */
static double draw_executions(Rng *rng)
{
    static const struct {
        double share, from, to;
    } parts[] = {
        { 0.815, 1, 100 },
        { 0.120, 100, 1e3 },
        { 0.048, 1e3, 1e4 },
        { 0.017, 1e4, 7e5 },
    };
    double drawn = (double)rng_below(rng, 1000000) * 1e-6;
    unsigned i = 0;

    while (i < 3 && drawn >= parts[i].share) {
        drawn -= parts[i++].share;
    }
    return parts[i].from *
           pow(parts[i].to / parts[i].from, drawn / parts[i].share);
}

static void invalidate(Boot *p)
{
    uint32_t id = rng_below(&p->rng, p->translated);
    Tb *tb = &p->tbs[id];

    if (tb->live) {
        tier_settle(p->engine, id, remaining(p, tb));
        tier_invalidated(p->engine, id);
        tb->live = false;
        tb->due = NEVER;
    }
}

static void translate(Boot *p)
{
    uint32_t id = p->translated++, countdown, back;
    uint64_t page = UINT64_C(0x80200000) + (id / TBS_PER_PAGE) * 4096;
    TierTb facts = {
        .guest_pc = UINT64_C(0xffffffff00000000) + page + id * 24 % 4096,
        .guest_page = page,
        .hash = boot_hash(id),
        .id = id,
        .guest_insns = 2 + rng_below(&p->rng, 9),
        .bytecode_bytes = 128 + 8 * rng_below(&p->rng, 32),
        .translate_ns = 4000,
    };
    Tb *tb = &p->tbs[id];

    *tb = (Tb){
        .born = p->now,
        .rate = draw_executions(&p->rng) / (p->end - p->now),
        .module = TIER_NO_MODULE,
        .live = true,
    };
    TIMED(p, translated, 1, countdown = tier_translated(p->engine, &facts));
    arm(p, id, countdown);
    if (id == 0) {
        return;
    }
    TIMED(p, linked, 1, tier_linked(p->engine, id - 1, 0, id));
    if (id % 3) {
        back = id - rng_below(&p->rng, id < 16 ? id : 16);
        TIMED(p, linked, 1, tier_linked(p->engine, id, 1, back));
    }
    if (id % INVALIDATE_EVERY == 0) {
        invalidate(p);
    }
}

/* Modules. */

static void retire(Boot *p, uint32_t module)
{
    Module m = p->modules[module];

    for (uint32_t i = m.first; i < m.first + m.n; i++) {
        uint32_t id = p->members[i];
        Tb *tb = &p->tbs[id];

        if (tb->live && tb->module == module) {
            uint32_t countdown = tier_demoted(p->engine, id, TIER_REFUSED_NONE);

            tb->module = TIER_NO_MODULE;
            tier_rearm(p->engine, id, remaining(p, tb), countdown);
            arm(p, id, countdown);
        }
    }
    tier_module_retired(p->engine, module);
    p->times->retired++;
}

/* Is any member executed within a millisecond? */
static bool in_use(const Boot *p, uint32_t module)
{
    Module m = p->modules[module];

    for (uint32_t i = m.first; i < m.first + m.n; i++) {
        const Tb *tb = &p->tbs[p->members[i]];

        if (tb->live && tb->module == module && tb->rate > 1e-6) {
            return true;
        }
    }
    return false;
}

static void drain(Boot *p)
{
    TierModuleEvent event;

    while (tier_next_event(p->engine, &event)) {
        if (event.kind == TIER_MODULE_RETIRE) {
            retire(p, event.module);
        } else if (in_use(p, event.module)) {
            tier_module_touched(p->engine, event.module);
        }
    }
}

/* Keep the group @ids as a module; returns its id. */
static uint32_t add_module(Boot *p, const uint32_t *ids, uint32_t n)
{
    if (!room_for(p, (void **)&p->modules, &p->modules_cap, p->nmodules + 1,
                  sizeof(p->modules[0])) ||
        !room_for(p, (void **)&p->members, &p->members_cap, p->nmembers + n,
                  sizeof(p->members[0]))) {
        return TIER_NO_MODULE;
    }
    memcpy(&p->members[p->nmembers], ids, n * sizeof(ids[0]));
    p->modules[p->nmodules] = (Module){ p->nmembers, n };
    p->nmembers += n;
    return p->nmodules++;
}

static void installed(Boot *p, const TierDecision *d, uint32_t *ids)
{
    TierCost cost = {
        .tier = d->tier,
        .shape = d->shape,
        .module = add_module(p, ids, d->n),
        .wasm_bytes = 600 * d->n,
        .table_slots = d->n,
        .emit_ns = 2000 * d->n,
        .instantiate_ns = 30000 + 2000 * d->n,
        .stall_ns = 32000 + 4000 * d->n,
        .at_once = true,
    };

    if (p->failed) {
        return;
    }
    TIMED(p, outcome, d->n, tier_compiled(p->engine, ids, d->n, &cost));
    for (uint32_t i = 0; i < d->n; i++) {
        Tb *tb = &p->tbs[ids[i]];

        tier_rearm(p->engine, ids[i], remaining(p, tb), 1);
        tb->module = cost.module;
        arm(p, ids[i], TIER_NEVER_ASK);
    }
}

static void refused(Boot *p, const TierDecision *d, uint32_t *ids,
                    TierRefusal why)
{
    uint32_t countdown;

    TIMED(p, outcome, d->n, countdown = tier_failed(p->engine, ids, d->n, why));
    for (uint32_t i = 0; i < d->n; i++) {
        tier_rearm(p->engine, ids[i], remaining(p, &p->tbs[ids[i]]), countdown);
        arm(p, ids[i], countdown);
    }
}

/* Compile the group that was decided on. */
static void compile(Boot *p, const TierDecision *d)
{
    TierRefusal why = TIER_REFUSED_ENGINE_REFUSED;
    uint32_t *ids = malloc(d->n * sizeof(ids[0]));
    bool ok = ++p->times->groups % FAIL_EVERY != 0;

    p->times->chosen += d->n;
    if (!ids) {
        p->failed = true;
        return;
    }
    memcpy(ids, d->ids, d->n * sizeof(ids[0]));
    if (ok) {
        TIMED(p, room, d->n,
              ok = tier_make_room(p->engine, d->n, 600 * d->n, &why));
        drain(p);
    }
    if (ok) {
        installed(p, d, ids);
    } else {
        refused(p, d, ids, why);
    }
    drain(p);
    free(ids);
}

static void hot(Boot *p, uint32_t id)
{
    TierDecision d;

    TIMED(p, hot, 0, d = tier_hot(p->engine, id, 0));
    p->times->hot.tbs += d.tier ? d.n : 1;
    arm(p, id, d.ask_again);
    if (d.tier) {
        compile(p, &d);
    }
}

static void tick(Boot *p)
{
    for (int i = 0; i < TIER_MAX_TICK_GROUPS; i++) {
        TierDecision d;

        TIMED(p, tick, 0, d = tier_tick(p->engine));
        if (!d.tier) {
            break;
        }
        p->times->tick.tbs += d.n;
        compile(p, &d);
    }
    drain(p);
}

static void discard(void *opaque, const char *text, size_t len)
{
    (void)text;
    *(uint64_t *)opaque += len;
}

static void run(Boot *p)
{
    double step = p->end * 0.6 / p->n;
    uint64_t bytes = 0;
    double start;

    while (!p->failed) {
        double born = p->translated < p->n ? p->translated * step : NEVER;
        double due = p->heap_n ? p->heap[0].time : NEVER;

        if (born == NEVER && due == NEVER) {
            break;
        }
        p->now = born < due ? born : due;
        if (p->now >= p->next_tick) {
            p->next_tick += TICK_NS;
            tick(p);
        }
        if (born < due) {
            translate(p);
        } else {
            Entry entry = pop(p);

            if (p->tbs[entry.id].due == entry.time) {
                hot(p, entry.id);
            }
        }
    }
    start = real_ns();
    tier_stats_json(p->engine, discard, &bytes);
    p->times->stats_ns += real_ns() - start;
}

bool boot_run(const char *spec, uint32_t n, uint64_t seed, BootTimes *times,
              char *err)
{
    Boot p = {
        .times = times,
        .rng = { seed },
        .clock_ns = clock_cost(),
        .end = (double)n * NS_PER_TB,
        .n = n,
        .tbs = aligned_alloc(alignof(Tb), n * sizeof(Tb)),
    };
    TierHost host = {
        .opaque = &p,
        .now_ns = boot_clock,
        .countdown = host_countdown,
        .prefetch = host_prefetch,
    };
    bool ok;

    p.failed = !p.tbs;
    p.engine = tier_engine_new(spec, ENGINE_SEED, &host, err, TIER_ERR_MAX);
    ok = p.engine != NULL;
    if (ok) {
        run(&p);
        if (p.failed) {
            snprintf(err, TIER_ERR_MAX, "out of memory");
            ok = false;
        }
        tier_engine_free(p.engine);
    }
    free(p.tbs);
    free(p.heap);
    free(p.modules);
    free(p.members);
    return ok;
}
