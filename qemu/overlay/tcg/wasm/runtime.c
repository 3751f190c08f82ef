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
 *   engine: events --- retire(), watch() of modules
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
#include "exec/tlb-common.h"
#include "hw/core/cpu.h"
#include "system/cpu-timers.h"
#include "tcg/startup.h"
#include "tcg/tcg.h"
#include "tcg/tcg-ldst.h"
#include "tcg/tcg-internal.h"
#include "tcg-target-mo.h"
#include "lib/emit.h"
#include "lib/host.h"
#include "lib/insn.h"
#include "lib/layout.h"
#include "tiers/engine.h"
#include "code-cache.h"
#include "compiler.h"
#include "runtime.h"
#include "runtime-internal.h"
#include "settings.h"

enum {
    /* In TwHeader.flags: compiled, but its module is watched. */
    HEADER_WATCHED = 1,

    /* Entries of the dispatcher between two looks at the clock. */
    MIN_ENTRIES_PER_LOOK = 16,
    MAX_ENTRIES_PER_LOOK = 128,
    TICK_NS = 1500 * 1000,
    REPORT_NS = 20 * 1000 * 1000,

    /* Executions that TW_COUNTS_SAMPLED counts at once: prime, so that loops do
       not fall in step with it. */
    SAMPLE_PERIOD = 127,
};

static struct {
    QemuMutex lock;
    TwSettings settings;
    TierEngine *engine;
    TwEmitOptions options;
    TwTarget target;
    TwBuf buf;

    GPtrArray *headers; /* TwHeader * by id - first_id; NULL: gone */
    uint32_t first_id; /* of the TBs since the last flush */

    uint64_t modules_tried;
    int64_t next_tick;
    int64_t next_report; /* of counts */
    int64_t next_sample; /* of the timeline */
    FILE *timeline;
    bool started; /* a guest instruction was executed */
    bool beside; /* the compiler's thread compiles */
} tw;

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

static uint64_t epoch_ms(void)
{
    return get_clock_realtime() / SCALE_MS;
}

static TwHeader *header_of(uint32_t id)
{
    uint32_t i = id - tw.first_id;

    return i < tw.headers->len ? g_ptr_array_index(tw.headers, i) : NULL;
}

static int32_t countdown_of(void *opaque, uint32_t id)
{
    TwHeader *header = header_of(id);

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

    return record && record->module == module->id ? header_of(id) : NULL;
}

static void retire(TwModule *module)
{
    for (uint32_t i = 0; i < module->n; i++) {
        uint32_t id = module->ids[i];
        TwHeader *header = member(module, id);

        if (header) {
            qatomic_set(&header->fn, 0);
            header->flags &= ~HEADER_WATCHED;
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
            header->flags |= HEADER_WATCHED;
            qatomic_set(&header->fn, 0);
        }
    }
}

static void put_back(TwModule *module)
{
    module->watched = false;
    for (uint32_t i = 0; i < module->n; i++) {
        TwHeader *header = member(module, module->ids[i]);

        if (header) {
            header->flags &= ~HEADER_WATCHED;
            header->countdown = 1;
            qatomic_store_release(&header->fn, module->base + i);
        }
    }
    tier_module_touched(tw.engine, module->id);
}

