/*
 * Real policies when memory is short: they do not start, or run on without what
 * they did not get; and none allocates where a vCPU waits.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cmocka_all.h"

#include <stdio.h>

#include "alloc.h"
#include "play.h"

static Play play;

static int setup(void **unused)
{
    (void)unused;
    memset(&alloc, 0, sizeof(alloc));
    return 0;
}

/* Fail each allocation of the start in turn. */
static void test_start(void **unused)
{
    (void)unused;
    for (const TierPolicy *const *p = tier_policies; *p; p++) {
        char err[TIER_ERR_MAX];
        TierEngine *e = NULL;
        int n = 0;

        while (!e) {
            setup(NULL);
            alloc.fail_at = ++n;
            e = tier_engine_new((*p)->name, 1, NULL, err, sizeof(err));
            if (!e) {
                assert_string_equal(
                    err, "no memory for the tier engine: give it more");
                assert_int_equal(alloc.blocks, 0);
            }
        }
        /* The engine, the set of code seen, the states of the eviction policy
           and of the policy, and three arrays for each of two batches. */
        assert_in_range(n, 4, 11);
        tier_engine_free(e);
        assert_int_equal(alloc.blocks, 0);
    }
}

static void test_profile(void **unused)
{
    FILE *file = fopen("test-shortage.txt", "w");
    char err[TIER_ERR_MAX] = "";
    int n = 0;

    (void)unused;
    assert_non_null(file);
    fputs("tierlab-profile 1\n00000000000000aa 5000\n", file);
    assert_int_equal(fclose(file), 0);
    /* Until the failing one is that of the table; stdio has its own, too. */
    while (!strstr(err, "no memory for it")) {
        TierEngine *e;

        alloc.fail_at = alloc.calls + ++n;
        e = tier_engine_new("profile:from=test-shortage.txt", 1, NULL, err,
                            sizeof(err));
        tier_engine_free(e);
        assert_in_range(n, 1, 20);
    }
    assert_string_equal(err, "profile test-shortage.txt, line 2: no memory for "
                             "it: make it again with `tierlab profile`");
    assert_int_equal(remove("test-shortage.txt"), 0);
}

/* No memory for the account of a module: it is not installed. */
static void test_modules(void **unused)
{
    (void)unused;
    play_start(&play, "always", 1);
    play_translate(&play);
    play_translate(&play);
    alloc.fail_at = alloc.calls + 1;
    play_enter(&play, 0, 1);
    play_enter(&play, 1, 1);
    assert_false(play.tbs[0].compiled);
    assert_true(play.tbs[1].compiled);
    assert_int_equal(
        tier_counters(play.engine)->refused[TIER_REFUSED_NO_MEMORY], 1);
    play_check(&play);
    play_free(&play);
    assert_int_equal(alloc.blocks, 0);
}

/* A runtime that did not ask for room, and there is none: not given up. */
static void test_untracked_module(void **unused)
{
    TierCost cost = { .tier = 1, .wasm_bytes = 10, .table_slots = 1 };
    TierModuleEvent event;
    uint32_t id;

    (void)unused;
    play_start(&play, "always", 1);
    id = play_translate(&play);
    tier_hot(play.engine, id, 0);
    alloc.fail_at = alloc.calls + 1;
    tier_compiled(play.engine, &id, 1, &cost);
    assert_int_equal(tier_tb_tier(play.engine, id), 1);
    assert_null(tier_module(play.engine, 0));
    tier_invalidated(play.engine, id);
    assert_false(tier_next_event(play.engine, &event));
    tier_module_retired(play.engine, 0);
    play_free(&play);
}

static void test_decisions_do_not_allocate(void **unused)
{
    enum { TBS = 300 };

    (void)unused;
    for (const TierPolicy *const *p = tier_policies; *p; p++) {
        int before;

        setup(NULL);
        play_start(&play, (*p)->name, 1);
        for (unsigned i = 0; i < TBS; i++) {
            play_translate(&play);
        }
        /* As many modules as there can be: their account may grow. */
        before = alloc.calls;
        for (uint32_t id = 0; id < TBS; id++) {
            play_link(&play, id, 0, (id + 1) % TBS);
            play_enter(&play, id, 3000);
            play_tick(&play, 2);
        }
        play_tick(&play, 1000);
        play_flush(&play);
        assert_in_range(alloc.calls - before, 0, 8);
        play_free(&play);
        assert_int_equal(alloc.blocks, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_start, setup),
        cmocka_unit_test_setup(test_profile, setup),
        cmocka_unit_test_setup(test_modules, setup),
        cmocka_unit_test_setup(test_untracked_module, setup),
        cmocka_unit_test_setup(test_decisions_do_not_allocate, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
