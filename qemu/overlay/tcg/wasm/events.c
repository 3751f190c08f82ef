/*
 * What happens to TBs; see events.h and runtime.h.
 *
 *   QEMU translated a TB   tw_tb_translated()   the engine gives a countdown
 *   the countdown is 0     tw_hot()             the policy decides
 *   a moment passed        tw_tick()            the policy decides
 *   an exit was chained    tw_tb_linked()       policies may look at edges
 *   a TB is invalid        tw_tb_invalidated()  it is not executed again
 *   QEMU flushes all       tw_all_flushed()     neither is any TB
 *
 * A TB is invalid, too, when its section of the code buffer is evicted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/timer.h"
#include "exec/memory.h"
#include "exec/translation-block.h"
#include "system/cpu-timers.h"
#include "tcg/tcg.h"
#include "lib/insn.h"
#include "tiers/hash.h"
#include "buffer.h"
#include "compile.h"
#include "events.h"
#include "lookup.h"
#include "modules.h"
#include "report.h"
#include "runtime.h"
#include "state.h"

static TwHeader *tb_header(const TranslationBlock *tb)
{
    return (TwHeader *)tb->tc.ptr;
}

/*
 * Translation
 */

static size_t page_size(void)
{
    return (size_t)1 << tw.page_bits;
}

/*
 * FNV-1a of the guest's code of @tb, on both pages if it crosses one, and of
 * the CPU's flags: equal code, equal hash, in every run. 0: the code is not all
 * in RAM.
 */
static uint64_t guest_hash(const TranslationBlock *tb, vaddr pc,
                           const void *host_pc)
{
    size_t first = MIN(tb->size, page_size() - (pc & (page_size() - 1)));
    uint32_t flags = cpu_to_le32(tb->flags);
    uint64_t hash;

    if (!host_pc || tb->page_addr[0] == -1) {
        return 0;
    }
    hash = tier_fnv1a64(TIER_FNV1A64_EMPTY, host_pc, first);
    if (tb->size > first) {
        if (tb->page_addr[1] == -1) {
            return 0;
        }
        hash = tier_fnv1a64(hash, qemu_map_ram_ptr(NULL, tb->page_addr[1]),
                            tb->size - first);
    }
    hash = tier_fnv1a64(hash, &flags, sizeof(flags));
    return hash ? hash : 1;
}

