/*
 * The engine's account of the code cache: which modules there are, what they
 * take of the budgets, and which are given up.
 *
 *   tier_make_room          asks the eviction policy, which answers by
 *                           tier_give_up() and tier_watch()
 *   tier_cache_install      a group was compiled: tier_compiled()
 *   tier_cache_left         a member is invalidated, demoted or compiled again
 *   tier_next_event         tells the runtime what to do to modules
 *   tier_module_retired     the runtime has given up a module
 *
 * A module that is given up no longer counts against the budgets, because the
 * runtime handles all events before it installs another module. The counters
 * follow when the runtime says that the module is gone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine-int.h"

#include <assert.h>

enum { DEFAULT_MAPS_PER_MODULE = 2 };   /* V8's */

static uint64_t budget(const TierEngine *engine, TierCommon which)
{
    return engine->spec.common[which].u64;
}

static uint32_t maps_per_module(const TierEngine *engine)
{
    uint32_t maps = engine->host.maps_per_module;

    return maps ? maps : DEFAULT_MAPS_PER_MODULE;
}

static uint64_t code_budget(const TierEngine *engine)
{
    return budget(engine, TIER_COMMON_MAX_CODE) << 20;
}

/* Why modules that take @use in all would not do; NONE if they would. */
static TierRefusal over_budget(const TierEngine *engine, const TierUse *use)
{
    if (use->modules > budget(engine, TIER_COMMON_MAX_MODULES)) {
        return TIER_REFUSED_FULL_MODULES;
    }
    if (use->slots > budget(engine, TIER_COMMON_MAX_SLOTS)) {
        return TIER_REFUSED_FULL_SLOTS;
    }
    if (use->bytes > code_budget(engine)) {
        return TIER_REFUSED_FULL_CODE;
    }
    if (use->modules * maps_per_module(engine) >
        budget(engine, TIER_COMMON_MAX_MAPS)) {
        return TIER_REFUSED_FULL_MAPS;
    }
    return TIER_REFUSED_NONE;
}

static TierUse plus(const TierUse *use, const TierUse *more)
{
    return (TierUse){
        .modules = use->modules + more->modules,
        .slots = use->slots + more->slots,
        .bytes = use->bytes + more->bytes,
    };
}

bool tier_make_room(TierEngine *engine, uint32_t slots, uint32_t wasm_bytes,
                    TierRefusal *why)
{
    const TierUse more = { .modules = 1, .slots = slots, .bytes = wasm_bytes };
    uint32_t before;
    TierUse use;

    if (!tier_modules_reserve(&engine->modules)) {
        *why = TIER_REFUSED_NO_MEMORY;
        return false;
    }
    /* Nothing is given up for what never fits. */
    *why = over_budget(engine, &more);
    if (*why != TIER_REFUSED_NONE) {
        return false;
    }
    for (;;) {
        use = plus(&engine->use, &more);
        *why = over_budget(engine, &use);
        if (*why == TIER_REFUSED_NONE) {
            return true;
        }
        before = engine->modules.present;
        if (engine->eviction->make_room) {
            engine->eviction->make_room(engine->eviction_state, engine);
        }
        if (engine->modules.present == before) {
            return false;
        }
    }
}

bool tier_next_event(TierEngine *engine, TierModuleEvent *event)
{
    return tier_modules_next_event(&engine->modules, event);
}

/* What eviction policies look at */

static TierModuleEntry *present(const TierEngine *engine, uint32_t module)
{
    TierModuleEntry *entry = tier_modules_get(&engine->modules, module);

    return entry && entry->present ? entry : NULL;
}

const TierModule *tier_module(const TierEngine *engine, uint32_t module)
{
    const TierModuleEntry *entry = present(engine, module);

    return entry ? &entry->facts : NULL;
}

static uint32_t id_at(const TierEngine *engine, uint32_t entry)
{
    return entry != TIER_NO_ENTRY ? engine->modules.pool[entry].facts.id
                                  : TIER_NO_MODULE;
}

uint32_t tier_module_oldest(const TierEngine *engine)
{
    return id_at(engine, engine->modules.age.first);
}

uint32_t tier_module_younger(const TierEngine *engine, uint32_t module)
{
    const TierModuleEntry *entry = present(engine, module);

    return entry ? id_at(engine, entry->age.next) : TIER_NO_MODULE;
}

uint32_t tier_modules_present(const TierEngine *engine)
{
    return engine->modules.present;
}

static unsigned percent(uint64_t used, uint64_t limit)
{
    return (unsigned)(used * 100 / limit);
}

unsigned tier_fullness(const TierEngine *engine)
{
    const TierUse *use = &engine->use;
    const unsigned all[] = {
        percent(use->modules, budget(engine, TIER_COMMON_MAX_MODULES)),
        percent(use->slots, budget(engine, TIER_COMMON_MAX_SLOTS)),
        percent(use->bytes, code_budget(engine)),
        percent(use->modules * maps_per_module(engine),
                budget(engine, TIER_COMMON_MAX_MAPS)),
    };
    unsigned fullest = 0;

    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        fullest = all[i] > fullest ? all[i] : fullest;
    }
    return fullest;
}

/* Leaving */

