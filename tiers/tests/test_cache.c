/*
 * Modules, budgets and eviction: every eviction policy under every policy with
 * random events, against the model in play.c; and what each one gives up.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cmocka_all.h"

#include <stdio.h>

#include "../rng.h"
#include "play.h"

static Play play;

static uint32_t below(TierRng *rng, uint32_t n)
{
    return (uint32_t)(tier_rng_u64(rng) % n);
}

/* One random event. TBs are executed most, and low ids more than others. */
static void random_event(TierRng *rng)
{
    uint32_t what = below(rng, 1000);
    uint32_t id = play.n > 0 ? below(rng, below(rng, play.n) + 1) : 0;

    if (play.n == 0 || (what < 60 && play.n < PLAY_MAX_TBS)) {
        play_translate(&play);
    } else if (what < 100) {
        if (play.tbs[id].live) {
            play_link(&play, id, below(rng, 2), below(rng, play.n));
        }
    } else if (what < 115) {
        play_invalidate(&play, id);
    } else if (what == 115 && below(rng, 4) == 0) {
        play_flush(&play);
    } else if (what < 200) {
        play_tick(&play, below(rng, 30));
    } else if (what < 210) {
        play_report(&play);
    } else if (what < 225) {
        play.fail = below(rng, 3) ? TIER_REFUSED_NONE
                                  : (TierRefusal)(1 + below(rng, 10));
    } else if (play.tbs[id].live) {
        play_enter(&play, id, below(rng, 400));
    }
}

static void random_run(const char *spec, uint64_t seed, unsigned events)
{
    TierRng rng;

    tier_rng_seed(&rng, seed);
    play_start(&play, spec, seed);
    for (unsigned i = 0; i < events; i++) {
        random_event(&rng);
        if (i % 64 == 0) {
            play_check(&play);
        }
    }
    play_settle(&play);
    play_check(&play);
}

static void check_executions(void)
{
    for (uint32_t id = 0; id < play.n; id++) {
        const PlayTb *tb = &play.tbs[id];

        assert_int_equal(tier_tb_executed(play.engine, id, 0), tb->entries0);
        assert_int_equal(tier_tb_executed(play.engine, id, 1), tb->entries1);
    }
}

static void test_random_events(void **unused)
{
    static const char *const budgets[] = {
        "max-modules=3",
        "max-slots=40",
        "max-maps=9,max-code=1",
    };

    (void)unused;
    for (unsigned e = 0; tier_evictions[e]; e++) {
        uint64_t evicted = 0;

        for (const TierPolicy *const *p = tier_policies; *p; p++) {
            for (unsigned b = 0; b < 3; b++) {
                char spec[128];

                snprintf(spec, sizeof(spec), "%s:evict=%s,%s", (*p)->name,
                         tier_eviction_names[e], budgets[b]);
                random_run(spec, 1 + b, 4000);
                check_executions();
                evicted += tier_counters(play.engine)->modules_evicted;
                play_free(&play);
            }
        }
        assert_true(tier_evictions[e]->make_room ? evicted > 100
                                                 : evicted == 0);
    }
}

/* The same events, the same decisions: all counters and records agree. */
static void test_replay(void **unused)
{
    (void)unused;
    for (const TierPolicy *const *p = tier_policies; *p; p++) {
        TierCounters first;
        char spec[128];

        snprintf(spec, sizeof(spec), "%s:max-slots=100", (*p)->name);
        random_run(spec, 7, 6000);
        first = *tier_counters(play.engine);
        play_free(&play);
        random_run(spec, 7, 6000);
        assert_memory_equal(&first, tier_counters(play.engine), sizeof(first));
        play_free(&play);
    }
}

/* @n TBs, each compiled alone, before its first execution. */
static void install(const char *spec, unsigned n)
{
    play_start(&play, spec, 1);
    for (unsigned i = 0; i < n; i++) {
        play_enter(&play, play_translate(&play), 1);
    }
    play_check(&play);
}

static bool alive(uint32_t module)
{
    return play.module[module].alive;
}

static void test_fill_only(void **unused)
{
    const TierCounters *c;

    (void)unused;
    install("always:evict=fill-only,max-modules=10", 15);
    c = tier_counters(play.engine);
    assert_int_equal(play.modules_alive, 10);
    assert_true(alive(0) && alive(9));
    assert_int_equal(c->refused[TIER_REFUSED_FULL_MODULES], 5);
    assert_int_equal(c->modules_retired, 0);
    play_free(&play);
    install("always:evict=fill-only,max-slots=7", 15);
    c = tier_counters(play.engine);
    assert_int_equal(c->refused[TIER_REFUSED_FULL_SLOTS], 8);
    play_free(&play);
    install("always:evict=fill-only,max-maps=7", 15);
    c = tier_counters(play.engine);
    assert_int_equal(c->modules_alive, 3);
    assert_int_equal(c->module_maps_max, 6);
    assert_int_equal(c->refused[TIER_REFUSED_FULL_MAPS], 12);
    play_free(&play);
}

static void test_too_large_for_any_budget(void **unused)
{
    TierRefusal why;

    (void)unused;
    install("always:evict=flush-all,max-slots=7,max-code=1", 5);
    assert_false(tier_make_room(play.engine, 8, 100, &why));
    assert_int_equal(why, TIER_REFUSED_FULL_SLOTS);
    assert_false(tier_make_room(play.engine, 1, (1 << 20) + 1, &why));
    assert_int_equal(why, TIER_REFUSED_FULL_CODE);
    /* And nothing was given up for it. */
    assert_int_equal(tier_counters(play.engine)->modules_evicted, 0);
    play_check(&play);
    play_free(&play);
}

