/*
 * Policies that compile groups: who is in them, when, in what order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cmocka_all.h"

#include <stdio.h>

#include "../group.h"
#include "../rng.h"
#include "play.h"

static Play play;

static void start(const char *spec, uint32_t tbs)
{
    play_start(&play, spec, 1);
    for (uint32_t i = 0; i < tbs; i++) {
        play_translate(&play);
    }
}

static void finish(void)
{
    play_settle(&play);
    play_check(&play);
    play_free(&play);
}

#define assert_group(...) \
    do { \
        const uint32_t ids[] = { __VA_ARGS__ }; \
        assert_int_equal(play.last_group, sizeof(ids) / sizeof(ids[0])); \
        assert_memory_equal(play.last_ids, ids, sizeof(ids)); \
    } while (0)

/* As compositions make them, and what can and what cannot be packed. */
enum { RANKS_BY_HEAT, RANKS_BY_PAGE, RANKS_WIDE, RANKS_SECOND, NB_RANKS };

static TierRank make_rank(unsigned kind, uint32_t id, TierRng *rng)
{
    uint64_t key = tier_rng_u64(rng) % 10;

    switch (kind) {
    case RANKS_BY_HEAT:
        return (TierRank){ UINT64_MAX - key, 0, id };
    case RANKS_BY_PAGE:
        return (TierRank){ key << 12, tier_rng_u64(rng) % 3, id };
    case RANKS_WIDE:
        return (TierRank){ key << 31, 0, id };
    default:
        return (TierRank){ 1, key << 60, id };
    }
}

static void check_sort(unsigned kind, uint32_t n, TierRng *rng)
{
    static TierRank ranks[1000], given[1000];
    static uint64_t spare[2048];

    assert_true(tier_rank_spare(n) <= sizeof(spare) / sizeof(spare[0]));
    for (uint32_t i = 0; i < n; i++) {
        given[i] = make_rank(kind, i, rng);
        ranks[(n - i) * 7 % n] = given[i]; /* n is not a multiple of 7 */
    }
    tier_rank_sort(ranks, n, spare);
    for (uint32_t i = 0; i < n; i++) {
        const TierRank *a = &ranks[i > 0 ? i - 1 : 0], *b = &ranks[i];

        assert_int_equal(b->first, given[b->id].first);
        assert_int_equal(b->second, given[b->id].second);
        assert_true(i == 0 || a->first < b->first ||
                    (a->first == b->first &&
                     (a->second < b->second ||
                      (a->second == b->second && a->id < b->id))));
    }
}

static void test_sort(void **unused)
{
    static const uint32_t sizes[] = { 0, 1, 2, 3, 5, 8, 64, 65, 128, 701 };
    TierRng rng;

    (void)unused;
    tier_rng_seed(&rng, 3);
    for (unsigned kind = 0; kind < NB_RANKS; kind++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            check_sort(kind, sizes[i], &rng);
        }
    }
}

static void test_share(void **unused)
{
    (void)unused;
    assert_int_equal(tier_share_of(0.25, 100), 25);
    assert_int_equal(tier_share_of(0, 100), 1);
    assert_int_equal(tier_share_of(1, UINT32_MAX), UINT32_MAX);
}

static void test_batch_by_size(void **unused)
{
    (void)unused;
    start("batch:n=10,size=3,by=heat", 5);
    play_enter(&play, 4, 30);
    play_enter(&play, 1, 20);
    assert_int_equal(play.modules, 0);
    assert_int_equal(tier_tb_record(play.engine, 1)->refused,
                     TIER_REFUSED_QUEUED);
    play_enter(&play, 2, 10);
    assert_group(4, 1, 2); /* the hottest first */
    assert_int_equal(play.tbs[4].entries1, 0);
    assert_int_equal(play.tbs[2].entries1, 1);
    /* Nothing is compiled twice, nor does anybody wait. */
    play_enter(&play, 4, 100);
    assert_int_equal(play_tick(&play, 1000), 0);
    assert_int_equal(play.modules, 1);
    finish();
}

static void test_batch_by_time(void **unused)
{
    (void)unused;
    start("batch:n=10,size=3,by=heat,wait=50", 5);
    play_enter(&play, 3, 10);
    assert_int_equal(play_tick(&play, 49), 0);
    play_enter(&play, 0, 10);
    assert_int_equal(play_tick(&play, 1), 1);
    assert_group(0, 3); /* equally hot: in the order of translation */
    finish();
}

