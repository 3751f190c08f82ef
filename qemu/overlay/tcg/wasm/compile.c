/*
 * From a decision to code that is executed: describe the group's TBs to the
 * emitter, install the module, publish its functions.
 *
 *   a vCPU compiles         make room, emit, install, publish; the vCPU waits
 *   the compiler's thread   make room, emit, have the engine compile, publish;
 *     compiles              vCPUs install the module when they enter it
 *
 * The compiler's thread emits without the lock, so TBs may be gone when it is
 * done.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "exec/translation-block.h"
#include "exec/tlb-common.h"
#include "hw/core/cpu.h"
#include "tcg/tcg.h"
#include "tcg/tcg-ldst.h"
#include "tcg/tcg-internal.h"
#include "lib/emit.h"
#include "lib/host.h"
#include "compile.h"
#include "env-offsets.h"
#include "lookup.h"
#include "modules.h"
#include "state.h"

static int compare_globals(const void *a, const void *b)
{
    const TwGlobal *x = a, *y = b;

    return x->ofs < y->ofs ? -1 : x->ofs > y->ofs;
}

/*
 * What the emitter may keep in locals; see TwTarget. can_do_io is not a global
 * of TCG, but counts as one: only slow paths, and helpers that may look at
 * globals, read it.
 */
void tw_compile_find_globals(void)
{
    const TCGTemp *env = tcgv_ptr_temp(tcg_env);
    GArray *globals = g_array_new(false, false, sizeof(TwGlobal));
    TwGlobal can_do_io = { .ofs = TW_ENV_CAN_DO_IO_OFS, .size = 1 };

    for (int i = 0; i < tcg_ctx->nb_globals; i++) {
        const TCGTemp *temp = &tcg_ctx->temps[i];
        TwGlobal global = {
            .ofs = temp->mem_offset,
            .size = temp->type == TCG_TYPE_I32 ? 4 : 8,
        };

        if (temp->kind == TEMP_GLOBAL && temp->mem_base == env) {
            g_array_append_val(globals, global);
        }
    }
    g_array_append_val(globals, can_do_io);
    g_array_sort(globals, compare_globals);
    tw.emission.target.nglobals = globals->len;
    tw.emission.target.globals = (TwGlobal *)g_array_free(globals, false);
}

/* The reason for which TIERLAB_FAULT lets this module fail, or NONE. */
static TwRefusal injected_fault(void)
{
    tw.emission.modules_tried++;
    for (int why = TW_REFUSED_NONE + 1; why < TW_NB_REFUSALS; why++) {
        uint32_t every = tw.settings.fault_every[why];

        if (every && tw.emission.modules_tried % every == 0) {
            return why;
        }
    }
    return TW_REFUSED_NONE;
}

/* Make room in the budgets, and find free slots: @base is the first. */
static TwRefusal make_room(uint32_t n, uint32_t bytes, uint32_t *base)
{
    TierRefusal why;

    if (!tier_make_room(tw.engine, n, bytes, &why)) {
        return (TwRefusal)why;
    }
    tw_modules_handle_events();
    *base = tw_cache_find_slots(&tw.cache, &tw_thread.table, n);
    return *base ? TW_REFUSED_NONE : TW_REFUSED_TABLE_FULL;
}

static TwRefusal emit_group(const TwJob *job, uint32_t base)
{
    tw.emission.buf.len = 0;
    tw.emission.target.page_bits = tw.page_bits;
    tw.emission.options.table_base = base;
    tw.emission.options.shape =
        job->shape == TIER_REGIONS ? TW_SHAPE_REGIONS : TW_SHAPE_FUNCTIONS;
    return tw_emit_module(&tw.emission.options, job->refs, job->n,
                          &tw.emission.buf);
}

static uint32_t chained_to(const TwHeader *header, int n)
{
    const TranslationBlock *tb = (void *)(uintptr_t)header->host_tb;

    if (tb->jmp_reset_offset[n] == TB_JMP_OFFSET_INVALID) {
        return 0;
    }
    return tw_host_index((const void *)qatomic_read(&tb->jmp_target_addr[n]));
}

static bool is_live(uint32_t id)
{
    return tw_header(id) != NULL;
}

