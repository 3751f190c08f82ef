/*
 * The choice of a section of the code buffer, by every buffer policy.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cmocka_all.h"

#include "../engine.h"
#include "../seen.h"

static TierEngine *start(const char *spec)
{
    char err[TIER_ERR_MAX] = "";
    TierEngine *e = tier_engine_new(spec, 1, NULL, err, sizeof(err));

    if (!e) {
        fail_msg("%s", err);
    }
    return e;
}

static void translate(TierEngine *e, uint32_t id, uint32_t section)
{
    TierTb facts = {
        .guest_pc = 0x1000 + 4 * id,
        .hash = 7 + id,
        .id = id,
        .section = section,
        .guest_insns = 3,
        .bytecode_bytes = 200,
        .translate_ns = 10,
    };

    tier_translated(e, &facts);
}

/* @id is entered @n times in tier 0. */
static void enter(TierEngine *e, uint32_t id, uint32_t n)
{
    uint32_t armed = tier_tb_record(e, id)->armed;

    tier_settle(e, id, (int32_t)(armed - n));
}

static void compile(TierEngine *e, const uint32_t *ids, uint32_t n,
                    uint32_t module, TierShape shape)
{
    TierCost cost = {
        .tier = 1,
        .shape = shape,
        .module = module,
        .wasm_bytes = 100,
        .table_slots = n,
    };
    TierRefusal why;

    assert_true(tier_make_room(e, n, 100, &why));
    tier_compiled(e, ids, n, &cost);
}

/* The first three are the older half; of these, 2 was filled first. */
static const TierSection FULL[] = {
    { .index = 5, .filled = 30 }, { .index = 2, .filled = 10 },
    { .index = 9, .filled = 20 }, { .index = 0, .filled = 40 },
    { .index = 1, .filled = 50 }, { .index = 3, .filled = 60 },
};

enum { N = 6 };

/* Two TBs in each, id / 2 is the index into FULL. */
static TierEngine *filled(const char *spec, TierSection *full)
{
    TierEngine *e = start(spec);

    for (uint32_t id = 0; id < 2 * N; id++) {
        translate(e, id, FULL[id / 2].index);
    }
    memcpy(full, FULL, sizeof(FULL));
    return e;
}

static void test_flush_all(void **unused)
{
    TierSection full[N];
    TierEngine *e = filled("never:buffer=flush-all", full);

    (void)unused;
    assert_int_equal(tier_choose_section(e, full, N), TIER_WHOLE_BUFFER);
    assert_int_equal(tier_counters(e)->sections_evicted, 0);
    tier_engine_free(e);
}

static void test_oldest_is_the_default(void **unused)
{
    TierSection full[N];
    TierEngine *e = filled("never", full);

    (void)unused;
    assert_ptr_equal(tier_engine_spec(e)->buffer, &tier_buffer_oldest);
    assert_int_equal(tier_choose_section(e, full, N), 1);
    assert_int_equal(tier_counters(e)->sections_evicted, 1);
    /* No section can be evicted. */
    assert_int_equal(tier_choose_section(e, full, 0), TIER_WHOLE_BUFFER);
    assert_int_equal(tier_counters(e)->sections_evicted, 1);
    tier_engine_free(e);
}

static void test_facts_are_since_the_last_choice(void **unused)
{
    TierSection full[N];
    TierEngine *e = filled("never:buffer=least-used", full);

    (void)unused;
    for (uint32_t id = 0; id < 2 * N; id++) {
        enter(e, id, 200 - 10 * id);
    }
    /* The younger half was used less, and is spared. */
    assert_int_equal(tier_choose_section(e, full, N), 2);
    for (uint32_t i = 0; i < N; i++) {
        assert_int_equal(full[i].interpreted, 2 * (200 - 20 * i) - 10);
        assert_int_equal(full[i].tbs, 2);
        assert_int_equal(full[i].compiled, 0);
    }
    enter(e, 1, 5);
    enter(e, 2, 4);
    enter(e, 4, 6);
    assert_int_equal(tier_choose_section(e, full, N), 1);
    assert_int_equal(full[0].interpreted, 5);
    assert_int_equal(full[1].interpreted, 4);
    assert_int_equal(full[2].interpreted, 6);
    /* All are equal: the one that was filled first. */
    assert_int_equal(tier_choose_section(e, full, N), 1);
    tier_engine_free(e);
}

