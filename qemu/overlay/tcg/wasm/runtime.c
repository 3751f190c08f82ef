/*
 * The tiering runtime, between QEMU's execution loop, the tier engine (which
 * decides) and the code cache (which holds what was compiled): the dispatcher,
 * and the runtime's start. state.h lists the other files.
 *
 *   tb_gen_code         --> tw_tb_translated(): a countdown in the TB's header
 *   tcg_qemu_tb_exec()  the dispatcher: for each TB its compiled function, or
 *                       tier 0
 *   tier 0, countdown 0 --> tw_hot(): the policy's decision
 *   now and then        --> tw_tick(): the policy's decisions
 *        compile.c: emit the group, install the module in this thread, publish
 *        its functions; or have the compiler's thread do so
 *   tb_phys_invalidate, tb_flush --> the engine, whose events retire modules
 *
 * Threads. One lock guards the engine, the code cache and the runtime's state.
 * The hot fields of a header have none: threads decrement the countdown racily,
 * so counts are as inexact; fn is written last when a module is published.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/timer.h"
#include "exec/cpu-common.h"
#include "exec/helper-proto-common.h"
#include "hw/core/cpu.h"
#include "system/cpu-timers.h"
#include "tcg/startup.h"
#include "tcg/tcg.h"
#include "tcg/tcg-internal.h"
#include "tcg-target-mo.h"
#include "lib/host.h"
#include "compile.h"
#include "events.h"
#include "fp.h"
#include "report.h"
#include "runtime.h"
#include "state.h"
#include "tier0.h"

enum {
    /* Entries of the dispatcher between two looks at the clock. */
    MIN_ENTRIES_PER_LOOK = 16,
    MAX_ENTRIES_PER_LOOK = 128,
    TICK_NS = 1500 * 1000,
};

static uint64_t now_ns(void *opaque)
{
    return get_clock();
}

static int32_t countdown_of(void *opaque, uint32_t id)
{
    TwHeader *header = tw_header(id);

    return header ? header->countdown : 0;
}

/* What the slots hold that the calling thread has not filled. */
static uintptr_t install_and_retry(void *env, TwFrame *frame, TwHeader *header)
{
    tw_not_installed(header);
    return (uintptr_t)header | TW_CHAIN;
}

static void prepare_thread(void)
{
    qemu_mutex_lock(&tw.lock);
    tw_cache_add_thread(&tw.cache, &tw_thread.table, tcg_max_ctxs == 1);
    tw_thread.entries_per_look = MIN_ENTRIES_PER_LOOK;
    tw_frame.sample_left = TW_SAMPLE_PERIOD;
    if (!tw.started) {
        tw.started = true;
        tw_compile_find_globals();
        if (tw.settings.inline_fp) {
            tw.emission.target.fp = tw_fp_helpers(current_cpu);
        }
        tier_counters(tw.engine)->first_insn_epoch_ms = tw_epoch_ms();
    }
    qemu_mutex_unlock(&tw.lock);
}

/*
 * Reading the clock is slow (a call of JavaScript), so the dispatcher does it
 * every few entries only: a few times a tick, however long the code runs that
 * an entry leads to.
 */
static void look_at_clock(TwThread *thread)
{
    int64_t now = get_clock();
    int64_t passed = now - thread->last_look;

    if (passed < TICK_NS / 8 &&
        thread->entries_per_look < MAX_ENTRIES_PER_LOOK) {
        thread->entries_per_look *= 2;
    } else if (passed > TICK_NS / 2 &&
               thread->entries_per_look > MIN_ENTRIES_PER_LOOK) {
        thread->entries_per_look /= 2;
    }
    thread->last_look = now;
    thread->entries_left = thread->entries_per_look;

    if (now >= qatomic_read_i64(&tw.next_tick)) {
        qatomic_set_i64(&tw.next_tick, now + TICK_NS);
        tw_tick(now);
    }
}

static void catch_up(void)
{
    qemu_mutex_lock(&tw.lock);
    tw_cache_catch_up(&tw.cache, &tw_thread.table);
    qemu_mutex_unlock(&tw.lock);
}

/*
 * A TB has left for QEMU's loop because it may have changed the state: most
 * often a system register was written. If nothing waits for the loop, all that
 * it would do is look the next TB up. Gives that TB's header, or NULL: leave.
 *
 * A vCPU that stopped the others, to execute one TB alone, always leaves.
 * Whoever wants the loop after these tests sets the interrupt word last, which
 * the next TB looks at as it begins.
 */
static TwHeader *go_on(CPUArchState *env, const TwHeader *header)
{
    CPUState *cpu = env_cpu(env);
    const void *next;

    if (header == tcg_code_gen_epilogue || icount_enabled() ||
        qatomic_read(&cpu->neg.icount_decr.u32) ||
        qatomic_read(&cpu->interrupt_request) ||
        qatomic_read(&cpu->exit_request) || cpu_in_exclusive_context(cpu) ||
        cpu->singlestep_enabled || cpu->cflags_next_tb != UINT32_MAX ||
        cpu->exception_index >= 0 || !QTAILQ_EMPTY(&cpu->breakpoints)) {
        return NULL;
    }
    next = helper_lookup_tb_ptr(env);
    return next == tcg_code_gen_epilogue ? NULL : (TwHeader *)next;
}

uintptr_t tcg_qemu_tb_exec(CPUArchState *env, const void *tb_ptr)
{
    TwHeader *header = (TwHeader *)tb_ptr;
    TwThread *thread = &tw_thread;
    TwFrame *frame = &tw_frame;

    if (unlikely(!thread->table.cpu)) {
        prepare_thread();
    }
    if (unlikely(tw_cache_is_behind(&tw.cache, &thread->table))) {
        catch_up();
    }
    if (unlikely(--thread->entries_left == 0)) {
        look_at_clock(thread);
    }
    /* The TB that was entered last left by longjmp(), if it never returned. */
    thread->exits.longjmp += thread->inside;
    thread->inside = true;
    for (;;) {
        uint32_t fn = header->fn;
        uintptr_t next = fn ? tw_host_fn(fn)(env, frame, header)
                            : tw_interpret(env, frame, header);

        if (next == 0 && (header = go_on(env, header))) {
            thread->exits.dispatched++;
            if (unlikely(--thread->entries_left == 0)) {
                look_at_clock(thread);
            }
            continue;
        }
        if (!(next & TW_CHAIN)) {
            thread->inside = false;
            if ((next & TB_EXIT_MASK) == TB_EXIT_REQUESTED) {
                thread->exits.requested++;
            } else {
                thread->exits.exit_tb++;
            }
            return next;
        }
        thread->exits.dispatched++;
        header = (TwHeader *)(next & ~TW_CHAIN);
    }
}

void tw_runtime_init(void)
{
    TierHost host = {
        .now_ns = now_ns,
        .countdown = countdown_of,
        .highest_tier = 1,
    };
    char err[TIER_ERR_MAX];

    qemu_mutex_init(&tw.lock);
    tw_settings_read(&tw.settings);
    tw.engine = tier_engine_new(tw.settings.tier, tw.settings.seed, &host, err,
                                sizeof(err));
    if (!tw.engine) {
        error_report("%s", err);
        exit(2);
    }
    tw.headers = g_ptr_array_new();
    tw.buffer.broken = g_ptr_array_new();
    tw_cache_init(&tw.cache, install_and_retry);
    tw_kept_orders = tw_host_is_tso() ? TCG_MO_ALL & ~TCG_MO_ST_LD : 0;
    tw_compile_init();
    tier_counters(tw.engine)->start_epoch_ms = tw_epoch_ms();
    tw_report_init();
}
