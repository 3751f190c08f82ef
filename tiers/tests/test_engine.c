/*
 * The engine: events, guards, accounts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cmocka_all.h"

#include "probe.h"

static TierEngine *start(const char *spec)
{
    char err[TIER_ERR_MAX] = "";
    TierEngine *e;

    probe_reset();
    e = tier_engine_new(spec, 1, NULL, err, sizeof(err));
    if (!e) {
        fail_msg("%s", err);
    }
    return e;
}

static uint32_t translate(TierEngine *e, uint32_t id)
{
    TierTb facts = {
        .guest_pc = 0x1000 + 4 * id,
        .guest_page = 0x8000,
        .hash = 7,
        .id = id,
        .guest_insns = 3,
        .bytecode_bytes = 99 + 100 * id,
        .flags = 0xff,
    };

    return tier_translated(e, &facts);
}

static TierCost cost1 = {
    .tier = 1,
    .wasm_bytes = 1001,
    .table_slots = 3,
    .emit_ns = 10,
    .instantiate_ns = 91,
    .stall_ns = 81,
};

/* As tier_compiled(), each time with a module of its own. */
static uint32_t compiled(TierEngine *e, const uint32_t *ids, uint32_t n)
{
    static uint32_t module;

    cost1.module = module++;
    return tier_compiled(e, ids, n, &cost1);
}

static void test_values_arrive(void **unused)
{
    TierEngine *e = start("probe:e=first,d=-0.25,u=10");

    (void)unused;
    assert_int_equal(probe.inits, 1);
    assert_int_equal(probe.values[0].u64, 10);
    assert_true(probe.values[1].number == -0.25);
    assert_true(probe.values[2].on);
    assert_int_equal(probe.values[3].choice, 0);
    tier_engine_free(e);
    assert_int_equal(probe.finis, 1);
}

static void test_init_may_fail(void **unused)
{
    char err[TIER_ERR_MAX] = "";

    (void)unused;
    probe_reset();
    probe.init_fails = true;
    assert_null(tier_engine_new("probe", 1, NULL, err, sizeof(err)));
    assert_string_equal(err, "no memory for the tier engine: give it more");
    assert_int_equal(probe.finis, 0);
}

static void test_wrong_spec(void **unused)
{
    char err[TIER_ERR_MAX] = "";

    (void)unused;
    probe_reset();
    assert_null(tier_engine_new("prob", 1, NULL, err, sizeof(err)));
    assert_string_equal(
        err, "unknown policy 'prob': valid policies are probe, quiet");
    assert_null(tier_engine_new("probe:b=yes", 1, NULL, err, sizeof(err)));
    assert_string_equal(err, "probe: b=yes: the value must be on or off");
    assert_null(tier_engine_new("probe:e=third", 1, NULL, err, sizeof(err)));
    assert_string_equal(
        err, "probe: e=third: the value must be one of first, second");
    assert_null(tier_engine_new("probe:d=-2", 1, NULL, err, sizeof(err)));
    assert_string_equal(err,
                        "probe: d=-2: the value must be a number from -1 to 1");
    assert_int_equal(probe.inits, 0);
}

static void test_translation(void **unused)
{
    TierEngine *e = start("probe");
    const TierTbRecord *r;

    (void)unused;
    probe.countdown = 5;
    assert_int_equal(translate(e, 0), 5);
    probe.countdown = UINT32_MAX;
    assert_int_equal(translate(e, 1), TIER_MAX_COUNTDOWN);
    r = tier_tb_record(e, 0);
    assert_int_equal(r->fate, TIER_TB_LIVE);
    assert_int_equal(tier_tb_detail(e, 0)->tb.guest_pc, 0x1000);
    /* The runtime does not teach flags this way. */
    assert_int_equal(tier_tb_succ(e, 0, 0), TIER_NO_TB);
    assert_int_equal(tier_tb_detail(e, 0)->tb.flags, 0);
    assert_null(tier_tb_record(e, 2));
    assert_null(tier_tb_record(e, UINT32_MAX));
    assert_int_equal(tier_counters(e)->tbs_translated, 2);
    assert_int_equal(tier_counters(e)->translate_guest_insns, 6);
    assert_int_equal(tier_counters(e)->bytecode_bytes, 99 + 199);

    tier_linked(e, 0, 1, 1);
    assert_int_equal(tier_tb_succ(e, 0, 1), 1);
    assert_int_equal(tier_tb_succ(e, 0, 0), TIER_NO_TB);
    tier_engine_free(e);
}

