/*
 * The tiering runtime: between QEMU's execution loop, the tier engine (which
 * decides) and the code cache (which holds what was compiled).
 *
 *   tb_gen_code --- tw_tb_translated() ---> engine: countdown into the header
 *   tcg_qemu_tb_exec(): the dispatcher. Per TB: compiled function, or tier 0.
 *   tier 0, countdown 0 --- tw_hot() ---> engine: decision
 *   now and then    --- tick() ---------> engine: decisions
 *        compile: emit the group, install it in this thread, publish fn;
 *        or have that done beside the vCPUs, who install it when they enter it
 *   tb_phys_invalidate, tb_flush -------> engine
 *   engine: events --- tw_retire(), watch() of modules
 *
 * compile.c does the compiling, report.c tells of it all.
 *
 * Threads. One lock guards the engine, the code cache and everything here but
 * the headers' hot fields: countdown is decremented racily (counts are then as
 * inexact), fn is written last when a group is published.
 *
 * A watched module is out of use though it is installed: its members' fn is 0,
 * and the first that tier 0 enters puts it back. So the eviction policy learns
 * what is in use, and nothing is counted for that.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/timer.h"
#include "qemu/thread.h"
#include "exec/translation-block.h"
#include "hw/core/cpu.h"
#include "system/cpu-timers.h"
#include "tcg/startup.h"
#include "tcg/tcg.h"
#include "tcg/tcg-internal.h"
#include "tcg-target-mo.h"
#include "lib/emit.h"
#include "lib/host.h"
#include "lib/layout.h"
#include "tiers/engine.h"
#include "code-cache.h"
#include "compiler.h"
#include "runtime.h"
#include "runtime-internal.h"
#include "settings.h"
#include "ticks.h"

enum {
    /* Entries of the dispatcher between two looks at the clock. */
    MIN_ENTRIES_PER_LOOK = 16,
    MAX_ENTRIES_PER_LOOK = 128,
    TICK_NS = 1500 * 1000,
};

TwRuntime tw;

static int64_t next_tick;
static bool started; /* a guest instruction was executed */

unsigned tw_page_bits;
unsigned tw_kept_orders;

__thread TwFrame tw_frame;

/* Entries until the next look at the clock, and how many there were to be. */
static __thread uint32_t entries_left = 1;
static __thread uint32_t entries_per_look = MIN_ENTRIES_PER_LOOK;
static __thread int64_t last_look;

static uint64_t now_ns(void *opaque)
{
    return get_clock();
}

uint64_t tw_epoch_ms(void)
{
    return get_clock_realtime() / SCALE_MS;
}

TwHeader *tw_header(uint32_t id)
{
    uint32_t i = id - tw.first_id;

    return i < tw.headers->len ? g_ptr_array_index(tw.headers, i) : NULL;
}

static int32_t countdown_of(void *opaque, uint32_t id)
{
    TwHeader *header = tw_header(id);

    return header ? header->countdown : 0;
}

static TwHeader *tb_header(const TranslationBlock *tb)
{
    return (TwHeader *)tb->tc.ptr;
}

/*
 * Modules: what the engine wants done to them.
 */

/* Is @id live and does it run the code of @module? */
static TwHeader *member(const TwModule *module, uint32_t id)
{
    const TierTbRecord *record = tier_tb_record(tw.engine, id);

    return record && record->module == module->id ? tw_header(id) : NULL;
}

void tw_retire(TwModule *module)
{
    for (uint32_t i = 0; i < module->n; i++) {
        uint32_t id = module->ids[i];
        TwHeader *header = member(module, id);

        if (header) {
            qatomic_set(&header->fn, 0);
            header->flags &= ~TW_HEADER_WATCHED;
            header->countdown = tier_rearm(tw.engine, id, header->countdown,
                                           tier_demoted(tw.engine, id));
        }
    }
    tier_module_retired(tw.engine, module->id);
    tw_cache_retire(module);
}

/* The countdown of 1 makes the next entry call tw_hot(). */
static void watch(TwModule *module)
{
    module->watched = true;
    for (uint32_t i = 0; i < module->n; i++) {
        TwHeader *header = member(module, module->ids[i]);

        if (header) {
            header->flags |= TW_HEADER_WATCHED;
            qatomic_set(&header->fn, 0);
        }
    }
}

