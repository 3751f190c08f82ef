/*
 * The code cache; see code-cache.h.
 *
 * Retirements are numbered and logged; the last one in the log has the number
 * cache->retirements - 1. A table's @seen says how many retirements the table
 * knows of. The slots of a retirement are free once every thread whose vCPU
 * runs has seen the retirement. A thread that is about to execute sets
 * cpu->running and then looks for retirements. The thread that frees slots has
 * published the retirement and then looks for running vCPUs. So one of the two
 * sees the other.
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
     * Retirements whose slots are free, kept for threads that sleep. A thread
     * that has slept through more puts the stub into all slots.
     */
    MAX_LOG = 65536,
};

typedef struct Retirement {
    uint32_t base;
    uint32_t n;
} Retirement;

void tw_cache_init(TwCodeCache *cache, TwTbFn *stub)
{
    cache->stub = stub;
    cache->tables = g_ptr_array_new();
    cache->log = g_array_new(false, false, sizeof(Retirement));
    cache->modules = g_hash_table_new(NULL, NULL);
    cache->used = bitmap_new(TW_TABLE_SLOTS);
    cache->owner = g_new0(TwModule *, TW_TABLE_SLOTS);
}

/*
 * Threads.
 */

void tw_cache_add_thread(TwCodeCache *cache, TwTable *table, bool alone)
{
    uint32_t base = tw_host_reserve(TW_TABLE_SLOTS, cache->stub);

    if (cache->tables->len == 0) {
        cache->base = base;
        cache->alone = alone;
    } else if (base != cache->base) {
        error_report("tierlab: the tables of two threads differ; "
                     "this is a bug in tcg-wasm");
        abort();
    }
    table->cpu = current_cpu;
    table->seen = cache->retirements;
    g_ptr_array_add(cache->tables, table);
}

/* The oldest retirement that the log still has. */
static uint32_t log_first(const TwCodeCache *cache)
{
    return cache->retirements - cache->log->len;
}

void tw_cache_catch_up(TwCodeCache *cache, TwTable *table)
{
    uint32_t behind = cache->retirements - table->seen;

    if (behind > cache->log->len) {
        tw_host_release(cache->base, TW_TABLE_SLOTS, cache->stub);
        table->seen = cache->retirements;
    }
    for (; table->seen != cache->retirements; table->seen++) {
        Retirement *r = &g_array_index(cache->log, Retirement,
                                       table->seen - log_first(cache));

        tw_host_release(r->base, r->n, cache->stub);
    }
}

/*
 * Slots.
 */

static void free_slots(TwCodeCache *cache, TwTable *own)
{
    uint32_t waiting = cache->retirements - cache->freed;

    if (own->cpu) {
        tw_cache_catch_up(cache, own);
    }
    for (guint i = 0; i < cache->tables->len; i++) {
        const TwTable *table = g_ptr_array_index(cache->tables, i);

        if (qatomic_read(&table->cpu->running)) {
            waiting = MIN(waiting, table->seen - cache->freed);
        }
    }
    for (; waiting; waiting--, cache->freed++) {
        Retirement *r = &g_array_index(cache->log, Retirement,
                                       cache->freed - log_first(cache));

        bitmap_clear(cache->used, r->base - cache->base, r->n);
    }
    if (cache->log->len > MAX_LOG) {
        uint32_t known = cache->freed - log_first(cache);

        g_array_remove_range(cache->log, 0, MIN(known, cache->log->len));
    }
}

uint32_t tw_cache_find_slots(TwCodeCache *cache, TwTable *own, uint32_t n)
{
    unsigned long at;

    if (!cache->base || n > TW_TABLE_SLOTS) {
        return 0;
    }
    if (cache->freed != cache->retirements) {
        free_slots(cache, own);
    }
    at = bitmap_find_next_zero_area(cache->used, TW_TABLE_SLOTS, cache->cursor,
                                    n, 0);
    if (at + n > TW_TABLE_SLOTS) {
        at = bitmap_find_next_zero_area(cache->used, TW_TABLE_SLOTS, 0, n, 0);
    }
    return at + n > TW_TABLE_SLOTS ? 0 : cache->base + at;
}

/*
 * Modules.
 */

TwModule *tw_cache_add(TwCodeCache *cache, uint32_t base, const uint32_t *ids,
                       uint32_t n, const uint8_t *bytes, uint32_t len,
                       bool here)
{
    uint32_t first = base - cache->base;
    TwModule *module;

    if (here && !tw_host_install(bytes, len)) {
        return NULL;
    }
    module = g_new(TwModule, 1);
    *module = (TwModule){
        .id = cache->next_id++,
        .base = base,
        .n = n,
        .ids = g_memdup2(ids, n * sizeof(*ids)),
        .bytes = here && cache->alone ? NULL : g_memdup2(bytes, len),
        .len = len,
    };
    g_hash_table_insert(cache->modules, GUINT_TO_POINTER(module->id), module);
    bitmap_set(cache->used, first, n);
    cache->cursor = first + n;
    for (uint32_t i = 0; i < n; i++) {
        cache->owner[first + i] = module;
    }
    return module;
}

bool tw_cache_install_here(TwCodeCache *cache, TwModule *module)
{
    if (!module->bytes || !tw_host_install(module->bytes, module->len)) {
        return false;
    }
    if (cache->alone) {
        g_clear_pointer(&module->bytes, g_free);
    }
    return true;
}

TwModule *tw_cache_module(const TwCodeCache *cache, uint32_t id)
{
    return g_hash_table_lookup(cache->modules, GUINT_TO_POINTER(id));
}

TwModule *tw_cache_module_at(const TwCodeCache *cache, uint32_t slot)
{
    uint32_t i = slot - cache->base;

    return i < TW_TABLE_SLOTS ? cache->owner[i] : NULL;
}

static void free_module(TwModule *module)
{
    g_free(module->ids);
    g_free(module->bytes);
    g_free(module);
}

void tw_cache_retire(TwCodeCache *cache, TwModule *module)
{
    Retirement r = { .base = module->base, .n = module->n };

    for (uint32_t i = 0; i < module->n; i++) {
        cache->owner[module->base - cache->base + i] = NULL;
    }
    g_hash_table_remove(cache->modules, GUINT_TO_POINTER(module->id));
    free_module(module);
    g_array_append_val(cache->log, r);
    qatomic_set_mb(&cache->retirements, cache->retirements + 1);
}

void tw_cache_for_each(TwCodeCache *cache, void (*each)(TwModule *module))
{
    GHashTableIter iter;
    void *module;

    g_hash_table_iter_init(&iter, cache->modules);
    while (g_hash_table_iter_next(&iter, NULL, &module)) {
        each(module);
    }
}

void tw_cache_clear(TwCodeCache *cache)
{
    g_autoptr(GList) modules = g_hash_table_get_values(cache->modules);

    for (GList *at = modules; at; at = at->next) {
        tw_cache_retire(cache, at->data);
    }
}