static void test_batch_by_edges(void **unused)
{
    (void)unused;
    start("batch:n=100,size=2,by=edges,share=0.25,max=8", 9);
    /* 5 -> 3 -> 1, 8 -> 5; 7 is hot on its own; 6 is too cold for 5 -> 6. */
    play_enter(&play, 3, 25);
    play_enter(&play, 1, 26);
    play_enter(&play, 6, 24);
    play_enter(&play, 8, 40);
    play_link(&play, 5, 0, 3);
    play_link(&play, 5, 1, 6);
    play_link(&play, 3, 0, 1);
    play_link(&play, 8, 0, 5);
    play_enter(&play, 5, 150);
    play_enter(&play, 7, 100);
    assert_group(5, 3, 8, 1, 7);
    finish();
}

/* Those that wait have their places before neighbours do. */
static void test_batch_leaves_room(void **unused)
{
    (void)unused;
    start("batch:n=100,size=3,by=edges,share=0.1,max=4", 9);
    for (uint32_t id = 3; id < 9; id++) {
        play_enter(&play, id, 50);
        play_link(&play, id == 8 ? 0 : id - 1, id & 1, id);
    }
    play_link(&play, 0, 0, 3);
    play_link(&play, 0, 1, 4);
    play_enter(&play, 0, 300);
    play_enter(&play, 1, 200);
    play_enter(&play, 2, 100);
    assert_int_equal(play.last_group, 4);
    assert_int_equal(play.last_ids[0], 0);
    assert_true(play.tbs[1].compiled && play.tbs[2].compiled);
    finish();
}

static void test_batch_by_page(void **unused)
{
    (void)unused;
    play_start(&play, "batch:n=10,size=4,by=page", 1);
    play_translate_at(&play, 0x5008, 1);
    play_translate_at(&play, 0x3000, 2);
    play_translate_at(&play, 0x5000, 3);
    play_translate_at(&play, 0x4000, 4);
    for (uint32_t id = 0; id < 4; id++) {
        play_enter(&play, id, 10 + id);
    }
    assert_group(1, 3, 2, 0);
    finish();
}

/* One that spoils a group does not spoil it for ever. */
static void test_batch_failure(void **unused)
{
    (void)unused;
    start("batch:n=10,size=2,by=heat", 2);
    play.fail = TIER_REFUSED_TOO_LARGE;
    play_enter(&play, 0, 10);
    play_enter(&play, 1, 10);
    assert_int_equal(play.last_group, 2);
    play_enter(&play, 0, 10);
    assert_group(0);
    play_enter(&play, 0, 1000);
    play.fail = TIER_REFUSED_NONE;
    play_enter(&play, 1, 10);
    assert_group(1);
    assert_true(play.tbs[1].compiled && !play.tbs[0].compiled);
    finish();

    /* Other reasons pass: the group again. */
    start("batch:n=10,size=2,by=heat", 2);
    play.fail = TIER_REFUSED_ENGINE_REFUSED;
    play_enter(&play, 0, 10);
    play_enter(&play, 1, 10);
    play.fail = TIER_REFUSED_NONE;
    play_enter(&play, 0, 20);
    play_enter(&play, 1, 20);
    assert_int_equal(play.last_group, 2);
    assert_true(play.tbs[0].compiled && play.tbs[1].compiled);
    finish();
}

/* TBs that die while they wait, and a flush, leave nothing behind. */
static void test_batch_deaths(void **unused)
{
    (void)unused;
    start("batch:n=10,size=3,by=heat,wait=5", 4);
    play_enter(&play, 0, 10);
    play_enter(&play, 1, 10);
    play_invalidate(&play, 0);
    play_enter(&play, 2, 10);
    assert_group(1, 2);
    play_enter(&play, 3, 10);
    play_flush(&play);
    assert_int_equal(play_tick(&play, 100), 0);
    play_enter(&play, play_translate(&play), 10);
    assert_int_equal(play_tick(&play, 100), 1);
    assert_group(4);
    finish();
}

/*
 * A program of many small loops at the default setting: the figure for
 * occupancy is 24.
 */
static void test_batch_occupancy(void **unused)
{
    const TierCounters *c;
    TierRng rng;

    (void)unused;
    start("batch", 4000);
    tier_rng_seed(&rng, 1);
    for (uint32_t id = 0; id + 4 < 4000; id++) {
        play_link(&play, id, 0, id + 1);
        play_link(&play, id, 1, id - id % 4);
    }
    for (uint32_t step = 0; step < 20000; step++) {
        uint32_t loop = (uint32_t)(tier_rng_u64(&rng) % 1000);

        for (uint32_t i = 0; i < 4; i++) {
            play_enter(&play, 4 * loop + i, 1 + loop % 100);
        }
        play_tick(&play, step % 8 == 0);
    }
    c = tier_counters(play.engine);
    assert_true(c->tbs_compiled > 2000);
    assert_true(c->tbs_compiled >= 24 * c->modules_installed);
    finish();
}

