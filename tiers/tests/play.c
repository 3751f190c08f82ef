/*
 * The runtime in miniature.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "play.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t now_of(void *opaque)
{
    const Play *play = opaque;

    return play->now_ns;
}

static int32_t countdown_of(void *opaque, uint32_t id)
{
    const Play *play = opaque;

    assert(id < play->n && play->tbs[id].live);
    return play->tbs[id].countdown;
}

void play_start(Play *play, const char *spec, uint64_t seed)
{
    TierHost host = {
        .opaque = play,
        .now_ns = now_of,
        .countdown = countdown_of,
    };
    char err[TIER_ERR_MAX];

    memset(play, 0, sizeof(*play));
    play->now_ns = 1;
    play->engine = tier_engine_new(spec, seed, &host, err, sizeof(err));
    if (!play->engine) {
        fprintf(stderr, "%s\n", err);
        exit(1);
    }
}

uint32_t play_translate_at(Play *play, uint64_t pc, uint64_t hash)
{
    uint32_t id = play->n++;
    TierTb facts = {
        .guest_pc = pc,
        .guest_page = pc & UINT64_C(0x0ffffffffffff000),
        .hash = hash,
        .id = id,
        .guest_insns = PLAY_INSNS,
        .bytecode_bytes = 400 + 8 * (id % 256),
        .translate_ns = 1000,
    };

    assert(id < PLAY_MAX_TBS);
    play->tbs[id].live = true;
    play->tbs[id].module = PLAY_NO_MODULE;
    play->tbs[id].countdown = (int32_t)tier_translated(play->engine, &facts);
    return id;
}

uint32_t play_translate(Play *play)
{
    return play_translate_at(play, UINT64_C(0xffffffff80000000) + 16 * play->n,
                             play->n + UINT64_C(1));
}

void play_link(Play *play, uint32_t id, unsigned exit, uint32_t succ)
{
    tier_linked(play->engine, id, exit, succ);
}

static void rearm(Play *play, uint32_t id, uint32_t countdown)
{
    PlayTb *tb = &play->tbs[id];

    tb->countdown =
        (int32_t)tier_rearm(play->engine, id, tb->countdown, countdown);
}

/* Modules */

static void leave_module(Play *play, PlayTb *tb)
{
    if (tb->module != PLAY_NO_MODULE) {
        play->module[tb->module].live--;
        tb->module = PLAY_NO_MODULE;
    }
    tb->compiled = false;
    tb->watched = false;
}

static void report(Play *play, uint32_t id)
{
    PlayTb *tb = &play->tbs[id];

    if (tb->entries1 > tb->reported1) {
        tier_executed(play->engine, id, 1, tb->entries1 - tb->reported1);
        tb->reported1 = tb->entries1;
    }
}

static void drop_module(Play *play, uint32_t id)
{
    PlayModule *module = &play->module[id];

    assert(module->alive);
    module->alive = false;
    play->modules_alive--;
    play->slots -= module->n;
    tier_module_retired(play->engine, id);
}

static void retire(Play *play, uint32_t id)
{
    assert(id < play->modules && play->module[id].alive);
    for (uint32_t i = 0; i < play->n; i++) {
        if (play->tbs[i].module == id) {
            leave_module(play, &play->tbs[i]);
            rearm(play, i, tier_demoted(play->engine, i, TIER_REFUSED_NONE));
        }
    }
    assert(play->module[id].live == 0);
    drop_module(play, id);
}

static void set_watched(Play *play, uint32_t id, bool watched)
{
    assert(id < play->modules && play->module[id].alive);
    play->module[id].watched = watched;
    for (uint32_t i = 0; i < play->n; i++) {
        if (play->tbs[i].module == id) {
            play->tbs[i].watched = watched;
        }
    }
}

static void drain(Play *play)
{
    TierModuleEvent event;

    while (tier_next_event(play->engine, &event)) {
        switch (event.kind) {
        case TIER_MODULE_RETIRE:
            retire(play, event.module);
            break;
        case TIER_MODULE_WATCH:
            set_watched(play, event.module, true);
            break;
        }
    }
}

static void check_budgets(const Play *play)
{
    const TierValue *common = tier_engine_spec(play->engine)->common;
    const TierCounters *c = tier_counters(play->engine);

    assert(play->modules_alive <= common[TIER_COMMON_MAX_MODULES].u64);
    assert(play->slots <= common[TIER_COMMON_MAX_SLOTS].u64);
    assert(c->wasm_bytes_alive <= common[TIER_COMMON_MAX_CODE].u64 << 20);
    assert(2 * play->modules_alive <= common[TIER_COMMON_MAX_MAPS].u64);
}

static void install(Play *play, const uint32_t *ids, uint32_t n,
                    const TierCost *cost)
{
    uint32_t id = play->modules++;

    assert(id < PLAY_MAX_MODULES);
    for (uint32_t i = 0; i < n; i++) {
        leave_module(play, &play->tbs[ids[i]]);
        report(play, ids[i]);
    }
    play->module[id] = (PlayModule){
        .alive = true,
        .regions = cost->shape == TIER_REGIONS,
        .n = n,
        .live = n,
    };
    play->modules_alive++;
    play->slots += n;
    /* This runtime has no countdowns in tier 1. */
    tier_compiled(play->engine, ids, n, cost);
    for (uint32_t i = 0; i < n; i++) {
        play->tbs[ids[i]].compiled = true;
        play->tbs[ids[i]].module = id;
        rearm(play, ids[i], TIER_NEVER_ASK);
    }
}