void tw_put_back(TwModule *module)
{
    module->watched = false;
    for (uint32_t i = 0; i < module->n; i++) {
        TwHeader *header = member(module, module->ids[i]);

        if (header) {
            header->flags &= ~TW_HEADER_WATCHED;
            header->countdown = 1;
            qatomic_store_release(&header->fn, module->base + i);
        }
    }
    tier_module_touched(tw.engine, module->id);
}

void tw_handle_events(void)
{
    TierModuleEvent event;

    while (tier_next_event(tw.engine, &event)) {
        TwModule *module = tw_cache_module(event.module);

        if (!module) {
            continue;
        }
        switch (event.kind) {
        case TIER_MODULE_RETIRE:
            tw_retire(module);
            break;
        case TIER_MODULE_WATCH:
            watch(module);
            break;
        }
    }
}

/*
 * Events.
 */

/* 64-bit FNV-1a over words: equal guest code, equal hash, in every run. */
static uint64_t hash_bytes(uint64_t hash, const uint8_t *p, size_t len)
{
    for (; len >= 8; p += 8, len -= 8) {
        hash = (hash ^ ldq_le_p(p)) * UINT64_C(0x100000001b3);
        hash ^= hash >> 32;
    }
    for (; len; p++, len--) {
        hash = (hash ^ *p) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static uint64_t guest_hash(const TranslationBlock *tb, vaddr pc,
                           const void *host_pc)
{
    const uint64_t seed = UINT64_C(0xcbf29ce484222325);
    size_t in_page = (1u << tw_page_bits) - (pc & ((1u << tw_page_bits) - 1));
    uint64_t hash;

    if (!host_pc) {
        return 0;
    }
    hash = hash_bytes(seed, host_pc, MIN(tb->size, in_page));
    hash = hash_bytes(hash, (const uint8_t *)&tb->flags, sizeof(tb->flags));
    return hash ? hash : 1;
}

void tw_tb_translated(TranslationBlock *tb, vaddr pc, const void *host_pc,
                      int64_t ns)
{
    TwHeader *header = tb_header(tb);
    TierTb facts = {
        .guest_pc = pc,
        .guest_page = tb->page_addr[0] & -(tb_page_addr_t)(1u << tw_page_bits),
        .hash = guest_hash(tb, pc, host_pc),
        .guest_insns = tb->icount,
        .bytecode_bytes = tb->tc.size,
        .translate_ns = MIN(ns, UINT32_MAX),
    };

    tw_speed_lookups(tb, (uint64_t *)header, tb->tc.size / 8);
    tw_fuse((uint64_t *)header, tb->tc.size / 8);
    qemu_mutex_lock(&tw.lock);
    facts.id = tw.first_id + tw.headers->len;
    g_ptr_array_add(tw.headers, header);
    header->guest_insns = tb->icount;
    header->size = tb->tc.size;
    header->id = facts.id;
    header->countdown = tier_translated(tw.engine, &facts);
    qemu_mutex_unlock(&tw.lock);
}

void tw_tb_invalidated(const TranslationBlock *tb)
{
    TwHeader *header = tb_header(tb);

    qemu_mutex_lock(&tw.lock);
    if (tw_header(header->id) == header) {
        tw_settle(header);
        tier_invalidated(tw.engine, header->id);
        g_ptr_array_index(tw.headers, header->id - tw.first_id) = NULL;
        qatomic_set(&header->fn, 0);
        header->flags &= ~TW_HEADER_WATCHED;
        tw_handle_events();
    }
    qemu_mutex_unlock(&tw.lock);
}

void tw_tb_linked(const TranslationBlock *tb, int n, const TwHeader *next)
{
    qemu_mutex_lock(&tw.lock);
    tier_linked(tw.engine, tb_header(tb)->id, n, next->id);
    qemu_mutex_unlock(&tw.lock);
}

static void forget_module(TwModule *module)
{
    tier_module_retired(tw.engine, module->id);
}

void tw_all_flushed(void)
{
    qemu_mutex_lock(&tw.lock);
    tw_compiler_stop();
    tw_settle_all();
    tier_flushed(tw.engine);
    tw.first_id += tw.headers->len;
    g_ptr_array_set_size(tw.headers, 0);

    tw_cache_for_each(forget_module);
    tw_cache_clear();
    qemu_mutex_unlock(&tw.lock);
}

/*
 * Execution.
 */

static void count_install(uint64_t ns)
{
    TierCounters *c = tier_counters(tw.engine);

    c->instantiate_ns += ns;
    c->worst_stall_ns = MAX(c->worst_stall_ns, ns);
}

/* In every slot that this thread has not filled: fill it, and try again. */
static uintptr_t install_here(void *env, TwFrame *frame, TwHeader *header)
{
    TwModule *module;

    qemu_mutex_lock(&tw.lock);
    module = header->fn ? tw_cache_module_at(header->fn) : NULL;
    if (module) {
        int64_t t0 = get_clock();

        if (!tw_cache_install_here(module)) {
            tw_retire(module); /* or it would be tried at each entry */
        }
        count_install(get_clock() - t0);
    }
    qemu_mutex_unlock(&tw.lock);
    return (uintptr_t)header | TW_CHAIN;
}

static void prepare_thread(void)
{
    qemu_mutex_lock(&tw.lock);
    tw_cache_add_thread(tcg_max_ctxs == 1);
    tw_frame.sample_left = TW_SAMPLE_PERIOD;
    if (!started) {
        started = true;
        tw_find_globals();
        tier_counters(tw.engine)->first_insn_epoch_ms = tw_epoch_ms();
    }
    qemu_mutex_unlock(&tw.lock);
}

static void tick(int64_t now)
{
    qemu_mutex_lock(&tw.lock);
    tw_report_counts(now);
    for (int i = 0; i < TIER_MAX_TICK_GROUPS; i++) {
        TierDecision decision = tier_tick(tw.engine);

        if (!decision.tier) {
            break;
        }
        tw_compile_group(&decision, false);
    }
    tw_handle_events();
    tw_report_timeline(now);
    qemu_mutex_unlock(&tw.lock);
}

/*
 * Time passes, but the clock is dear (a call of JavaScript's): look at it a few
 * times a tick, however long the code runs that entries lead to.
 */
static void look_at_clock(void)
{
    int64_t now = get_clock();
    int64_t passed = now - last_look;

    if (passed < TICK_NS / 8 && entries_per_look < MAX_ENTRIES_PER_LOOK) {
        entries_per_look *= 2;
    } else if (passed > TICK_NS / 2 &&
               entries_per_look > MIN_ENTRIES_PER_LOOK) {
        entries_per_look /= 2;
    }
    last_look = now;
    entries_left = entries_per_look;

    if (now >= qatomic_read_i64(&next_tick)) {
        qatomic_set_i64(&next_tick, now + TICK_NS);
        tick(now);
    }
}

static void catch_up(void)
{
    qemu_mutex_lock(&tw.lock);
    tw_cache_catch_up();
    qemu_mutex_unlock(&tw.lock);
}

uintptr_t tcg_qemu_tb_exec(CPUArchState *env, const void *tb_ptr)
{
    TwHeader *header = (TwHeader *)tb_ptr;
    TwFrame *frame = &tw_frame;

    if (unlikely(!tw_thread.cpu)) {
        prepare_thread();
    }
    if (unlikely(tw_cache_is_behind())) {
        catch_up();
    }
    if (unlikely(--entries_left == 0)) {
        look_at_clock();
    }
    for (;;) {
        uint32_t fn = header->fn;
        uintptr_t next = fn ? tw_host_fn(fn)(env, frame, header)
                            : tw_interpret(env, frame, header);

        if (!(next & TW_CHAIN)) {
            return next;
        }
        header = (TwHeader *)(next & ~TW_CHAIN);
    }
}

/*
 * Start and end.
 */

void tw_guest_output(void)
{
    if (tw.engine && icount_enabled()) {
        tier_counters(tw.engine)->icount_insns = icount_get_raw();
    }
}

void tw_runtime_init(void)
{
    TierHost host = { .now_ns = now_ns, .countdown = countdown_of };
    char err[TIER_ERR_MAX];

    qemu_mutex_init(&tw.lock);
    tw_settings_read(&tw.settings);
    tw_ticks_khz = tw.settings.tsc_khz;
    tw.engine = tier_engine_new(tw.settings.tier, tw.settings.seed, &host, err,
                                sizeof(err));
    if (!tw.engine) {
        error_report("%s", err);
        exit(2);
    }
    tw.headers = g_ptr_array_new();
    tw_cache_init(install_here);
    tw_kept_orders = tw_host_is_tso() ? TCG_MO_ALL & ~TCG_MO_ST_LD : 0;
    tw_compile_init();
    tier_counters(tw.engine)->start_epoch_ms = tw_epoch_ms();
    tw_report_init();
}