static void test_region(void **unused)
{
    (void)unused;
    start("region:n=100,size=2,share=0.1,max=3", 9);
    play_enter(&play, 1, 10);
    play_enter(&play, 2, 11);
    play_enter(&play, 3, 12);
    play_enter(&play, 4, 9);
    play_link(&play, 0, 0, 1);
    play_link(&play, 1, 0, 2);
    play_link(&play, 2, 0, 3); /* would be the fourth */
    play_link(&play, 8, 0, 4); /* too cold */
    play_enter(&play, 0, 110);
    play_enter(&play, 8, 100);
    assert_int_equal(play.last_shape, TIER_REGIONS);
    assert_group(0, 1, 2, 8);
    finish();
}

static void test_page_heat(void **unused)
{
    const TierValue *common;

    (void)unused;
    /* A grain is 100 instructions, which are 20 executions. */
    play_start(&play, "page-heat:heat=6400,pages=2", 1);
    common = tier_engine_spec(play.engine)->common;
    assert_int_equal(common[TIER_COMMON_MAX_MODULES].u64, 900);
    assert_ptr_equal(tier_engine_spec(play.engine)->eviction,
                     &tier_eviction_flush_all);
    for (uint64_t pc = 0x1000; pc < 0x5000; pc += 0x400) {
        play_translate_at(&play, pc, pc);
    }
    play_enter(&play, 1, 1); /* of the page, executed */
    play_enter(&play, 5, 3); /* of the next page */
    play_enter(&play, 9, 3); /* of a third */
    play_link(&play, 0, 0, 5);
    play_link(&play, 0, 1, 9);
    play_enter(&play, 0, 6400 / 5 - 20);
    assert_int_equal(play.modules, 0);
    play_enter(&play, 0, 40);
    assert_group(1, 0, 5); /* two pages, without what was not executed */

    /* What is compiled no longer heats its page; the rest does. */
    play_enter(&play, 0, 100000);
    assert_int_equal(play.modules, 1);
    play_enter(&play, 2, 600);
    play_invalidate(&play, 3);
    assert_int_equal(play.modules, 1);
    play_enter(&play, 2, 720);
    assert_group(2);
    finish();
}

static void test_queue_scaled(void **unused)
{
    (void)unused;
    start("queue-scaled:inv=200,min-inv=100,comp=500,back=1000,size=8,"
          "feedback=1,wait=10",
          9);
    play_enter(&play, 0, 199);
    play_tick(&play, 50);
    assert_int_equal(play.modules, 0);
    play_enter(&play, 0, 1);
    play_tick(&play, 50);
    assert_group(0);

    /* One in the queue doubles the thresholds. */
    play_enter(&play, 1, 200);
    play_enter(&play, 2, 399);
    play_tick(&play, 10);
    assert_group(1);
    play_enter(&play, 3, 200);
    play_enter(&play, 2, 1);
    play_tick(&play, 10);
    assert_group(2, 3);

    /* 5 loops to itself after 4: its entries are those of 4. */
    play_link(&play, 4, 0, 5);
    play_link(&play, 5, 1, 5);
    play_enter(&play, 4, 90);
    play_enter(&play, 5, 900);
    play_tick(&play, 10);
    assert_false(play.tbs[5].compiled);
    play_enter(&play, 5, 200);
    play_tick(&play, 10);
    assert_group(5); /* over back */

    /* 7 goes back to 6: entries over min-inv, with iterations over comp. */
    play_link(&play, 7, 0, 6);
    play_enter(&play, 7, 150);
    play_enter(&play, 6, 299);
    assert_int_equal(play_tick(&play, 10), 0);
    play_enter(&play, 6, 300);
    play_tick(&play, 10);
    assert_group(6);
    finish();
}

static void test_cost_benefit(void **unused)
{
    const double ns = 9 * PLAY_INSNS;
    /* 400 bytes at 60 us/KiB, against 3/4 of 45 ns. */
    const uint32_t pays = (uint32_t)(400 * 60000.0 / 1024 / (ns * 3 / 4));

    (void)unused;
    start("cost-benefit:size=1", 3);
    play_enter(&play, 0, pays - 1);
    assert_int_equal(play.modules, 0);
    play_enter(&play, 0, pays / 4);
    assert_int_equal(play.modules, 1);
    assert_int_equal(play.last_shape, TIER_FUNCTIONS);
    /* A region pays later, if executions are counted. */
    play_enter(&play, 0, 20 * pays);
    assert_int_equal(play_tick(&play, 1), 0);
    play_report(&play);
    assert_int_equal(play_tick(&play, 1), 1);
    assert_int_equal(play.last_shape, TIER_REGIONS);
    assert_group(0);
    finish();

    /* Real costs are learned: 32 us for one TB is more. */
    start("cost-benefit:size=1,cost=1,region-cost=1000000", 60);
    for (uint32_t id = 0; id < 50; id++) {
        play_enter(&play, id, 3000);
    }
    assert_true(play.tbs[20].entries0 > 5 * play.tbs[0].entries0);
    finish();

    /* What saves nothing is never asked about. */
    start("cost-benefit:speed=1,region-speed=1", 1);
    assert_int_equal(play.tbs[0].countdown, TIER_NEVER_ASK);
    finish();
}