static void test_compiled_code_counts_as_used(void **unused)
{
    static const uint32_t member = 2;
    TierSection full[N];
    TierEngine *e = filled("never:buffer=least-used", full);

    (void)unused;
    compile(e, &member, 1, 0, TIER_FUNCTIONS);
    enter(e, 0, 600);
    enter(e, 4, 500);
    assert_int_equal(tier_choose_section(e, full, N), 2);
    assert_int_equal(full[1].compiled, 1);
    tier_engine_free(e);
}

static void test_dead_tbs_do_not_count(void **unused)
{
    TierSection full[N];
    TierEngine *e = filled("never:buffer=least-used", full);

    (void)unused;
    enter(e, 0, 10);
    enter(e, 2, 900);
    enter(e, 4, 20);
    tier_invalidated(e, 2);
    assert_int_equal(tier_choose_section(e, full, N), 1);
    assert_int_equal(full[1].tbs, 1);
    assert_int_equal(full[1].interpreted, 0);
    tier_engine_free(e);
}

static void test_eviction_ends_tbs_and_regions(void **unused)
{
    static const uint32_t members[] = { 1, 2, 4 };
    TierSection full[N];
    TierEngine *e = filled("never", full);
    const TierCounters *c = tier_counters(e);
    TierModuleEvent event;

    (void)unused;
    compile(e, members, 3, 0, TIER_REGIONS);
    tier_evicted(e, 2);
    tier_evicted(e, 3);
    assert_true(tier_next_event(e, &event));
    assert_int_equal(event.kind, TIER_MODULE_RETIRE);
    assert_int_equal(tier_tb_record(e, 2)->fate, TIER_TB_EVICTED);
    assert_int_equal(c->tbs_evicted, 2);
    assert_int_equal(c->tbs_invalidated, 0);
    assert_int_equal(c->tbs_live, 2 * N - 2);
    tier_engine_free(e);
}

static void test_translating_again_is_timed(void **unused)
{
    TierEngine *e = start("never");
    TierTb facts = { .guest_pc = 0x1000, .hash = 9, .translate_ns = 10 };
    const TierCounters *c = tier_counters(e);

    (void)unused;
    tier_translated(e, &facts);
    tier_evicted(e, 0);
    assert_int_equal(c->retranslate_ns, 0);
    facts.id = 1;
    facts.translate_ns = 12;
    tier_translated(e, &facts);
    assert_int_equal(c->tbs_retranslated, 1);
    assert_int_equal(c->retranslate_ns, 12);
    assert_int_equal(c->translate_ns, 22);
    tier_engine_free(e);
}

static void test_set_of_code_grows_to_its_bound(void **unused)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    TierSeen seen;
    uint32_t again = 0;

    (void)unused;
    assert_true(tier_seen_init(&seen));
    for (uint64_t i = 1; i <= TIER_SEEN_MAX; i++) {
        assert_false(tier_seen_add(&seen, i * odd));
    }
    for (uint64_t i = 1; i <= TIER_SEEN_MAX; i++) {
        again += tier_seen_add(&seen, i * odd);
    }
    assert_int_equal(again, TIER_SEEN_MAX);
    assert_int_equal(seen.nb_slots, TIER_SEEN_MAX_SLOTS);
    /* One more is not learned. */
    assert_false(tier_seen_add(&seen, (TIER_SEEN_MAX + 1) * odd));
    assert_false(tier_seen_add(&seen, (TIER_SEEN_MAX + 1) * odd));
    tier_seen_free(&seen);
}

static void test_names_are_declared(void **unused)
{
    (void)unused;
    for (unsigned i = 0; tier_buffers[i]; i++) {
        assert_true(tier_buffer_names[i][0]);
        assert_true(tier_buffers[i]->summary && tier_buffers[i]->source);
        assert_null(strchr(tier_buffers[i]->summary, '\n'));
        for (unsigned k = 0; k < i; k++) {
            assert_string_not_equal(tier_buffer_names[i], tier_buffer_names[k]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flush_all),
        cmocka_unit_test(test_oldest_is_the_default),
        cmocka_unit_test(test_facts_are_since_the_last_choice),
        cmocka_unit_test(test_compiled_code_counts_as_used),
        cmocka_unit_test(test_dead_tbs_do_not_count),
        cmocka_unit_test(test_eviction_ends_tbs_and_regions),
        cmocka_unit_test(test_translating_again_is_timed),
        cmocka_unit_test(test_set_of_code_grows_to_its_bound),
        cmocka_unit_test(test_names_are_declared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