/* Describe @decision's group to the emitter; NULL if a member is gone. */
static TwJob *describe_group(const TierDecision *decision)
{
    uint32_t n = decision->n;
    TwJob *job = g_new(TwJob, 1);

    *job = (TwJob){
        .tier = decision->tier,
        .shape = decision->shape,
        .n = n,
        .ids = g_memdup2(decision->ids, n * sizeof(*job->ids)),
        .refs = g_new(TwTbRef, n),
    };
    for (uint32_t i = 0; i < n; i++) {
        TwHeader *header = tw_header(job->ids[i]);

        if (!header) {
            tw_job_free(job);
            return NULL;
        }
        job->refs[i] = (TwTbRef){
            .code = (const uint64_t *)header,
            .nwords = header->size / 8,
            .addr = (uintptr_t)header,
            .succ = { chained_to(header, 0), chained_to(header, 1) },
            .pc = tier_tb_detail(tw.engine, job->ids[i])->tb.guest_pc,
        };
    }
    return job;
}

/* Copy the bytecode for the job: tier 0 writes into the original. */
static void copy_code(TwJob *job)
{
    uint64_t *to;
    size_t words = 0;

    for (uint32_t i = 0; i < job->n; i++) {
        words += job->refs[i].nwords;
    }
    to = job->code = g_new(uint64_t, words);
    for (uint32_t i = 0; i < job->n; i++) {
        TwTbRef *ref = &job->refs[i];

        ref->code = memcpy(to, ref->code, ref->nwords * sizeof(*to));
        to += ref->nwords;
    }
}

/* Leave out members that are gone. */
static void drop_dead(TwJob *job)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < job->n; i++) {
        if (is_live(job->ids[i])) {
            job->ids[n] = job->ids[i];
            job->refs[n++] = job->refs[i];
        }
    }
    job->n = n;
}

static bool all_live(const TwJob *job)
{
    for (uint32_t i = 0; i < job->n; i++) {
        if (!is_live(job->ids[i])) {
            return false;
        }
    }
    return true;
}

static void rearm_all(const uint32_t *ids, uint32_t n, uint32_t countdown)
{
    for (uint32_t i = 0; i < n; i++) {
        TwHeader *header = tw_header(ids[i]);

        if (header) {
            header->countdown =
                tier_rearm(tw.engine, ids[i], header->countdown, countdown);
        }
    }
}

/* Tell what came of the job; @module is NULL if the job was refused. */
static void finish(const TwJob *job, TwRefusal why, const TierCost *cost,
                   const TwModule *module)
{
    if (why == TW_REFUSED_NONE) {
        tier_compiled(tw.engine, job->ids, job->n, cost);
        tw_modules_publish(module);
    } else {
        rearm_all(job->ids, job->n,
                  tier_failed(tw.engine, job->ids, job->n, (TierRefusal)why));
    }
    tw_modules_handle_events();
}

/* Make room for the module in the buffer, and add it to the code cache. */
static TwRefusal add_module(const TwJob *job, uint32_t base, bool here,
                            TierCost *cost, TwModule **module)
{
    uint32_t other;
    TwRefusal why = make_room(job->n, tw.emission.buf.len, &other);

    if (why != TW_REFUSED_NONE) {
        return why;
    }
    *module = tw_cache_add(&tw.cache, base, job->ids, job->n,
                           tw.emission.buf.data, tw.emission.buf.len, here);
    if (!*module) {
        return TW_REFUSED_ENGINE_REFUSED;
    }
    cost->module = (*module)->id;
    cost->wasm_bytes = tw.emission.buf.len;
    cost->table_slots = job->n;
    return TW_REFUSED_NONE;
}

/* Compile the job in the vCPU's thread, which waits for it, and install it. */
static void compile_here(const TwJob *job, bool at_once)
{
    TwRefusal why = injected_fault();
    TierCost cost = {
        .tier = job->tier,
        .shape = job->shape,
        .at_once = at_once,
    };
    uint32_t base = 0;
    int64_t t0 = get_clock(), t1;
    TwModule *module = NULL;

    /* First for its slots: its size is known once the module is written. */
    if (why == TW_REFUSED_NONE) {
        why = make_room(job->n, 0, &base);
    }
    if (why == TW_REFUSED_NONE) {
        why = emit_group(job, base);
    }
    t1 = get_clock();
    if (why == TW_REFUSED_NONE) {
        why = add_module(job, base, true, &cost, &module);
    }
    cost.emit_ns = t1 - t0;
    cost.instantiate_ns = get_clock() - t1;
    cost.stall_ns = get_clock() - t0;
    finish(job, why, &cost, module);
}

