/*
 * The code cache; see code-cache.h.
 *
 * Retirements are numbered and logged. A thread's @seen says how many of them
 * its table knows; slots of a retirement are free once every thread whose vCPU
 * runs has seen it. A thread about to execute sets cpu->running and then looks
 * for retirements; whoever frees slots has made the retirement public and then
 * looks for vCPUs that run: one of them sees the other.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/bitmap.h"
#include "qemu/error-report.h"
#include "lib/host.h"
#include "code-cache.h"

enum {
    /*
     * Retirements whose slots are free, kept for threads that sleep: one that has
     * slept through more starts with an empty table.
     */
    MAX_LOG = 65536,
};

typedef struct Retirement {
    uint32_t base;
    uint32_t n;
} Retirement;

static struct {
    TwTbFn *stub;
    GPtrArray *threads;         /* TwThread * */
    bool alone; /* there is one thread, and will be no other */
    uint32_t table_base; /* 0: there is no table */
    unsigned long *used; /* bit per slot */
    uint32_t cursor; /* where the next search begins */
    TwModule **owner; /* of each slot */
    GHashTable *modules; /* by id */
    uint32_t next_id;

    GArray *log; /* Retirement; the last is number
                                   tw_retirements - 1 */
    uint32_t freed; /* retirements whose slots are free */
} cache;

__thread TwThread tw_thread;
uint32_t tw_retirements;

void tw_cache_init(TwTbFn *stub)
{
    cache.stub = stub;
    cache.threads = g_ptr_array_new();
    cache.log = g_array_new(false, false, sizeof(Retirement));
    cache.modules = g_hash_table_new(NULL, NULL);
    cache.used = bitmap_new(TW_TABLE_SLOTS);
    cache.owner = g_new0(TwModule *, TW_TABLE_SLOTS);
}

/*
 * Threads.
 */

void tw_cache_add_thread(bool alone)
{
    uint32_t base = tw_host_reserve(TW_TABLE_SLOTS, cache.stub);

    if (cache.threads->len == 0) {
        cache.table_base = base;
        cache.alone = alone;
    } else if (base != cache.table_base) {
        error_report("tierlab: the tables of two threads differ; "
                     "this is a bug in tcg-wasm");
        abort();
    }
    tw_thread.cpu = current_cpu;
    tw_thread.seen = tw_retirements;
    g_ptr_array_add(cache.threads, &tw_thread);
}

/* The oldest retirement that the log still has. */
static uint32_t log_first(void)
{
    return tw_retirements - cache.log->len;
}

void tw_cache_catch_up(void)
{
    uint32_t behind = tw_retirements - tw_thread.seen;

    if (behind > cache.log->len) {
        tw_host_release(cache.table_base, TW_TABLE_SLOTS, cache.stub);
        tw_thread.seen = tw_retirements;
    }
    for (; tw_thread.seen != tw_retirements; tw_thread.seen++) {
        Retirement *r =
            &g_array_index(cache.log, Retirement, tw_thread.seen - log_first());

        tw_host_release(r->base, r->n, cache.stub);
    }
}

/*
 * Slots.
 */

static void free_slots(void)
{
    uint32_t waiting = tw_retirements - cache.freed;

    if (tw_thread.cpu) {
        tw_cache_catch_up();
    }
    for (guint i = 0; i < cache.threads->len; i++) {
        TwThread *thread = g_ptr_array_index(cache.threads, i);

        if (qatomic_read(&thread->cpu->running)) {
            waiting = MIN(waiting, thread->seen - cache.freed);
        }
    }
    for (; waiting; waiting--, cache.freed++) {
        Retirement *r =
            &g_array_index(cache.log, Retirement, cache.freed - log_first());

        bitmap_clear(cache.used, r->base - cache.table_base, r->n);
    }
    if (cache.log->len > MAX_LOG) {
        uint32_t known = cache.freed - log_first();

        g_array_remove_range(cache.log, 0, MIN(known, cache.log->len));
    }
}

uint32_t tw_cache_find_slots(uint32_t n)
{
    unsigned long at;

    if (!cache.table_base || n > TW_TABLE_SLOTS) {
        return 0;
    }
    if (cache.freed != tw_retirements) {
        free_slots();
    }
    at = bitmap_find_next_zero_area(cache.used, TW_TABLE_SLOTS, cache.cursor, n,
                                    0);
    if (at + n > TW_TABLE_SLOTS) {
        at = bitmap_find_next_zero_area(cache.used, TW_TABLE_SLOTS, 0, n, 0);
    }
    return at + n > TW_TABLE_SLOTS ? 0 : cache.table_base + at;
}

/*
 * Modules.
 */

TwModule *tw_cache_add(uint32_t base, const uint32_t *ids, uint32_t n,
                       const uint8_t *bytes, uint32_t len, bool here)
{
    uint32_t first = base - cache.table_base;
    TwModule *module;

    if (here && !tw_host_install(bytes, len)) {
        return NULL;
    }
    module = g_new(TwModule, 1);
    *module = (TwModule){
        .id = cache.next_id++,
        .base = base,
        .n = n,
        .ids = g_memdup2(ids, n * sizeof(*ids)),
        .bytes = here && cache.alone ? NULL : g_memdup2(bytes, len),
        .len = len,
    };
    g_hash_table_insert(cache.modules, GUINT_TO_POINTER(module->id), module);
    bitmap_set(cache.used, first, n);
    cache.cursor = first + n;
    for (uint32_t i = 0; i < n; i++) {
        cache.owner[first + i] = module;
    }
    return module;
}

bool tw_cache_install_here(TwModule *module)
{
    if (!module->bytes || !tw_host_install(module->bytes, module->len)) {
        return false;
    }
    if (cache.alone) {
        g_clear_pointer(&module->bytes, g_free);
    }
    return true;
}

TwModule *tw_cache_module(uint32_t id)
{
    return g_hash_table_lookup(cache.modules, GUINT_TO_POINTER(id));
}

TwModule *tw_cache_module_at(uint32_t slot)
{
    uint32_t i = slot - cache.table_base;

    return i < TW_TABLE_SLOTS ? cache.owner[i] : NULL;
}

static void free_module(TwModule *module)
{
    g_free(module->ids);
    g_free(module->bytes);
    g_free(module);
}

void tw_cache_retire(TwModule *module)
{
    Retirement r = { .base = module->base, .n = module->n };

    for (uint32_t i = 0; i < module->n; i++) {
        cache.owner[module->base - cache.table_base + i] = NULL;
    }
    g_hash_table_remove(cache.modules, GUINT_TO_POINTER(module->id));
    free_module(module);
    g_array_append_val(cache.log, r);
    qatomic_set_mb(&tw_retirements, tw_retirements + 1);
}

void tw_cache_for_each(void (*each)(TwModule *module))
{
    GHashTableIter iter;
    void *module;

    g_hash_table_iter_init(&iter, cache.modules);
    while (g_hash_table_iter_next(&iter, NULL, &module)) {
        each(module);
    }
}

void tw_cache_clear(void)
{
    g_autoptr(GList) modules = g_hash_table_get_values(cache.modules);

    for (GList *at = modules; at; at = at->next) {
        tw_cache_retire(at->data);
    }
}
