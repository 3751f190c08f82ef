/*
 * Planning regions: which members are heads, what each region holds and in
 * what order, budgets. Random graphs for what must hold for all.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../region.h"
#include "../rng.h"

enum { WORDS = 10, NONE = -1, MAX_NODES = 40 };

static const TwRegionLimits generous = { 1000, 10000, 10000 };

static TwRegionNode node(int a, int b)
{
    return (TwRegionNode){ WORDS, { (uint32_t)a, (uint32_t)b, TW_NO_MEMBER } };
}

static void assert_region(const TwRegionPlan *plan, uint32_t head,
                          const uint32_t *members, uint32_t n)
{
    assert_int_equal(plan->count[head], n);
    assert_memory_equal(&plan->members[plan->start[head]], members,
                        n * sizeof(members[0]));
}

#define ASSERT_REGION(plan, head, ...) \
    assert_region(plan, head, (const uint32_t[]){ __VA_ARGS__ }, \
                  sizeof((const uint32_t[]){ __VA_ARGS__ }) / \
                      sizeof(uint32_t))

/* A chain is one region; its end, not a head, is in no other. */
static void test_chain(void **state)
{
    const TwRegionNode nodes[] = { node(1, NONE), node(2, NONE),
                                   node(NONE, NONE) };
    TwRegionPlan plan;

    (void)state;
    assert_true(tw_region_plan(nodes, 3, &generous, &plan));
    ASSERT_REGION(&plan, 0, 0, 1, 2);
    assert_int_equal(plan.count[1], 0);
    assert_int_equal(plan.count[2], 0);
    tw_region_plan_free(&plan);
}

/*
 * 0 -> 1 -> 2 -> 3 -> 1, 2 -> 2, 1 -> 4: the inner loop {2} is inside the outer
 * {1, 2, 3}, and 4 is behind it although 1 leads there first.
 */
static void test_nested_loops(void **state)
{
    const TwRegionNode nodes[] = {
        node(1, NONE), node(4, 2), node(2, 3), node(1, NONE), node(NONE, NONE),
    };
    TwRegionPlan plan;

    (void)state;
    assert_true(tw_region_plan(nodes, 5, &generous, &plan));
    ASSERT_REGION(&plan, 0, 0, 1, 2, 3, 4);
    ASSERT_REGION(&plan, 1, 1, 2, 3, 4);
    /* An inner loop's region is that loop. */
    ASSERT_REGION(&plan, 2, 2);
    assert_int_equal(plan.count[3], 0);
    assert_int_equal(plan.count[4], 0);
    tw_region_plan_free(&plan);
}

/* Members without predecessors are heads wherever they are in the group. */
static void test_roots(void **state)
{
    const TwRegionNode nodes[] = { node(1, NONE), node(NONE, NONE),
                                   node(1, NONE), node(3, NONE) };
    TwRegionPlan plan;

    (void)state;
    assert_true(tw_region_plan(nodes, 4, &generous, &plan));
    ASSERT_REGION(&plan, 0, 0, 1);
    ASSERT_REGION(&plan, 2, 2, 1);
    ASSERT_REGION(&plan, 3, 3);
    assert_int_equal(plan.count[1], 0);
    tw_region_plan_free(&plan);
}

/* A call in a loop: 0 calls 1, which returns to 2 by goto_ptr, a head. */
static void test_goto_ptr(void **state)
{
    TwRegionNode nodes[] = { node(1, NONE), node(NONE, NONE), node(0, NONE) };
    TwRegionPlan plan;

    (void)state;
    nodes[1].succ[TW_REGION_GOTO_PTR] = 2;
    assert_true(tw_region_plan(nodes, 3, &generous, &plan));
    ASSERT_REGION(&plan, 0, 0, 1, 2);
    ASSERT_REGION(&plan, 2, 2);
    assert_int_equal(plan.count[1], 0);
    tw_region_plan_free(&plan);
}

/* Two loops in a row: with no room to repeat, the first stops at the second. */
static void test_total(void **state)
{
    const TwRegionNode nodes[] = { node(0, 1), node(1, 2), node(NONE, NONE) };
    const TwRegionLimits tight = { 1000, 10000, 3 * WORDS };
    const TwRegionLimits some = { 1000, 10000, 4 * WORDS };
    TwRegionPlan plan;

    (void)state;
    assert_true(tw_region_plan(nodes, 3, &generous, &plan));
    ASSERT_REGION(&plan, 0, 0, 1, 2);
    ASSERT_REGION(&plan, 1, 1, 2);
    tw_region_plan_free(&plan);
    assert_true(tw_region_plan(nodes, 3, &tight, &plan));
    ASSERT_REGION(&plan, 0, 0);
    ASSERT_REGION(&plan, 1, 1, 2);
    tw_region_plan_free(&plan);
    assert_true(tw_region_plan(nodes, 3, &some, &plan));
    ASSERT_REGION(&plan, 0, 0, 1);
    ASSERT_REGION(&plan, 1, 1, 2);
    tw_region_plan_free(&plan);
}