static void handle_events(void)
{
    TierModuleEvent event;

    while (tier_next_event(tw.engine, &event)) {
        TwModule *module = tw_cache_module(event.module);

        if (!module) {
            continue;
        }
        switch (event.kind) {
        case TIER_MODULE_RETIRE:
            retire(module);
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

/* Hand what the header has counted to the engine. */
static void settle(TwHeader *header)
{
    tier_settle(tw.engine, header->id, header->countdown);
    if (header->tier1_count) {
        tier_executed(tw.engine, header->id, 1, header->tier1_count);
        header->tier1_count = 0;
    }
}

static void settle_all(void)
{
    for (guint i = 0; i < tw.headers->len; i++) {
        TwHeader *header = g_ptr_array_index(tw.headers, i);

        if (header) {
            settle(header);
        }
    }
}

void tw_tb_invalidated(const TranslationBlock *tb)
{
    TwHeader *header = tb_header(tb);

    qemu_mutex_lock(&tw.lock);
    if (header_of(header->id) == header) {
        settle(header);
        tier_invalidated(tw.engine, header->id);
        g_ptr_array_index(tw.headers, header->id - tw.first_id) = NULL;
        qatomic_set(&header->fn, 0);
        header->flags &= ~HEADER_WATCHED;
        handle_events();
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
    settle_all();
    tier_flushed(tw.engine);
    tw.first_id += tw.headers->len;
    g_ptr_array_set_size(tw.headers, 0);

    tw_cache_for_each(forget_module);
    tw_cache_clear();
    qemu_mutex_unlock(&tw.lock);
}

/*
 * Compiling.
 */

/* Is this module to fail, by TIERLAB_FAULT? Of several kinds, by one. */
static TwRefusal injected_fault(void)
{
    tw.modules_tried++;
    for (int why = TW_REFUSED_NONE + 1; why < TW_NB_REFUSALS; why++) {
        uint32_t every = tw.settings.fault_every[why];

        if (every && tw.modules_tried % every == 0) {
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
    handle_events();
    *base = tw_cache_find_slots(n);
    return *base ? TW_REFUSED_NONE : TW_REFUSED_TABLE_FULL;
}

static TwRefusal emit_group(const TwJob *job, uint32_t base)
{
    tw.buf.len = 0;
    tw.target.page_bits = tw_page_bits;
    tw.options.table_base = base;
    tw.options.shape =
        job->shape == TIER_REGIONS ? TW_SHAPE_REGIONS : TW_SHAPE_FUNCTIONS;
    return tw_emit_module(&tw.options, job->refs, job->n, &tw.buf);
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
    return header_of(id) != NULL;
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
        TwHeader *header = header_of(job->ids[i]);

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
        TwHeader *header = header_of(id);

        /* From now on an entry into tier 0 goes on in fn. */
        header->countdown = tier_rearm(tw.engine, id, header->countdown, 1);
        header->flags &= ~HEADER_WATCHED;
        qatomic_store_release(&header->fn, module->base + i);
    }
}

static void rearm_all(const uint32_t *ids, uint32_t n, uint32_t countdown)
{
    for (uint32_t i = 0; i < n; i++) {
        TwHeader *header = header_of(ids[i]);

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
    handle_events();
}

/* Room for the module that is in the buffer, and its place in the cache. */
static TwRefusal add_module(const TwJob *job, uint32_t base, bool here,
                            TierCost *cost, TwModule **module)
{
    uint32_t other;
    TwRefusal why = make_room(job->n, tw.buf.len, &other);

    if (why != TW_REFUSED_NONE) {
        return why;
    }
    *module =
        tw_cache_add(base, job->ids, job->n, tw.buf.data, tw.buf.len, here);
    if (!*module) {
        return TW_REFUSED_ENGINE_REFUSED;
    }
    cost->module = (*module)->id;
    cost->wasm_bytes = tw.buf.len;
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
    if (why == TW_REFUSED_NONE && !tw_host_prepare(tw.buf.data, tw.buf.len)) {
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

/*
 * Compile the decision's group. @at_once: the entry that asked waits for it, if
 * a vCPU compiles.
 */
static void compile_group(const TierDecision *decision, bool at_once)
{
    TwJob *job = describe_group(decision);

    if (!job) {
        rearm_all(decision->ids, decision->n,
                  tier_failed(tw.engine, decision->ids, decision->n,
                              TIER_REFUSED_STALE));
        return;
    }
    if (tw.beside) {
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

            return header_of(to->id) == to ? to->id : TIER_NO_TB;
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
    } else if (header->flags & HEADER_WATCHED) {
        put_back(
            tw_cache_module(tier_tb_record(tw.engine, header->id)->module));
    } else {
        TierDecision decision;

        tell_hint(header);
        decision = tier_hot(tw.engine, header->id, header->countdown);
        header->countdown = decision.ask_again;
        if (decision.tier) {
            compile_group(&decision, true);
        }
    }
    qemu_mutex_unlock(&tw.lock);
    return header->fn != 0;
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
            retire(module); /* or it would be tried at each entry */
        }
        count_install(get_clock() - t0);
    }
    qemu_mutex_unlock(&tw.lock);
    return (uintptr_t)header | TW_CHAIN;
}

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
static void find_globals(void)
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
    tw.target.nglobals = globals->len;
    tw.target.globals = (TwGlobal *)g_array_free(globals, false);
}

static void prepare_thread(void)
{
    qemu_mutex_lock(&tw.lock);
    tw_cache_add_thread(tcg_max_ctxs == 1);
    tw_frame.sample_left = SAMPLE_PERIOD;
    if (!tw.started) {
        tw.started = true;
        find_globals();
        tier_counters(tw.engine)->first_insn_epoch_ms = epoch_ms();
    }
    qemu_mutex_unlock(&tw.lock);
}

static void write_timeline(void)
{
    const TierCounters *c = tier_counters(tw.engine);
    const struct {
        const char *name;
        uint64_t value;
    } columns[] = {
        { "t_ms", epoch_ms() - c->start_epoch_ms },
        { "modules", c->modules_alive },
        { "modules_installed", c->modules_installed },
        { "retired", c->modules_retired },
        { "slots", c->table_slots_used },
        { "wasm_bytes", c->wasm_bytes_alive },
        { "tbs_live", c->tbs_live },
        { "tb_flushes", c->tb_flushes },
        { "memory_bytes", tw_host_memory_size() },
        { "tbs_translated", c->tbs_translated },
        { "tbs_compiled", c->tbs_compiled },
        { "tbs_in_modules", c->tbs_in_modules },
        { "translate_ns", c->translate_ns },
        { "compile_ns",
          c->emit_ns + c->optimise_ns + c->instantiate_ns + c->first_call_ns },
        { "exec_tier0", c->exec_tier0 },
        { "exec_tier1", c->exec_tier1 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        fprintf(tw.timeline, "%c\"%s\":%" PRIu64, i ? ',' : '{',
                columns[i].name, columns[i].value);
    }
    fputs("}\n", tw.timeline);
    fflush(tw.timeline);
}

static void report_timeline(int64_t now)
{
    if (!tw.timeline || now < tw.next_sample) {
        return;
    }
    tw.next_sample = now + (int64_t)tw.settings.timeline_ms * SCALE_MS;
    /* Looks at every TB: only where a user pays for counting anyway. */
    if (tw.options.counts != TW_COUNTS_OFF) {
        settle_all();
    }
    write_timeline();
}

/* Tell the engine of executions in tier 1, which only headers know. */
static void report_counts(int64_t now)
{
    if (tw.options.counts == TW_COUNTS_OFF || now < tw.next_report) {
        return;
    }
    tw.next_report = now + REPORT_NS;
    for (guint i = 0; i < tw.headers->len; i++) {
        TwHeader *header = g_ptr_array_index(tw.headers, i);

        if (header && header->tier1_count) {
            settle(header);
        }
    }
}

static void tick(int64_t now)
{
    qemu_mutex_lock(&tw.lock);
    report_counts(now);
    for (int i = 0; i < TIER_MAX_TICK_GROUPS; i++) {
        TierDecision decision = tier_tick(tw.engine);

        if (!decision.tier) {
            break;
        }
        compile_group(&decision, false);
    }
    handle_events();
    report_timeline(now);
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

    if (now >= qatomic_read_i64(&tw.next_tick)) {
        qatomic_set_i64(&tw.next_tick, now + TICK_NS);
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

static void write_text(void *opaque, const char *text, size_t len)
{
    fwrite(text, 1, len, opaque);
}

static void write_stats(void)
{
    TierCounters *counters = tier_counters(tw.engine);
    FILE *file;

    qemu_mutex_lock(&tw.lock);
    settle_all();
    counters->memory_bytes = tw_host_memory_size();
    counters->code_buffer_bytes = tcg_code_size();

    file = fopen(tw.settings.stats_path, "w");
    if (file) {
        tier_stats_json(tw.engine, write_text, file);
    }
    if (!file || fclose(file) != 0) {
        error_report("tierlab: cannot write statistics to %s: %s",
                     tw.settings.stats_path, strerror(errno));
    }
    qemu_mutex_unlock(&tw.lock);
}

void tw_guest_output(void)
{
    if (tw.engine && icount_enabled()) {
        tier_counters(tw.engine)->icount_insns = icount_get_raw();
    }
}

static void set_target(void)
{
    tw.target.tlb_desc_ofs = TW_ENV_TLB_OFS;
    tw.target.jump_cache = tw_jump_cache();
    tw.target.fn_ld[0] = tw_host_index(helper_ldub_mmu);
    tw.target.fn_ld[1] = tw_host_index(helper_lduw_mmu);
    tw.target.fn_ld[2] = tw_host_index(helper_ldul_mmu);
    tw.target.fn_ld[3] = tw_host_index(helper_ldq_mmu);
    tw.target.fn_st[0] = tw_host_index(helper_stb_mmu);
    tw.target.fn_st[1] = tw_host_index(helper_stw_mmu);
    tw.target.fn_st[2] = tw_host_index(helper_stl_mmu);
    tw.target.fn_st[3] = tw_host_index(helper_stq_mmu);
    tw_host_memory_limits(&tw.target.mem_min_pages, &tw.target.mem_max_pages);
    tw.options.target = &tw.target;
    tw_kept_orders = tw_host_is_tso() ? TCG_MO_ALL & ~TCG_MO_ST_LD : 0;
}

static FILE *open_timeline(const char *path)
{
    FILE *file = path ? fopen(path, "w") : NULL;

    if (path && !file) {
        error_report("tierlab: cannot write the timeline to %s: %s", path,
                     strerror(errno));
        exit(2);
    }
    return file;
}

void tw_runtime_init(void)
{
    TierHost host = { .now_ns = now_ns, .countdown = countdown_of };
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
    tw_cache_init(install_here);
    tw_compiler_init(&tw.lock, compile_beside);
    tw.beside =
        tier_engine_spec(tw.engine)->common[TIER_COMMON_COMPILER].choice ==
        TIER_COMPILER_THREAD;
    tw.options.chaining = tw.settings.chaining;
    tw.options.counts = tw.settings.counts;
    tw.options.sample_period = SAMPLE_PERIOD;
    tw.options.names = tw.settings.names;
    set_target();
    tw.timeline = open_timeline(tw.settings.timeline_path);
    tier_counters(tw.engine)->start_epoch_ms = epoch_ms();
    if (tw.settings.stats_path) {
        atexit(write_stats);
    }
}
