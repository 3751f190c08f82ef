/*
 * The tiering runtime: between QEMU's execution loop, the tier engine (which
 * decides) and the host (which compiles).
 *
 *   tb_gen_code --- tw_tb_translated() ---> engine: countdown into the header
 *   tcg_qemu_tb_exec(): the dispatcher. Per TB: compiled function, or tier 0.
 *   tier 0, countdown 0 --- tw_hot() ---> engine: decision
 *        compile: emit the group, install it in this thread, publish fn
 *   tb_phys_invalidate, tb_flush ---> engine; a flush frees the table slots
 *
 * Threads. One lock guards the engine and everything here but the headers'
 * hot fields: countdown is decremented racily (counts are then as inexact), fn
 * is written last when a group is published. A module is installed in the
 * thread that compiled it; in another thread the table still holds the stub,
 * which installs the module from the bytes kept for that purpose and returns to
 * the dispatcher. Bytes are kept only if there can be another thread.
 *
 * After a flush all table slots are free again. Each thread clears its own
 * table when it next enters the dispatcher and sees a new generation.
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
#include "lib/emit.h"
#include "lib/host.h"
#include "lib/layout.h"
#include "tiers/engine.h"
#include "runtime.h"
#include "runtime-internal.h"

enum {
    TABLE_SLOTS = 256 * 1024,
    /*
     * An engine needs two memory mappings for each module, and Linux grants
     * 65,530 in all by default; over that V8 dies. The rest is for the engine.
     */
    DEFAULT_MAX_MODULES = 24000,
};

typedef struct Module {
    uint32_t base;              /* first table slot */
    uint32_t n;
    uint8_t *bytes;             /* NULL: no other thread may need them */
    uint32_t len;
} Module;

static struct {
    QemuMutex lock;
    TierEngine *engine;
    TwEmitOptions options;
    TwTarget target;

    GPtrArray *headers;         /* TwHeader * by id - first_id; NULL: gone */
    uint32_t first_id;          /* of the TBs since the last flush */

    GArray *modules;            /* Module, ascending base */
    uint32_t max_modules;
    uint32_t table_base;        /* 0: nothing can be compiled */
    uint32_t table_used;
    bool keep_bytes;
    TwBuf buf;

    uint32_t generation;        /* of the table's contents: flushes */
    bool started;               /* a guest instruction was executed */
    const char *stats_path;
} tw;

unsigned tw_page_bits;

__thread TwFrame tw_frame;

/* What this thread's table holds. */
static __thread struct {
    bool reserved;
    uint32_t generation;
} tw_thread;

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