static void hash_group(Play *play, const TierDecision *d)
{
    uint64_t hash = play->groups_hash * 31 + d->tier * 2 + d->shape;

    for (uint32_t i = 0; i < d->n; i++) {
        hash = (hash ^ d->ids[i]) * UINT64_C(0x100000001b3);
    }
    play->groups_hash = hash;
}

static void compile(Play *play, const TierDecision *d, bool at_once)
{
    uint32_t *ids = play->last_ids;
    uint32_t n = d->n;
    TierCost cost = {
        .tier = d->tier,
        .shape = d->shape,
        .module = play->modules,
        .wasm_bytes = 600 * n,
        .table_slots = n,
        .emit_ns = 2000,
        .instantiate_ns = 30000,
        .stall_ns = 32000,
        .at_once = at_once,
    };
    TierRefusal why = play->fail;

    memcpy(ids, d->ids, n * sizeof(ids[0]));
    play->last_group = n;
    play->last_shape = d->shape;
    hash_group(play, d);
    if (why == TIER_REFUSED_NONE) {
        tier_make_room(play->engine, n, cost.wasm_bytes, &why);
        drain(play);
    }
    if (why == TIER_REFUSED_NONE) {
        install(play, ids, n, &cost);
        /* Not after the events, which may be of this module. */
        check_budgets(play);
    } else {
        uint32_t again = tier_failed(play->engine, ids, n, why);

        for (uint32_t i = 0; i < n; i++) {
            if (!play->tbs[ids[i]].compiled) {
                rearm(play, ids[i], again);
            }
        }
    }
    drain(play);
}

/* Execution */

static void enter(Play *play, uint32_t id)
{
    PlayTb *tb = &play->tbs[id];

    assert(tb->live);
    if (tb->compiled && tb->watched) {
        uint32_t module = tb->module;

        set_watched(play, module, false);
        tier_module_touched(play->engine, module);
    }
    if (tb->compiled) {
        tb->entries1++;
        return;
    }
    if (--tb->countdown == 0) {
        TierDecision d = tier_hot(play->engine, id, tb->countdown);

        tb->countdown = (int32_t)d.ask_again;
        if (d.tier > 0) {
            compile(play, &d, true);
        }
    }
    if (tb->compiled) {
        tb->entries1++;
    } else {
        tb->entries0++;
    }
}

void play_enter(Play *play, uint32_t id, uint64_t times)
{
    while (times-- > 0) {
        enter(play, id);
    }
}

uint32_t play_tick(Play *play, uint32_t ms)
{
    uint32_t groups = 0;

    play->now_ns += ms * UINT64_C(1000000);
    while (groups < TIER_MAX_TICK_GROUPS) {
        TierDecision d = tier_tick(play->engine);

        drain(play);
        if (d.tier == 0) {
            break;
        }
        compile(play, &d, false);
        groups++;
    }
    return groups;
}

void play_report(Play *play)
{
    for (uint32_t id = 0; id < play->n; id++) {
        if (play->tbs[id].live) {
            report(play, id);
        }
    }
}

void play_invalidate(Play *play, uint32_t id)
{
    PlayTb *tb = &play->tbs[id];

    if (!tb->live) {
        return;
    }
    report(play, id);
    tier_settle(play->engine, id, tb->countdown);
    if (tb->module != PLAY_NO_MODULE) {
        play->module[tb->module].broken = true;
    }
    leave_module(play, tb);
    tb->live = false;
    tier_invalidated(play->engine, id);
    drain(play);
}

void play_flush(Play *play)
{
    play_settle(play);
    tier_flushed(play->engine);
    for (uint32_t id = 0; id < play->n; id++) {
        leave_module(play, &play->tbs[id]);
        play->tbs[id].live = false;
    }
    for (uint32_t id = 0; id < play->modules; id++) {
        if (play->module[id].alive) {
            drop_module(play, id);
        }
    }
}

void play_settle(Play *play)
{
    for (uint32_t id = 0; id < play->n; id++) {
        if (play->tbs[id].live) {
            tier_settle(play->engine, id, play->tbs[id].countdown);
            report(play, id);
        }
    }
}

void play_check(const Play *play)
{
    const TierCounters *c = tier_counters(play->engine);
    uint32_t alive = 0, members = 0, walked = 0;

    for (uint32_t id = 0; id < play->modules; id++) {
        const PlayModule *module = &play->module[id];
        const TierModule *facts = tier_module(play->engine, id);

        /* All that is dead was given up, and nothing else without need. */
        assert(module->alive == (facts != NULL));
        if (facts) {
            alive++;
            members += module->live;
            assert(facts->live == module->live && module->live > 0);
            assert(!(module->regions && module->broken));
            assert(facts->slots == module->n && facts->members == module->n);
            assert((facts->shape == TIER_REGIONS) == module->regions);
            assert(facts->watched == module->watched);
        }
    }
    for (uint32_t id = tier_module_oldest(play->engine); id != TIER_NO_MODULE;
         id = tier_module_younger(play->engine, id)) {
        walked++;
    }
    for (uint32_t id = 0; id < play->n; id++) {
        const TierTbRecord *record = tier_tb_record(play->engine, id);

        assert(!record ||
               record->module == (play->tbs[id].module != PLAY_NO_MODULE
                                      ? play->tbs[id].module
                                      : TIER_NO_MODULE));
    }
    assert(alive == play->modules_alive && walked == alive);
    assert(tier_modules_present(play->engine) == alive);
    assert(c->modules_alive == alive && c->tbs_in_modules == members);
    assert(c->table_slots_used == play->slots);
    assert(c->modules_installed == play->modules);
    assert(c->modules_retired == play->modules - alive);
    check_budgets(play);
}

void play_free(Play *play)
{
    tier_engine_free(play->engine);
}
