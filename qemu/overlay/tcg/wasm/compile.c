/*
 * From a decision to code that is executed: the group's TBs are described to the
 * emitter, the module is installed, its functions are published.
 *
 *   in the vCPU's thread    room, emit, install, publish: it waits
 *   in the compiler's       room, emit, engine compiles | publish; threads install
 *
 * The latter does so without the lock, so that TBs may be gone by then.
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
#include "lib/insn.h"
#include "compiler.h"
#include "runtime-internal.h"
#include "runtime.h"

static struct {
    TwEmitOptions options;
    TwTarget target;
    TwBuf buf;
    uint64_t modules_tried;
    bool beside; /* the compiler's thread compiles */
} self;

static int compare_globals(const void *a, const void *b)
{
    const TwGlobal *x = a, *y = b;

    return x->ofs < y->ofs ? -1 : x->ofs > y->ofs;
}

/*
 * What the emitter may keep in locals; see TwTarget. can_do_io is not a global
 * of TCG, but used as one: only slow paths and helpers that may look at globals
 * read it.
 */
void tw_find_globals(void)
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
    self.target.nglobals = globals->len;
    self.target.globals = (TwGlobal *)g_array_free(globals, false);
}

/* Is this module to fail, by TIERLAB_FAULT? Of several kinds, by one. */
static TwRefusal injected_fault(void)
{
    self.modules_tried++;
    for (int why = TW_REFUSED_NONE + 1; why < TW_NB_REFUSALS; why++) {
        uint32_t every = tw.settings.fault_every[why];

        if (every && self.modules_tried % every == 0) {
            return why;
        }
    }
    return TW_REFUSED_NONE;
}

/* Room in the budgets and, for @base, in the table. */
static TwRefusal make_room(uint32_t n, uint32_t bytes, uint32_t *base)
{
    TierRefusal why;

    if (!tier_make_room(tw.engine, n, bytes, &why)) {
        return (TwRefusal)why;
    }
    tw_handle_events();
    *base = tw_cache_find_slots(n);
    return *base ? TW_REFUSED_NONE : TW_REFUSED_TABLE_FULL;
}

static TwRefusal emit_group(const TwJob *job, uint32_t base)
{
    self.buf.len = 0;
    self.target.page_bits = tw_page_bits;
    self.options.table_base = base;
    self.options.shape =
        job->shape == TIER_REGIONS ? TW_SHAPE_REGIONS : TW_SHAPE_FUNCTIONS;
    return tw_emit_module(&self.options, job->refs, job->n, &self.buf);
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

/* What the emitter is told of @decision's group; NULL if a member is gone. */
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

/* Give the job a copy of the bytecode, in place of what tier 0 writes into. */
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

/* Make the module's code what its members execute. */
static void publish(const TwModule *module)
{
    for (uint32_t i = 0; i < module->n; i++) {
        uint32_t id = module->ids[i];
        TwHeader *header = tw_header(id);

        /* From now on an entry into tier 0 goes on in fn. */
        header->countdown = tier_rearm(tw.engine, id, header->countdown, 1);
        header->flags &= ~TW_HEADER_WATCHED;
        qatomic_store_release(&header->fn, module->base + i);
    }
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

/* What came of the job; @module is NULL if it was refused. */
static void finish(const TwJob *job, TwRefusal why, const TierCost *cost,
                   const TwModule *module)
{
    if (why == TW_REFUSED_NONE) {
        tier_compiled(tw.engine, job->ids, job->n, cost);
        publish(module);
    } else {
        rearm_all(job->ids, job->n,
                  tier_failed(tw.engine, job->ids, job->n, (TierRefusal)why));
    }
    tw_handle_events();
}

/* Room for the module that is in the buffer, and its place in the cache. */
static TwRefusal add_module(const TwJob *job, uint32_t base, bool here,
                            TierCost *cost, TwModule **module)
{
    uint32_t other;
    TwRefusal why = make_room(job->n, self.buf.len, &other);

    if (why != TW_REFUSED_NONE) {
        return why;
    }
    *module =
        tw_cache_add(base, job->ids, job->n, self.buf.data, self.buf.len, here);
    if (!*module) {
        return TW_REFUSED_ENGINE_REFUSED;
    }
    cost->module = (*module)->id;
    cost->wasm_bytes = self.buf.len;
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

    /* For the slots first: the size is known when the module is written. */
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
 * Compile the job in the compiler's thread, which has no table: threads install
 * the module when they first enter it. Slots that were free stay so, as nobody
 * else adds modules.
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
        !tw_host_prepare(self.buf.data, self.buf.len)) {
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
    if (self.beside) {
        copy_code(job);
        tw_compiler_add(job);
        return;
    }
    compile_here(job, at_once);
    tw_job_free(job);
}

/* The live TB whose header the hint of a jump by lookup names, or TIER_NO_TB. */
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
 * Where a jump by lookup went last is as good as a chained exit to policies: if
 * the TB has an exit that is not used for chaining, say it is that.
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
        tw_put_back(
            tw_cache_module(tier_tb_record(tw.engine, header->id)->module));
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

static void set_target(void)
{
    self.target.tlb_desc_ofs = TW_ENV_TLB_OFS;
    self.target.jump_cache = tw_jump_cache();
    self.target.fn_ld[0] = tw_host_index(helper_ldub_mmu);
    self.target.fn_ld[1] = tw_host_index(helper_lduw_mmu);
    self.target.fn_ld[2] = tw_host_index(helper_ldul_mmu);
    self.target.fn_ld[3] = tw_host_index(helper_ldq_mmu);
    self.target.fn_st[0] = tw_host_index(helper_stb_mmu);
    self.target.fn_st[1] = tw_host_index(helper_stw_mmu);
    self.target.fn_st[2] = tw_host_index(helper_stl_mmu);
    self.target.fn_st[3] = tw_host_index(helper_stq_mmu);
    tw_host_memory_limits(&self.target.mem_min_pages,
                          &self.target.mem_max_pages);
    self.options.target = &self.target;
}

void tw_compile_init(void)
{
    tw_compiler_init(&tw.lock, compile_beside);
    self.beside =
        tier_engine_spec(tw.engine)->common[TIER_COMMON_COMPILER].choice ==
        TIER_COMPILER_THREAD;
    self.options.chaining = tw.settings.chaining;
    self.options.counts = tw.settings.counts;
    self.options.sample_period = TW_SAMPLE_PERIOD;
    self.options.names = tw.settings.names;
    set_target();
}