static TwHeader *tb_header(const TranslationBlock *tb)
{
    return (TwHeader *)tb->tc.ptr;
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

void tw_tb_invalidated(const TranslationBlock *tb)
{
    TwHeader *header = tb_header(tb);

    qemu_mutex_lock(&tw.lock);
    if (header_of(header->id) == header) {
        settle(header);
        tier_invalidated(tw.engine, header->id);
        g_ptr_array_index(tw.headers, header->id - tw.first_id) = NULL;
    }
    qemu_mutex_unlock(&tw.lock);
}

void tw_tb_linked(const TranslationBlock *tb, int n, const TwHeader *next)
{
    qemu_mutex_lock(&tw.lock);
    tier_linked(tw.engine, tb_header(tb)->id, n, next->id);
    qemu_mutex_unlock(&tw.lock);
}

void tw_all_flushed(void)
{
    qemu_mutex_lock(&tw.lock);
    for (guint i = 0; i < tw.headers->len; i++) {
        TwHeader *header = g_ptr_array_index(tw.headers, i);
        if (header) {
            settle(header);
        }
    }
    tier_flushed(tw.engine);
    tw.first_id += tw.headers->len;
    g_ptr_array_set_size(tw.headers, 0);

    for (guint i = 0; i < tw.modules->len; i++) {
        Module *module = &g_array_index(tw.modules, Module, i);
        g_free(module->bytes);
        tier_module_retired(tw.engine, module->n);
    }
    g_array_set_size(tw.modules, 0);
    tw.table_used = 0;
    qatomic_set(&tw.generation, tw.generation + 1);
    qemu_mutex_unlock(&tw.lock);
}

/*
 * Compiling.
 */

static TwRefusal install_group(const TwTbRef *refs, uint32_t n, TierCost *cost)
{
    int64_t t0 = get_clock(), t1;
    TwRefusal why;
    Module module;

    if (!tw.table_base) {
        return TW_REFUSED_ENGINE_REFUSED;
    }
    if (tw.table_used + n > TABLE_SLOTS || tw.modules->len >= tw.max_modules) {
        return TW_REFUSED_TABLE_FULL;
    }
    tw.buf.len = 0;
    tw.target.page_bits = tw_page_bits;
    tw.options.table_base = tw.table_base + tw.table_used;
    why = tw_emit_module(&tw.options, refs, n, &tw.buf);
    if (why != TW_REFUSED_NONE) {
        return why;
    }
    t1 = get_clock();
    if (!tw_host_install(tw.buf.data, tw.buf.len)) {
        return TW_REFUSED_ENGINE_REFUSED;
    }

    module = (Module){
        .base = tw.options.table_base,
        .n = n,
        .len = tw.buf.len,
        .bytes = tw.keep_bytes ? g_memdup2(tw.buf.data, tw.buf.len) : NULL,
    };
    g_array_append_val(tw.modules, module);
    tw.table_used += n;

    cost->wasm_bytes = tw.buf.len;
    cost->table_slots = n;
    cost->emit_ns = t1 - t0;
    cost->instantiate_ns = get_clock() - t1;
    cost->stall_ns = get_clock() - t0;
    return TW_REFUSED_NONE;
}

static uint32_t chained_to(const TwHeader *header, int n)
{
    const TranslationBlock *tb = (void *)(uintptr_t)header->host_tb;

    if (tb->jmp_reset_offset[n] == TB_JMP_OFFSET_INVALID) {
        return 0;
    }
    return tw_host_index((const void *)qatomic_read(&tb->jmp_target_addr[n]));
}

/* Compile the decision's group; called with the lock. */
static void compile_group(const TierDecision *decision)
{
    uint32_t n = decision->n;
    g_autofree uint32_t *ids = g_memdup2(decision->ids, n * sizeof(*ids));
    g_autofree TwTbRef *refs = g_new(TwTbRef, n);
    TierCost cost = { .tier = decision->tier, .at_once = true };
    TwRefusal why = TW_REFUSED_NONE;
    uint32_t countdown;

    for (uint32_t i = 0; i < n; i++) {
        TwHeader *header = header_of(ids[i]);

        if (!header) {
            why = TW_REFUSED_STALE;
            break;
        }
        refs[i] = (TwTbRef){
            .code = (const uint64_t *)header,
            .nwords = header->size / 8,
            .addr = (uintptr_t)header,
            .succ = { chained_to(header, 0), chained_to(header, 1) },
        };
    }
    if (why == TW_REFUSED_NONE) {
        why = install_group(refs, n, &cost);
    }
    if (why != TW_REFUSED_NONE) {
        countdown = tier_failed(tw.engine, ids, n, (TierRefusal)why);
    } else {
        tier_compiled(tw.engine, ids, n, &cost);
        countdown = 1;          /* the next entry in tier 0 goes to fn */
    }
    for (uint32_t i = 0; i < n; i++) {
        TwHeader *header = header_of(ids[i]);

        if (!header) {
            continue;
        }
        header->countdown =
            tier_rearm(tw.engine, ids[i], header->countdown, countdown);
        if (why == TW_REFUSED_NONE) {
            qatomic_store_release(&header->fn, tw.options.table_base + i);
        }
    }
}

bool tw_hot(TwHeader *header)
{
    TierDecision decision;

    if (header->fn) {
        header->countdown = 1;
        return true;
    }
    qemu_mutex_lock(&tw.lock);
    decision = tier_hot(tw.engine, header->id, header->countdown);
    header->countdown = decision.ask_again;
    if (decision.tier) {
        compile_group(&decision);
    }
    qemu_mutex_unlock(&tw.lock);
    return header->fn != 0;
}

/*
 * Execution.
 */

static Module *find_module(uint32_t fn)
{
    guint lo = 0, hi = tw.modules->len;

    while (lo < hi) {
        guint mid = (lo + hi) / 2;
        Module *module = &g_array_index(tw.modules, Module, mid);

        if (fn < module->base) {
            hi = mid;
        } else if (fn >= module->base + module->n) {
            lo = mid + 1;
        } else {
            return module;
        }
    }
    return NULL;
}

/* In every slot that this thread has not filled: fill it, and try again. */
static uintptr_t install_here(void *env, TwFrame *frame, TwHeader *header)
{
    Module *module;
    bool ok;

    qemu_mutex_lock(&tw.lock);
    module = find_module(header->fn);
    ok = module && module->bytes && tw_host_install(module->bytes, module->len);
    if (!ok) {
        /* Go on in tier 0; whoever has it installed does so as well. */
        header->fn = 0;
        header->countdown = tier_rearm(tw.engine, header->id, header->countdown,
                                       tier_demoted(tw.engine, header->id));
    }
    qemu_mutex_unlock(&tw.lock);
    return (uintptr_t)header | TW_CHAIN;
}

static void prepare_thread(void)
{
    qemu_mutex_lock(&tw.lock);
    if (!tw_thread.reserved) {
        uint32_t base = tw_host_reserve(TABLE_SLOTS, install_here);

        tw_thread.reserved = true;
        if (!tw.started) {
            tw.started = true;
            tw.table_base = base;
            tw.keep_bytes = tcg_max_ctxs > 1;
            tier_counters(tw.engine)->first_insn_epoch_ms = epoch_ms();
        } else if (base != tw.table_base) {
            error_report("tierlab: the tables of two threads differ; "
                         "this is a bug in tcg-wasm");
            abort();
        }
    } else {
        tw_host_release(tw.table_base, TABLE_SLOTS, install_here);
    }
    tw_thread.generation = tw.generation;
    qemu_mutex_unlock(&tw.lock);
}

uintptr_t tcg_qemu_tb_exec(CPUArchState *env, const void *tb_ptr)
{
    TwHeader *header = (TwHeader *)tb_ptr;
    TwFrame *frame = &tw_frame;

    if (unlikely(!tw_thread.reserved ||
                 tw_thread.generation != qatomic_read(&tw.generation))) {
        prepare_thread();
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
    for (guint i = 0; i < tw.headers->len; i++) {
        TwHeader *header = g_ptr_array_index(tw.headers, i);
        if (header) {
            settle(header);
        }
    }
    counters->memory_bytes = tw_host_memory_size();
    counters->code_buffer_bytes = tcg_code_size();

    file = fopen(tw.stats_path, "w");
    if (file) {
        tier_stats_json(tw.engine, write_text, file);
    }
    if (!file || fclose(file) != 0) {
        error_report("tierlab: cannot write statistics to %s: %s",
                     tw.stats_path, strerror(errno));
    }
    qemu_mutex_unlock(&tw.lock);
}

void tw_guest_output(void)
{
    if (tw.engine && icount_enabled()) {
        tier_counters(tw.engine)->icount_insns = icount_get_raw();
    }
}

static uint64_t env_number(const char *name, uint64_t fallback, uint64_t max)
{
    const char *text = g_getenv(name);
    uint64_t value;

    if (!text) {
        return fallback;
    }
    if (!g_ascii_string_to_unsigned(text, 10, 0, max, &value, NULL)) {
        error_report("tierlab: %s=%s is not a number up to %" PRIu64, name,
                     text, max);
        exit(2);
    }
    return value;
}

static void set_target(void)
{
    tw.target.tlb_desc_ofs = TW_ENV_TLB_OFS;
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
}

void tw_runtime_init(void)
{
    const char *spec = g_getenv("TIERLAB_TIER");
    const char *chain = g_getenv("TIERLAB_CHAIN");
    const char *counts = g_getenv("TIERLAB_COUNTS");
    TierHost host = { .now_ns = now_ns };
    char err[TIER_ERR_MAX];

    qemu_mutex_init(&tw.lock);
    tw.engine = tier_engine_new(spec ? spec : TIER_DEFAULT_SPEC,
                                env_number("TIERLAB_SEED", 0, INT64_MAX), &host,
                                err, sizeof(err));
    if (!tw.engine) {
        error_report("%s", err);
        exit(2);
    }
    tw.headers = g_ptr_array_new();
    tw.modules = g_array_new(false, false, sizeof(Module));
    tw.max_modules =
        env_number("TIERLAB_MAX_MODULES", DEFAULT_MAX_MODULES, TABLE_SLOTS);
    tw.options.chaining =
        g_strcmp0(chain, "tail") == 0 ? TW_CHAIN_TAIL : TW_CHAIN_DISPATCH;
    tw.options.counts =
        g_strcmp0(counts, "exact") == 0 ? TW_COUNTS_EXACT : TW_COUNTS_OFF;
    set_target();
    tier_counters(tw.engine)->start_epoch_ms = epoch_ms();
    tw.stats_path = g_getenv("TIERLAB_STATS");
    if (tw.stats_path) {
        atexit(write_stats);
    }
}