static void test_ids_out_of_order(void **unused)
{
    TierEngine *e = start("probe");

    (void)unused;
    probe.countdown = 5;
    assert_int_equal(translate(e, 3), 5);
    assert_int_equal(translate(e, 2000), 5);
    assert_null(tier_tb_record(e, 1));
    assert_int_equal(translate(e, 1), 5);
    assert_int_equal(tier_tb(e, 1)->guest_pc, 0x1004);
    /* An id is given once only. */
    assert_int_equal(translate(e, 3), TIER_NEVER_ASK);
    assert_int_equal(translate(e, TIER_NO_TB), TIER_NEVER_ASK);
    assert_int_equal(tier_counters(e)->tbs_live, 3);
    tier_engine_free(e);
}

static void test_retranslation(void **unused)
{
    TierEngine *e = start("probe");
    TierTb tb = { .guest_pc = 16, .guest_page = 4096, .hash = 1 };

    (void)unused;
    tier_translated(e, &tb);
    tb.id = 1;
    tb.hash = 2; /* other code at the same place */
    tier_translated(e, &tb);
    assert_int_equal(tier_counters(e)->tbs_retranslated, 0);
    tier_flushed(e);
    tb.id = 2;
    tb.hash = 1;
    tier_translated(e, &tb);
    assert_int_equal(tier_counters(e)->tbs_retranslated, 1);
    assert_int_equal(probe.tb.flags, TIER_TB_RETRANSLATED);
    tier_engine_free(e);
}

static void test_waiting(void **unused)
{
    TierEngine *e = start("probe");
    TierDecision d;

    (void)unused;
    probe.countdown = 100;
    translate(e, 0);
    probe.ask_again = 50;
    probe.why = TIER_REFUSED_QUEUED;
    d = tier_hot(e, 0, 0);
    assert_int_equal(probe.executions, 100);
    assert_int_equal(probe.preset_n, 1);
    assert_int_equal(d.tier, 0);
    assert_int_equal(d.ask_again, 50);
    assert_int_equal(d.why, TIER_REFUSED_QUEUED);
    assert_int_equal(tier_tb_record(e, 0)->refused, TIER_REFUSED_QUEUED);

    /* Two threads raced past 0; the policy gives no reason this time. */
    probe.why = TIER_REFUSED_NONE;
    d = tier_hot(e, 0, -2);
    assert_int_equal(probe.executions, 52);
    assert_int_equal(d.why, TIER_REFUSED_POLICY);
    assert_int_equal(tier_tb_executions(e, 0), 152);
    assert_int_equal(tier_counters(e)->refused[TIER_REFUSED_QUEUED], 1);
    assert_int_equal(tier_counters(e)->refused[TIER_REFUSED_POLICY], 1);
    tier_engine_free(e);
}

static void test_group(void **unused)
{
    TierEngine *e = start("probe");
    TierDecision d;
    uint64_t ns = 0, bytes = 0;

    (void)unused;
    for (uint32_t id = 0; id < 5; id++) {
        translate(e, id);
    }
    tier_invalidated(e, 3);
    /* One dead, one twice, one unknown: three are left. */
    probe.tier = 1;
    probe.n = 6;
    memcpy(probe.ids, (uint32_t[]){ 2, 3, 0, 2, 77, 1 }, 6 * sizeof(uint32_t));
    d = tier_hot(e, 0, 0);
    assert_int_equal(d.tier, 1);
    assert_int_equal(d.n, 3);
    assert_memory_equal(d.ids, ((uint32_t[]){ 2, 0, 1 }), 12);
    assert_int_equal(tier_tb_record(e, 2)->pending, 1);
    assert_int_equal(tier_tb_tier(e, 2), 0);
    assert_int_equal(tier_counters(e)->tbs_selected, 3);
    assert_int_equal(tier_counters(e)->refused[TIER_REFUSED_UNKNOWN], 2);
    assert_int_equal(tier_counters(e)->refused[TIER_REFUSED_ALREADY], 1);

    probe.countdown = 9;
    assert_int_equal(compiled(e, d.ids, d.n), 9);
    assert_int_equal(probe.cost.wasm_bytes, 1001);
    for (uint32_t id = 0; id < 3; id++) {
        assert_int_equal(tier_tb_tier(e, id), 1);
        assert_int_equal(tier_tb_record(e, id)->pending, 0);
        ns += tier_tb_detail(e, id)->compile_ns;
        bytes += tier_tb_detail(e, id)->wasm_bytes;
    }
    /* Shares go by size and add up. */
    assert_int_equal(ns, 101);
    assert_int_equal(bytes, 1001);
    assert_in_range(tier_tb_detail(e, 0)->wasm_bytes, 166, 168);
    assert_in_range(tier_tb_detail(e, 2)->wasm_bytes, 500, 501);

    /* No member is compiled again as a function, but as part of a region. */
    d = tier_hot(e, 0, 0);
    assert_int_equal(d.tier, 0);
    assert_int_equal(d.why, TIER_REFUSED_ALREADY);
    probe.shape = TIER_REGIONS;
    d = tier_hot(e, 0, 0);
    assert_int_equal(d.tier, 1);
    assert_int_equal(d.n, 3);
    tier_engine_free(e);
}