static void test_priority(void **unused)
{
    (void)unused;
    start("priority:n=10,size=2,wait=20,share=0.1,half-life=100", 8);
    play_enter(&play, 3, 10);
    play_enter(&play, 4, 40);
    play_enter(&play, 5, 20);
    assert_int_equal(play.modules, 0);
    assert_int_equal(play_tick(&play, 1), 1);
    assert_group(4, 5); /* two of the hottest; three wait */

    /* One waits for time; and the credit of 0.1 ms was spent on 32 us. */
    assert_int_equal(play_tick(&play, 19), 0);
    assert_int_equal(play_tick(&play, 1), 1);
    assert_group(3);
    finish();
}

/* Heat is halved while a TB waits for credit, so that newer heat wins. */
static void test_priority_ages(void **unused)
{
    (void)unused;
    start("priority:n=10,size=1,wait=1000,share=0.001,half-life=10", 8);
    play_enter(&play, 0, 10);
    assert_int_equal(play_tick(&play, 1), 1); /* 1 us credit, 31 us debt */
    play_enter(&play, 1, 80);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(play_tick(&play, 10), 0);
    }
    play_enter(&play, 2, 20);
    assert_int_equal(play_tick(&play, 5), 1);
    assert_group(2);
    finish();
}

static void test_tiered(void **unused)
{
    (void)unused;
    start("tiered:n=10,n2=100,size=2,max=2", 4);
    play_enter(&play, 0, 10);
    play_enter(&play, 1, 10);
    assert_int_equal(play.last_shape, TIER_FUNCTIONS);
    assert_group(0, 1);
    play_enter(&play, 0, 100);
    play_enter(&play, 1, 98);
    play_report(&play);
    assert_int_equal(play_tick(&play, 1), 0);
    play_enter(&play, 1, 2);
    play_report(&play);
    assert_int_equal(play_tick(&play, 1), 1);
    assert_int_equal(play.last_shape, TIER_REGIONS);
    assert_int_equal(play.last_group, 2);
    /* The functions have no members any more. */
    assert_false(play.module[0].alive);
    assert_int_equal(tier_tb_record(play.engine, 0)->shape, TIER_REGIONS);
    assert_int_equal(tier_counters(play.engine)->modules_dead, 1);
    play_enter(&play, 0, 100000);
    play_report(&play);
    assert_int_equal(play_tick(&play, 100), 0);
    finish();

    /* A runtime that does not count there is not held up. */
    start("tiered:n=10,n2=100,size=1", 1);
    play_enter(&play, 0, 100000);
    assert_int_equal(play_tick(&play, 100), 0);
    assert_int_equal(play.modules, 1);
    finish();
}

/* Every policy, in a runtime that does not tell what countdowns hold. */
static void test_without_countdowns(void **unused)
{
    (void)unused;
    for (const TierPolicy *const *p = tier_policies; *p; p++) {
        char err[TIER_ERR_MAX];
        TierEngine *e = tier_engine_new((*p)->name, 1, NULL, err, sizeof(err));
        TierTb tb = { .guest_pc = 4096, .guest_insns = 5, .hash = 7 };
        uint32_t countdown = tier_translated(e, &tb);

        for (int i = 0; i < 100 && countdown > 0; i++) {
            TierDecision d = tier_hot(e, 0, 0);

            countdown = d.tier > 0 ? 0 : d.ask_again;
            assert_true(d.tier == 0 || (d.n == 1 && d.ids[0] == 0));
        }
        tier_engine_free(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sort),
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_batch_by_size),
        cmocka_unit_test(test_batch_by_time),
        cmocka_unit_test(test_batch_by_edges),
        cmocka_unit_test(test_batch_leaves_room),
        cmocka_unit_test(test_batch_by_page),
        cmocka_unit_test(test_batch_failure),
        cmocka_unit_test(test_batch_deaths),
        cmocka_unit_test(test_batch_occupancy),
        cmocka_unit_test(test_region),
        cmocka_unit_test(test_page_heat),
        cmocka_unit_test(test_queue_scaled),
        cmocka_unit_test(test_cost_benefit),
        cmocka_unit_test(test_priority),
        cmocka_unit_test(test_priority_ages),
        cmocka_unit_test(test_tiered),
        cmocka_unit_test(test_without_countdowns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