void tw_tb_translated(TranslationBlock *tb, vaddr pc, const void *host_pc,
                      int64_t ns)
{
    TwHeader *header = tb_header(tb);
    TierTb facts = {
        .guest_pc = pc,
        .guest_page = tb->page_addr[0] & -(tb_page_addr_t)page_size(),
        .hash = guest_hash(tb, pc, host_pc),
        .guest_insns = tb->icount,
        .bytecode_bytes = tb->tc.size,
        .translate_ns = MIN(ns, UINT32_MAX),
        .section = tw_region_of(header),
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

void tw_tb_linked(const TranslationBlock *tb, int n, const TwHeader *next)
{
    qemu_mutex_lock(&tw.lock);
    tier_linked(tw.engine, tb_header(tb)->id, n, next->id);
    qemu_mutex_unlock(&tw.lock);
}

/*
 * Decisions
 */

/* The live TB that the hint of @header's jump names, or TIER_NO_TB. */
static uint32_t hinted(const TwHeader *header)
{
    const uint64_t *code = (const uint64_t *)header;

    for (size_t at = 0; at < header->size / 8;) {
        TwInsn insn = tw_insn_at(code, at);

        if ((insn.op == TW_OP_GOTO_PTR || insn.op == TW_OP_LOOKUP) &&
            insn.imm) {
            const TwHeader *to = (const TwHeader *)(uintptr_t)insn.imm;

            return tw_header(to->id) == to ? to->id : TIER_NO_TB;
        }
        at += tw_op_words(insn.op);
    }
    return TIER_NO_TB;
}

/*
 * To a policy, the TB that a jump by lookup last went to is as good as one that
 * an exit is chained to. If @header's TB has an exit that is not for chaining,
 * tell the engine that this exit leads there.
 */
static void tell_hint(const TwHeader *header)
{
    const TranslationBlock *tb = (void *)(uintptr_t)header->host_tb;
    uint32_t to = hinted(header);

    for (int n = 1; n >= 0 && to != TIER_NO_TB; n--) {
        if (tb->jmp_reset_offset[n] == TB_JMP_OFFSET_INVALID) {
            tier_linked(tw.engine, header->id, n, to);
            return;
        }
    }
}

bool tw_hot(TwHeader *header)
{
    if (header->fn) {
        header->countdown = 1;
        return true;
    }
    qemu_mutex_lock(&tw.lock);
    if (header->fn) { /* another thread was quicker */
        header->countdown = 1;
    } else if (header->flags & TW_HEADER_WATCHED) {
        uint32_t module = tier_tb_record(tw.engine, header->id)->module;

        tw_modules_put_back(tw_cache_module(&tw.cache, module));
    } else {
        TierDecision decision;

        tell_hint(header);
        decision = tier_hot(tw.engine, header->id, header->countdown);
        header->countdown = decision.ask_again;
        if (decision.tier) {
            tw_compile_group(&decision, true);
        }
    }
    qemu_mutex_unlock(&tw.lock);
    return header->fn != 0;
}

void tw_tick(int64_t now)
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
    tw_modules_handle_events();
    tw_report_timeline(now);
    qemu_mutex_unlock(&tw.lock);
}

/*
 * Installation in further threads
 */

static void count_install(uint64_t ns)
{
    TierCounters *c = tier_counters(tw.engine);

    c->instantiate_ns += ns;
    c->worst_stall_ns = MAX(c->worst_stall_ns, ns);
}

void tw_not_installed(TwHeader *header)
{
    TwModule *module;

    qemu_mutex_lock(&tw.lock);
    module = header->fn ? tw_cache_module_at(&tw.cache, header->fn) : NULL;
    if (module) {
        int64_t t0 = get_clock();

        if (!tw_cache_install_here(&tw.cache, module)) {
            /* Otherwise each entry would try again. */
            tw_modules_retire(module, TIER_REFUSED_ENGINE_REFUSED);
        }
        count_install(get_clock() - t0);
    }
    qemu_mutex_unlock(&tw.lock);
}

/*
 * Ends
 */

void tw_tb_invalidated(const TranslationBlock *tb)
{
    TwHeader *header = tb_header(tb);

    qemu_mutex_lock(&tw.lock);
    if (tw_header(header->id) == header) {
        tw_settle(header);
        if (tw_buffer_evicts()) {
            tier_evicted(tw.engine, header->id);
        } else {
            tier_invalidated(tw.engine, header->id);
        }
        g_ptr_array_index(tw.headers, header->id - tw.first_id) = NULL;
        qatomic_set(&header->fn, 0);
        header->flags &= ~TW_HEADER_WATCHED;
        tw_modules_handle_events();
    }
    qemu_mutex_unlock(&tw.lock);
}

static void forget_module(TwModule *module)
{
    tier_module_retired(tw.engine, module->id);
}

void tw_all_flushed(void)
{
    qemu_mutex_lock(&tw.lock);
    tw_compiler_stop(&tw.compiler);
    tw_settle_all();
    tier_flushed(tw.engine);
    tw.first_id += tw.headers->len;
    g_ptr_array_set_size(tw.headers, 0);

    tw_cache_for_each(&tw.cache, forget_module);
    tw_cache_clear(&tw.cache);
    qemu_mutex_unlock(&tw.lock);
}

void tw_guest_output(void)
{
    if (tw.engine && icount_enabled()) {
        tier_counters(tw.engine)->icount_insns = icount_get_raw();
    }
}