/* What a policy chooses for a tier that the runtime lacks is not compiled. */
static void check_tier_refused(TierEngine *e, TierDecision d, unsigned times)
{
    assert_int_equal(d.tier, 0);
    assert_int_equal(d.why, TIER_REFUSED_NO_SUCH_TIER);
    for (uint32_t id = 0; id < 2; id++) {
        assert_int_equal(tier_tb_record(e, id)->refused,
                         TIER_REFUSED_NO_SUCH_TIER);
        assert_int_equal(tier_tb_record(e, id)->pending, 0);
    }
    assert_int_equal(tier_counters(e)->refused[TIER_REFUSED_NO_SUCH_TIER],
                     2 * times);
    assert_int_equal(tier_counters(e)->tbs_selected, 0);
    assert_int_equal(tier_counters(e)->groups_selected, 0);
}

static void test_no_such_tier(void **unused)
{
    TierEngine *e = start("probe");

    (void)unused;
    for (uint32_t id = 0; id < 3; id++) {
        translate(e, id);
    }
    probe.ask_again = 11;
    probe.tier = 2;
    probe.n = 2;
    memcpy(probe.ids, (uint32_t[]){ 0, 1 }, 2 * sizeof(uint32_t));
    check_tier_refused(e, tier_hot(e, 0, 0), 1);
    check_tier_refused(e, tier_tick(e), 2);
    assert_int_equal(tier_hot(e, 0, 0).ask_again, 11);

    probe.tier = 1;
    assert_int_equal(tier_hot(e, 0, 0).tier, 1);
    tier_engine_free(e);
}

static void test_failure(void **unused)
{
    TierEngine *e = start("probe");
    TierDecision d;

    (void)unused;
    translate(e, 0);
    probe.tier = 1;
    d = tier_hot(e, 0, 0);
    assert_int_equal(d.n, 1);
    /* While it is being compiled it is not chosen again. */
    assert_int_equal(tier_hot(e, 0, 0).why, TIER_REFUSED_ALREADY);
    probe.countdown = 33;
    assert_int_equal(
        tier_failed(e, (uint32_t[]){ 0 }, 1, TIER_REFUSED_TOO_LARGE), 33);
    assert_int_equal(probe.failed_why, TIER_REFUSED_TOO_LARGE);
    assert_int_equal(tier_tb_record(e, 0)->refused, TIER_REFUSED_TOO_LARGE);
    assert_int_equal(tier_counters(e)->refused[TIER_REFUSED_TOO_LARGE], 1);
    assert_int_equal(tier_counters(e)->tbs_compiled, 0);
    /* Afterwards it may be. */
    assert_int_equal(tier_hot(e, 0, 0).tier, 1);
    tier_engine_free(e);
}

static void test_modules_and_slots(void **unused)
{
    TierEngine *e = start("probe");
    const TierCounters *c = tier_counters(e);

    (void)unused;
    for (uint32_t id = 0; id < 4; id++) {
        translate(e, id);
        compiled(e, &id, 1);
    }
    assert_int_equal(c->modules_alive, 4);
    assert_int_equal(c->table_slots_used, 12);
    tier_module_retired(e, tier_tb_record(e, 0)->module);
    probe.countdown = 8;
    assert_int_equal(tier_demoted(e, 0, TIER_REFUSED_NONE), 8);
    assert_int_equal(tier_tb_tier(e, 0), 0);
    assert_int_equal(probe.demoted, 1);
    assert_int_equal(tier_tb_record(e, 0)->refused, TIER_REFUSED_NONE);
    assert_int_equal(c->modules_alive, 3);
    assert_int_equal(c->modules_alive_max, 4);
    assert_int_equal(c->modules_retired, 1);
    assert_int_equal(c->table_slots_used, 9);
    assert_int_equal(c->table_slots_used_max, 12);
    assert_int_equal(c->worst_stall_ns, 81);
    assert_int_equal(c->wasm_bytes, 4004);
    assert_int_equal(c->emit_ns, 40);
    assert_int_equal(c->instantiate_ns, 364);
    assert_int_equal(tier_tb_detail(e, 1)->compile_ns, 101);
    tier_engine_free(e);
}