/* It no longer counts; the runtime may still have it. */
static void leave(TierEngine *engine, TierModuleEntry *entry)
{
    if (engine->eviction->gone) {
        engine->eviction->gone(engine->eviction_state, engine, &entry->facts);
    }
    engine->use.modules--;
    engine->use.slots -= entry->facts.slots;
    engine->use.bytes -= entry->facts.wasm_bytes;
    tier_modules_leave(&engine->modules, entry);
}

static void retire(TierEngine *engine, TierModuleEntry *entry)
{
    leave(engine, entry);
    tier_modules_post(&engine->modules, entry, TIER_MODULE_RETIRE);
}

void tier_give_up(TierEngine *engine, uint32_t module)
{
    TierModuleEntry *entry = present(engine, module);

    if (entry) {
        engine->counters.modules_evicted++;
        retire(engine, entry);
    }
}

void tier_renew(TierEngine *engine, uint32_t module)
{
    TierModuleEntry *entry = present(engine, module);

    if (entry) {
        entry->facts.touched = false;
        tier_modules_renew(&engine->modules, entry);
    }
}

void tier_watch(TierEngine *engine, uint32_t module)
{
    TierModuleEntry *entry = present(engine, module);

    if (entry && !entry->facts.watched) {
        engine->counters.module_watches++;
        entry->facts.watched = true;
        entry->facts.touched = false;
        tier_modules_post(&engine->modules, entry, TIER_MODULE_WATCH);
    }
}

void tier_module_touched(TierEngine *engine, uint32_t module)
{
    TierModuleEntry *entry = tier_modules_get(&engine->modules, module);

    if (entry && entry->facts.watched) {
        engine->counters.module_touches++;
        entry->facts.watched = false;
        entry->facts.touched = true;
    }
}

void tier_module_retired(TierEngine *engine, uint32_t module)
{
    TierModuleEntry *entry = tier_modules_get(&engine->modules, module);
    TierCounters *c = &engine->counters;

    if (!entry) {
        return;
    }
    if (entry->present) {
        leave(engine, entry);
    }
    c->modules_retired++;
    c->modules_alive--;
    c->table_slots_used -= entry->facts.slots;
    c->wasm_bytes_alive -= entry->facts.wasm_bytes;
    c->module_maps -= maps_per_module(engine);
    tier_modules_remove(&engine->modules, entry);
}

/* Members */

static void retire_if_dead(TierEngine *engine, TierModuleEntry *entry,
                           bool lost_code)
{
    bool broken = lost_code && entry->facts.shape == TIER_REGIONS;

    if (entry->present && (entry->facts.live == 0 || broken)) {
        engine->counters.modules_dead++;
        retire(engine, entry);
    }
}

void tier_cache_left(TierEngine *engine, TierTbRecord *record, bool invalidated)
{
    TierModuleEntry *entry;

    if (record->module == TIER_NO_MODULE) {
        return;
    }
    entry = tier_modules_get(&engine->modules, record->module);
    record->module = TIER_NO_MODULE;
    engine->counters.tbs_in_modules--;
    if (entry) {
        entry->facts.live--;
        retire_if_dead(engine, entry, invalidated);
    }
}

void tier_cache_executed(TierEngine *engine, uint32_t module, uint64_t n)
{
    TierModuleEntry *entry = tier_modules_get(&engine->modules, module);

    if (entry) {
        entry->facts.executions += n;
    }
}

static void raise_to(uint64_t *max, uint64_t value)
{
    *max = value > *max ? value : *max;
}

static void count_installed(TierEngine *engine, const TierModule *module)
{
    TierCounters *c = &engine->counters;

    c->modules_installed++;
    if (module->shape == TIER_REGIONS) {
        c->modules_regions++;
    } else {
        c->modules_functions++;
    }
    raise_to(&c->modules_tbs_max, module->members);
    c->modules_alive++;
    raise_to(&c->modules_alive_max, c->modules_alive);
    c->table_slots_used += module->slots;
    raise_to(&c->table_slots_used_max, c->table_slots_used);
    c->wasm_bytes += module->wasm_bytes;
    c->wasm_bytes_alive += module->wasm_bytes;
    raise_to(&c->wasm_bytes_alive_max, c->wasm_bytes_alive);
    c->module_maps += maps_per_module(engine);
    raise_to(&c->module_maps_max, c->module_maps);
}

bool tier_cache_install(TierEngine *engine, const TierModule *module)
{
    TierModuleEntry *entry = tier_modules_add(&engine->modules, module->id);

    if (!entry) {
        return false;
    }
    entry->facts = *module;
    engine->use.modules++;
    engine->use.slots += module->slots;
    engine->use.bytes += module->wasm_bytes;
    count_installed(engine, module);
    if (engine->eviction->installed) {
        engine->eviction->installed(engine->eviction_state, engine,
                                    &entry->facts);
    }
    /* Members may have died while it was being compiled. */
    retire_if_dead(engine, entry, module->live < module->members);
    return true;
}

void tier_cache_flushed(TierEngine *engine)
{
    TierModules *modules = &engine->modules;

    tier_modules_clear_events(modules);
    for (uint32_t i = modules->age.first; i != TIER_NO_ENTRY;
         i = modules->pool[i].age.next) {
        modules->pool[i].facts.live = 0;
    }
    engine->counters.tbs_in_modules = 0;
}
