/*
 * Memory: bounded over many flushes, all given back, none asked for where a
 * vCPU waits, and its lack survived. The linker wraps the allocator for that.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cmocka_all.h"

#include "../records.h"
#include "alloc.h"
#include "probe.h"

static int setup(void **unused)
{
    (void)unused;
    memset(&alloc, 0, sizeof(alloc));
    probe_reset();
    return 0;
}

static uint32_t translate(TierEngine *e, uint32_t id)
{
    TierTb facts = { .guest_pc = id, .id = id, .guest_insns = 1 };

    return tier_translated(e, &facts);
}

static void test_flushes(void **unused)
{
    enum { FLUSHES = 300, TBS = 3000, KEPT = 10000 };
    TierHost host = { .max_dead_records = KEPT };
    char err[TIER_ERR_MAX];
    TierEngine *e = tier_engine_new("probe", 1, &host, err, sizeof(err));
    uint32_t id = 0, records = 0;
    int blocks_early = 0;

    (void)unused;
    assert_non_null(e);
    for (int f = 0; f < FLUSHES; f++) {
        for (int i = 0; i < TBS; i++) {
            translate(e, id++);
        }
        tier_executed(e, id - 1, 0, 1);
        tier_flushed(e);
        if (f == 20) {
            blocks_early = alloc.blocks;
        }
        assert_true(blocks_early == 0 || alloc.blocks <= blocks_early + 1);
    }
    for (uint32_t i = 0; i < id; i++) {
        records += tier_tb_record(e, i) != NULL;
    }
    assert_in_range(records, KEPT / 2, KEPT + TIER_CHUNK_SIZE);
    assert_int_equal(records + tier_counters(e)->tb_records_dropped,
                     FLUSHES * TBS);
    /* The newest are those that are kept, and totals forget nothing. */
    assert_non_null(tier_tb_record(e, id - 1));
    assert_null(tier_tb_record(e, 0));
    assert_int_equal(tier_counters(e)->exec_tier0, FLUSHES);
    tier_engine_free(e);
    assert_int_equal(alloc.blocks, 0);
}

/* Self-modifying guests invalidate one by one and may never flush. */
static void test_invalidations(void **unused)
{
    enum { TBS = 500000, KEPT = 5000 };
    TierHost host = { .max_dead_records = KEPT };
    char err[TIER_ERR_MAX];
    TierEngine *e = tier_engine_new("probe", 1, &host, err, sizeof(err));
    int blocks_early = 0;

    (void)unused;
    assert_non_null(e);
    translate(e, 0); /* stays */
    for (uint32_t id = 1; id < TBS; id++) {
        translate(e, id);
        tier_invalidated(e, id);
        if (id == TBS / 10) {
            blocks_early = alloc.blocks;
        }
        assert_true(blocks_early == 0 || alloc.blocks <= blocks_early + 1);
    }
    assert_non_null(tier_tb(e, 0));
    assert_int_equal(tier_counters(e)->tbs_live, 1);
    tier_engine_free(e);
    assert_int_equal(alloc.blocks, 0);
}

static void test_decisions_do_not_allocate(void **unused)
{
    char err[TIER_ERR_MAX];
    TierEngine *e = tier_engine_new("probe", 1, NULL, err, sizeof(err));
    TierCost cost = { .tier = 1 };
    TierRefusal why;
    int before;

    (void)unused;
    assert_non_null(e);
    for (uint32_t id = 0; id < 100; id++) {
        translate(e, id);
    }
    before = alloc.calls;
    probe.tier = 1;
    for (uint32_t id = 0; id < 100; id++) {
        TierDecision d = tier_hot(e, id, 0);
        int mark = alloc.calls;

        /* This may: it is not where a policy decides. */
        assert_true(tier_make_room(e, 1, 100, &why));
        before += alloc.calls - mark;
        cost.module = id;
        if (id % 2) {
            tier_compiled(e, d.ids, d.n, &cost);
        } else {
            tier_failed(e, d.ids, d.n, TIER_REFUSED_NO_MEMORY);
        }
        tier_tick(e);
        tier_settle(e, id, 0);
    }
    assert_int_equal(alloc.calls, before);
    tier_engine_free(e);
}

/* Fail each allocation in turn. */
static void test_shortage(void **unused)
{
    int n = 1;

    (void)unused;
    for (; n < 100; n++) {
        char err[TIER_ERR_MAX] = "";
        TierEngine *e;
        uint32_t lost = 0;

        setup(NULL);
        alloc.fail_at = n;
        probe.countdown = 5;
        e = tier_engine_new("probe", 1, NULL, err, sizeof(err));
        if (!e) {
            assert_string_equal(err,
                                "no memory for the tier engine: give it more");
            assert_int_equal(alloc.blocks, 0);
            continue;
        }
        for (uint32_t id = 0; id < 2 * TIER_CHUNK_SIZE; id++) {
            lost += translate(e, id) == TIER_NEVER_ASK;
        }
        /* Such a TB is interpreted, and counted. */
        assert_int_equal(tier_counters(e)->refused[TIER_REFUSED_UNKNOWN], lost);
        tier_engine_free(e);
        assert_int_equal(alloc.blocks, 0);
        if (alloc.calls < n) {
            break;
        }
        assert_int_equal(lost, 1);
    }
    assert_in_range(n, 5, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_flushes, setup),
        cmocka_unit_test_setup(test_invalidations, setup),
        cmocka_unit_test_setup(test_decisions_do_not_allocate, setup),
        cmocka_unit_test_setup(test_shortage, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