/* One thread installed the module, another one's engine refuses it. */
static void test_refused_later(void **unused)
{
    TierEngine *e = start("probe");
    const TierCounters *c = tier_counters(e);

    (void)unused;
    for (uint32_t id = 0; id < 2; id++) {
        translate(e, id);
    }
    compiled(e, (uint32_t[]){ 0, 1 }, 2);
    for (uint32_t id = 0; id < 2; id++) {
        tier_demoted(e, id, TIER_REFUSED_ENGINE_REFUSED);
        assert_int_equal(tier_tb_tier(e, id), 0);
        assert_int_equal(tier_tb_record(e, id)->refused,
                         TIER_REFUSED_ENGINE_REFUSED);
    }
    assert_int_equal(c->tbs_demoted, 2);
    assert_int_equal(c->refused[TIER_REFUSED_ENGINE_REFUSED], 2);
    tier_engine_free(e);
}

static void test_executions(void **unused)
{
    TierEngine *e = start("probe");

    (void)unused;
    probe.countdown = 100;
    translate(e, 0);
    tier_settle(e, 0, 60);
    assert_int_equal(tier_tb_executed(e, 0, 0), 40);
    tier_settle(e, 0, 60);
    assert_int_equal(tier_tb_executed(e, 0, 0), 40);
    /* Another thread wrote an older countdown back: nothing is known of it. */
    tier_settle(e, 0, 70);
    assert_int_equal(tier_tb_executed(e, 0, 0), 40);
    tier_settle(e, 0, 60);
    assert_int_equal(tier_tb_executed(e, 0, 0), 50);
    /* Compiled meanwhile: what the old countdown still shows is of tier 0. */
    compiled(e, (uint32_t[]){ 0 }, 1);
    assert_int_equal(tier_rearm(e, 0, 50, 500), 500);
    assert_int_equal(tier_tb_executed(e, 0, 0), 60);
    tier_settle(e, 0, 490);
    assert_int_equal(tier_tb_executed(e, 0, 0), 60);
    assert_int_equal(tier_tb_executed(e, 0, 1), 10);
    tier_executed(e, 0, 1, 7);
    assert_int_equal(tier_tb_executed(e, 0, 1), 17);
    assert_int_equal(tier_tb_executions(e, 0), 77);
    assert_int_equal(tier_counters(e)->exec_tier1, 17);
    assert_int_equal(tier_counters(e)->guest_insns_tier1, 51);
    assert_int_equal(tier_counters(e)->guest_insns_tier0, 180);

    /* The entry that asks is executed where the runtime says. */
    probe.countdown = 10;
    probe.tier = 1;
    for (uint32_t id = 2; id < 4; id++) {
        TierCost cost = { .tier = 1, .at_once = id == 2 };

        translate(e, id);
        tier_hot(e, id, 0);
        cost.module = 1000 + id;
        tier_compiled(e, &id, 1, &cost);
        cost.module = 2000 + id;
        tier_compiled(e, &id, 1, &cost);
        assert_int_equal(tier_tb_executed(e, id, 0), id == 2 ? 9 : 10);
    }
    assert_int_equal(tier_counters(e)->exec_tier0, 60 + 9 + 10);
    assert_int_equal(tier_counters(e)->guest_insns_tier0, 180 + 27 + 30);

    /* A countdown that never asks goes down from 0. */
    probe.countdown = TIER_NEVER_ASK;
    translate(e, 1);
    tier_settle(e, 1, -12345);
    tier_settle(e, 1, -12346);
    assert_int_equal(tier_tb_executed(e, 1, 0), 12346);
    tier_engine_free(e);
}

static void test_ends(void **unused)
{
    TierEngine *e = start("probe");
    const TierTbRecord *r;

    (void)unused;
    for (uint32_t id = 0; id < 3; id++) {
        translate(e, id);
    }
    compiled(e, (uint32_t[]){ 0, 1 }, 2);
    tier_invalidated(e, 0);
    assert_int_equal(probe.invalidated, 1);
    assert_int_equal(probe.tb.id, 0);
    tier_invalidated(e, 0); /* again is nothing */
    assert_int_equal(probe.invalidated, 1);
    r = tier_tb_record(e, 0);
    assert_int_equal(r->fate, TIER_TB_INVALIDATED);
    assert_int_equal(r->tier, 0);
    assert_null(tier_tb(e, 0));
    assert_int_equal(tier_counters(e)->tbs_live, 2);

    tier_flushed(e);
    assert_int_equal(probe.flushed, 1);
    assert_int_equal(tier_tb_record(e, 1)->fate, TIER_TB_FLUSHED);
    assert_int_equal(tier_counters(e)->tbs_live, 0);
    assert_int_equal(tier_counters(e)->tbs_invalidated, 1);

    /* Late news of the dead do no harm. */
    assert_int_equal(tier_hot(e, 1, 0).why, TIER_REFUSED_UNKNOWN);
    assert_int_equal(tier_hot(e, 99, 0).why, TIER_REFUSED_UNKNOWN);
    compiled(e, (uint32_t[]){ 1, 2 }, 2);
    assert_int_equal(tier_counters(e)->tbs_compiled, 2);
    tier_settle(e, 1, 5);
    tier_linked(e, 1, 0, 2);
    assert_int_equal(tier_demoted(e, 1, TIER_REFUSED_NONE), TIER_NEVER_ASK);
    assert_int_equal(tier_rearm(e, 1, 0, 4), 4);
    tier_engine_free(e);
}