/* A region that may not hold all keeps the nearest. */
static void test_region_words(void **state)
{
    const TwRegionLimits small = { 2 * WORDS, 10000, 10000 };
    TwRegionNode nodes[] = { node(1, NONE), node(2, NONE), node(NONE, NONE) };
    TwRegionPlan plan;

    (void)state;
    assert_true(tw_region_plan(nodes, 3, &small, &plan));
    ASSERT_REGION(&plan, 0, 0, 1);
    tw_region_plan_free(&plan);
    nodes[0].words = 100;
    assert_true(tw_region_plan(nodes, 3, &small, &plan));
    ASSERT_REGION(&plan, 0, 0);
    tw_region_plan_free(&plan);
}

static void test_long_chain(void **state)
{
    enum { N = 200000 };
    TwRegionNode *nodes = malloc(N * sizeof(nodes[0]));
    TwRegionPlan plan;

    (void)state;
    assert_non_null(nodes);
    for (int i = 0; i < N; i++) {
        nodes[i] = node(i + 1 < N ? i + 1 : 0, NONE);
    }
    assert_true(tw_region_plan(nodes, N, &generous, &plan));
    assert_int_equal(plan.count[0], generous.region_words / WORDS);
    assert_int_equal(plan.nmembers, plan.count[0]);
    tw_region_plan_free(&plan);
    free(nodes);
}

static bool find(const TwRegionPlan *plan, uint32_t head, uint32_t member,
                 uint32_t *place)
{
    for (uint32_t i = 0; i < plan->count[head]; i++) {
        if (plan->members[plan->start[head] + i] == member) {
            *place = i;
            return true;
        }
    }
    return false;
}

/* Is each member reachable inside the region from its head? */
static void check_reachable(const TwRegionNode *nodes, const TwRegionPlan *plan,
                            uint32_t head)
{
    bool reached[MAX_NODES] = { true };
    uint32_t n = plan->count[head], place;

    assert_int_equal(plan->members[plan->start[head]], head);
    for (uint32_t round = 0; round < n; round++) {
        for (uint32_t i = 0; i < n; i++) {
            uint32_t from = plan->members[plan->start[head] + i];

            for (int edge = 0; reached[i] && edge < TW_REGION_EDGES; edge++) {
                if (find(plan, head, nodes[from].succ[edge], &place)) {
                    reached[place] = true;
                }
            }
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        assert_true(reached[i]);
        assert_true(
            find(plan, head, plan->members[plan->start[head] + i], &place) &&
            place == i);
    }
}

static void test_random(void **state)
{
    Rng rng = { 1 };

    (void)state;
    for (int round = 0; round < 2000; round++) {
        uint32_t n = 1 + rng_below(&rng, MAX_NODES);
        TwRegionLimits limits = { 1 + rng_below(&rng, 600),
                                  1 + rng_below(&rng, 1200),
                                  rng_below(&rng, 1200) };
        uint64_t words = 0, heads = 0;
        TwRegionNode nodes[MAX_NODES];
        TwRegionPlan plan;

        for (uint32_t i = 0; i < n; i++) {
            nodes[i].words = 1 + rng_below(&rng, 40);
            for (int edge = 0; edge < TW_REGION_EDGES; edge++) {
                nodes[i].succ[edge] =
                    rng_percent(&rng, 25) ? TW_NO_MEMBER : rng_below(&rng, n);
            }
        }
        assert_true(tw_region_plan(nodes, n, &limits, &plan));
        assert_int_not_equal(plan.count[0], 0);
        for (uint32_t i = 0; i < n; i++) {
            uint64_t region = 0;

            if (!plan.count[i]) {
                continue;
            }
            check_reachable(nodes, &plan, i);
            for (uint32_t j = 0; j < plan.count[i]; j++) {
                region += nodes[plan.members[plan.start[i] + j]].words;
            }
            assert_true(plan.count[i] == 1 || region <= limits.region_words);
            words += region;
            heads += nodes[i].words;
        }
        assert_true(words <= limits.total_words ||
                    words <= limits.across_words || words <= heads);
        tw_region_plan_free(&plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain),      cmocka_unit_test(test_nested_loops),
        cmocka_unit_test(test_roots),      cmocka_unit_test(test_goto_ptr),
        cmocka_unit_test(test_total),      cmocka_unit_test(test_region_words),
        cmocka_unit_test(test_long_chain), cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