static void test_flush_all(void **unused)
{
    (void)unused;
    install("always:evict=flush-all,max-modules=10", 25);
    assert_int_equal(play.modules_alive, 5);
    assert_int_equal(tier_counters(play.engine)->modules_evicted, 20);
    assert_int_equal(tier_counters(play.engine)->tbs_demoted, 20);
    assert_true(alive(20) && alive(24));
    play_free(&play);
}

static void test_oldest_half(void **unused)
{
    (void)unused;
    install("always:evict=oldest-half,max-modules=10", 11);
    assert_int_equal(play.modules_alive, 6);
    assert_true(!alive(4) && alive(5) && alive(10));
    play_free(&play);
}

/* Of modules in use and others, the others go. */
static void test_clock(void **unused)
{
    enum { BUDGET = 100, ROUNDS = 3000, BUSY = 30 };
    uint32_t kept = 0;

    (void)unused;
    install("always:evict=clock,max-modules=100", BUSY);
    for (unsigned i = 0; i < ROUNDS; i++) {
        for (uint32_t id = 0; id < BUSY; id++) {
            play_enter(&play, id, 1);
        }
        play_enter(&play, play_translate(&play), 1);
        play_tick(&play, 2);
    }
    play_check(&play);
    for (uint32_t id = 0; id < BUSY; id++) {
        /* Compiled once, or by mishap a second time. */
        kept += play.tbs[id].module == id;
    }
    assert_int_equal(play.modules_alive, BUDGET);
    assert_in_range(kept, BUSY - 2, BUSY);
    assert_true(tier_counters(play.engine)->module_touches > 100);
    play_free(&play);
}

/* Below the limits nothing is disturbed. */
static void test_clock_rests(void **unused)
{
    (void)unused;
    install("always:evict=clock,max-modules=100", 80);
    for (unsigned i = 0; i < 100; i++) {
        play_tick(&play, 2);
    }
    assert_int_equal(tier_counters(play.engine)->module_watches, 0);
    play_free(&play);
}

/* Without ticks there is no looking ahead: first in, first out. */
static void test_clock_without_ticks(void **unused)
{
    (void)unused;
    install("always:evict=clock,max-modules=4", 10);
    assert_true(!alive(5) && alive(6) && alive(9));
    play_free(&play);
}

static void make_group(const char *spec, TierShape shape)
{
    char text[128];

    snprintf(text, sizeof(text), "%s,shape=%s", spec,
             shape == TIER_REGIONS ? "regions" : "functions");
    play_start(&play, text, 1);
    for (uint32_t id = 0; id < 4; id++) {
        play_translate(&play);
        play_enter(&play, id, 10);
    }
    assert_int_equal(play.last_group, 4);
    play_check(&play);
}

static void test_dead_modules(void **unused)
{
    const TierCounters *c;

    (void)unused;
    make_group("batch:n=10,size=4,max=4", TIER_FUNCTIONS);
    for (uint32_t id = 0; id < 3; id++) {
        play_invalidate(&play, id);
        assert_true(alive(0));
    }
    play_invalidate(&play, 3);
    assert_false(alive(0));
    c = tier_counters(play.engine);
    assert_int_equal(c->modules_dead, 1);
    assert_int_equal(c->tbs_demoted, 0);
    play_free(&play);

    /* A region may have inlined what is gone: the others leave it at once. */
    make_group("batch:n=10,size=4,max=4", TIER_REGIONS);
    play_invalidate(&play, 2);
    assert_false(alive(0));
    c = tier_counters(play.engine);
    assert_int_equal(c->modules_dead, 1);
    assert_int_equal(c->modules_evicted, 0);
    assert_int_equal(c->tbs_demoted, 3);
    assert_int_equal(c->tbs_in_modules, 0);
    play_check(&play);
    play_free(&play);
}

static void test_accounts(void **unused)
{
    const TierCounters *c;
    const TierModule *module;

    (void)unused;
    make_group("batch:n=10,size=4,max=4", TIER_REGIONS);
    play_enter(&play, 1, 100);
    play_report(&play);
    module = tier_module(play.engine, 0);
    assert_int_equal(module->members, 4);
    assert_int_equal(module->heat, 40);
    assert_int_equal(module->executions, 101);
    c = tier_counters(play.engine);
    assert_int_equal(c->modules_regions, 1);
    assert_int_equal(c->tbs_regions, 4);
    assert_int_equal(c->modules_tbs_max, 4);
    assert_int_equal(c->wasm_bytes_alive, 2400);
    play_free(&play);
}

static void test_waiting_time(void **unused)
{
    const TierCounters *c;

    (void)unused;
    play_start(&play, "batch:n=10,size=4,max=4,wait=7", 1);
    for (uint32_t id = 0; id < 2; id++) {
        play_translate(&play);
        play_enter(&play, id, 10);
        play_tick(&play, 3);
    }
    assert_int_equal(play.modules, 0);
    play_tick(&play, 1);
    assert_int_equal(play.last_group, 2);
    c = tier_counters(play.engine);
    assert_int_equal(c->waits, 2);
    assert_int_equal(c->wait_ns, 11000000);
    assert_int_equal(tier_tb_detail(play.engine, 0)->wait_ns, 7000000);
    play_free(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_events),
        cmocka_unit_test(test_replay),
        cmocka_unit_test(test_fill_only),
        cmocka_unit_test(test_too_large_for_any_budget),
        cmocka_unit_test(test_flush_all),
        cmocka_unit_test(test_oldest_half),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_clock_rests),
        cmocka_unit_test(test_clock_without_ticks),
        cmocka_unit_test(test_dead_modules),
        cmocka_unit_test(test_accounts),
        cmocka_unit_test(test_waiting_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