static void test_ticks(void **unused)
{
    TierEngine *e = start("probe");
    TierDecision d;

    (void)unused;
    translate(e, 0);
    d = tier_tick(e);
    assert_int_equal(d.tier, 0);
    assert_int_equal(probe.preset_n, 0);
    probe.tier = 1;
    probe.n = 1;
    probe.ids[0] = 0;
    d = tier_tick(e);
    assert_int_equal(d.tier, 1);
    assert_int_equal(d.n, 1);
    assert_int_equal(tier_counters(e)->ticks, 2);
    tier_engine_free(e);
}

static uint64_t clock_of(void *opaque)
{
    uint64_t *ns = opaque;

    return *ns += 10;
}

static void test_clock(void **unused)
{
    uint64_t ns = 1000;
    TierHost host = { .opaque = &ns, .now_ns = clock_of };
    char err[TIER_ERR_MAX];
    TierEngine *e;

    (void)unused;
    probe_reset();
    e = tier_engine_new("probe", 5, &host, err, sizeof(err));
    assert_non_null(e);
    assert_int_equal(tier_now_ns(e), 1010);
    assert_int_equal(tier_seed(e), 5);
    translate(e, 0);
    tier_hot(e, 0, 0);
    tier_tick(e);
    assert_int_equal(tier_counters(e)->decisions_ns, 20);
    tier_engine_free(e);
}

static void test_defaults(void **unused)
{
    TierEngine *e = start("quiet");
    TierDecision d;

    (void)unused;
    assert_int_equal(translate(e, 0), TIER_NEVER_ASK);
    d = tier_hot(e, 0, -3);
    assert_int_equal(d.tier, 0);
    assert_int_equal(d.ask_again, TIER_NEVER_ASK);
    assert_int_equal(d.why, TIER_REFUSED_POLICY);
    assert_int_equal(tier_tick(e).tier, 0);
    assert_int_equal(compiled(e, (uint32_t[]){ 0 }, 1), TIER_NEVER_ASK);
    assert_int_equal(tier_failed(e, (uint32_t[]){ 0 }, 1, TIER_REFUSED_STALE),
                     TIER_NEVER_ASK);
    assert_int_equal(tier_demoted(e, 0, TIER_REFUSED_NONE), TIER_NEVER_ASK);
    tier_invalidated(e, 0);
    tier_flushed(e);
    tier_engine_free(e);
}

static void test_counters_merge(void **unused)
{
    TierCounters a, b;

    (void)unused;
    tier_counters_init(&a);
    tier_counters_init(&b);
    assert_true(a.first_insn_epoch_ms == TIER_UNMEASURED);
    a.exits_exit_tb = 5;
    b.exits_exit_tb = 6;
    a.worst_stall_ns = 9;
    b.worst_stall_ns = 8;
    b.memory_bytes = 77;
    a.code_buffer_bytes = 3;
    b.refused[TIER_REFUSED_STALE] = 2;
    tier_counters_add(&a, &b);
    assert_int_equal(a.exits_exit_tb, 11);
    assert_int_equal(a.worst_stall_ns, 9);
    assert_int_equal(a.memory_bytes, 77);
    assert_int_equal(a.code_buffer_bytes, 3);
    assert_int_equal(a.refused[TIER_REFUSED_STALE], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_arrive),
        cmocka_unit_test(test_init_may_fail),
        cmocka_unit_test(test_wrong_spec),
        cmocka_unit_test(test_translation),
        cmocka_unit_test(test_ids_out_of_order),
        cmocka_unit_test(test_retranslation),
        cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_group),
        cmocka_unit_test(test_no_such_tier),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_modules_and_slots),
        cmocka_unit_test(test_refused_later),
        cmocka_unit_test(test_executions),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_ticks),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_counters_merge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