/*
 * Compile the job in the compiler's thread. That thread has no table; the
 * vCPUs' threads install the module when they first enter it. Slots that were
 * free stay free meanwhile, as no other thread adds modules.
 */
static void compile_beside(TwJob *job)
{
    TierCost cost = { .tier = job->tier, .shape = job->shape };
    TwModule *module = NULL;
    uint32_t base = 0;
    TwRefusal why;
    int64_t t0, t1;

    qemu_mutex_lock(&tw.lock);
    drop_dead(job);
    why = injected_fault();
    if (why == TW_REFUSED_NONE && job->n > 0) {
        why = make_room(job->n, 0, &base);
    }
    qemu_mutex_unlock(&tw.lock);
    if (job->n == 0) {
        return;
    }
    t0 = get_clock();
    if (why == TW_REFUSED_NONE) {
        why = emit_group(job, base);
    }
    t1 = get_clock();
    if (why == TW_REFUSED_NONE &&
        !tw_host_prepare(tw.emission.buf.data, tw.emission.buf.len)) {
        why = TW_REFUSED_ENGINE_REFUSED;
    }
    cost.emit_ns = t1 - t0;
    cost.instantiate_ns = get_clock() - t1;

    qemu_mutex_lock(&tw.lock);
    if (why == TW_REFUSED_NONE && !all_live(job)) {
        why = TW_REFUSED_STALE;
    }
    if (why == TW_REFUSED_NONE) {
        why = add_module(job, base, false, &cost, &module);
    }
    finish(job, why, &cost, module);
    qemu_mutex_unlock(&tw.lock);
}

void tw_compile_group(const TierDecision *decision, bool at_once)
{
    TwJob *job = describe_group(decision);

    if (!job) {
        rearm_all(decision->ids, decision->n,
                  tier_failed(tw.engine, decision->ids, decision->n,
                              TIER_REFUSED_STALE));
        return;
    }
    if (tw.emission.beside) {
        copy_code(job);
        tw_compiler_add(&tw.compiler, job);
        return;
    }
    compile_here(job, at_once);
    tw_job_free(job);
}

static void set_target(void)
{
    tw.emission.target.tlb_desc_ofs = TW_ENV_TLB_OFS;
    tw.emission.target.jump_cache = tw_jump_cache();
    tw.emission.target.fn_ld[0] = tw_host_index(helper_ldub_mmu);
    tw.emission.target.fn_ld[1] = tw_host_index(helper_lduw_mmu);
    tw.emission.target.fn_ld[2] = tw_host_index(helper_ldul_mmu);
    tw.emission.target.fn_ld[3] = tw_host_index(helper_ldq_mmu);
    tw.emission.target.fn_st[0] = tw_host_index(helper_stb_mmu);
    tw.emission.target.fn_st[1] = tw_host_index(helper_stw_mmu);
    tw.emission.target.fn_st[2] = tw_host_index(helper_stl_mmu);
    tw.emission.target.fn_st[3] = tw_host_index(helper_stq_mmu);
    tw_host_memory_limits(&tw.emission.target.mem_min_pages,
                          &tw.emission.target.mem_max_pages);
    tw.emission.options.target = &tw.emission.target;
}

void tw_compile_init(void)
{
    tw_compiler_init(&tw.compiler, &tw.lock, compile_beside);
    tw.emission.beside =
        tier_engine_spec(tw.engine)->common[TIER_COMMON_COMPILER].choice ==
        TIER_COMPILER_THREAD;
    tw.emission.options.chaining = tw.settings.chaining;
    tw.emission.options.counts = tw.settings.counts;
    tw.emission.options.sample_period = TW_SAMPLE_PERIOD;
    tw.emission.options.names = tw.settings.names;
    tw.emission.options.keeps_pages = tw.settings.keeps_pages;
    set_target();
}
