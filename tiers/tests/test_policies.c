/*
 * What each policy does with a known run: golden counts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cmocka_all.h"

#include <inttypes.h>

#include "play.h"

/* Executions of the TBs of the run, in the order of translation. */
static const uint64_t run[] = { 0, 1, 2, 10, 999, 1000, 1001, 1500, 100000 };

enum { NB_RUN = sizeof(run) / sizeof(run[0]) };

typedef struct Golden {
    const char *spec;
    uint64_t hot_events;
    uint64_t compiled;
    uint64_t exec_tier0;
    uint64_t exec_tier1;
} Golden;

/* The whole run is 104513 executions. */
static const Golden goldens[] = {
    { "never", 0, 0, 104513, 0 },
    { "always", 8, 8, 0, 104513 },
    { "threshold:n=1", 8, 8, 0, 104513 },
    { "threshold:n=2", 7, 7, 8, 104505 },
    { "threshold:n=1000", 4, 4, 5008, 99505 },
    { "threshold", 4, 4, 5008, 99505 },
    { "threshold:n=1001", 3, 3, 5012, 99501 },
    { "threshold:n=100000", 1, 1, 104512, 1 },
    { "threshold:n=1000000000", 0, 0, 104513, 0 },
    { "sampled:p=1", 8, 8, 0, 104513 },
    /* Countdowns 36 65 56 94 36 194 264 96 15: see test_rng.c */
    { "sampled:p=0.01,seed=1", 5, 5, 613, 103900 },
    { "sampled:p=0.01", 5, 5, 613, 103900 },
    /* The TBs' bytecode is 400, 408... bytes. */
    { "template:n=1000,max=440", 1, 1, 104512, 1 },
    /* A batch of one does not wait. */
    { "batch:n=1000,size=1", 4, 4, 5008, 99505 },
    { "region:n=1000,size=1", 4, 4, 5008, 99505 },
    { "tiered:n=1000,size=1", 4, 4, 5008, 99505 },
    { "profile:fallback=1000,size=1", 4, 4, 5008, 99505 },
};

static void play_run(Play *play, const char *spec, uint64_t seed)
{
    play_start(play, spec, seed);
    for (unsigned i = 0; i < NB_RUN; i++) {
        play_translate(play);
    }
    for (uint32_t i = 0; i < NB_RUN; i++) {
        play_enter(play, i, run[i]);
    }
    play_settle(play);
}

static void test_goldens(void **unused)
{
    static Play play;

    (void)unused;
    for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
        const Golden *g = &goldens[i];
        const TierCounters *c;

        play_run(&play, g->spec, 1);
        c = tier_counters(play.engine);
        print_message("%s\n", g->spec);
        assert_int_equal(c->hot_events, g->hot_events);
        assert_int_equal(c->tbs_compiled, g->compiled);
        assert_int_equal(c->modules_installed, g->compiled);
        assert_int_equal(c->exec_tier0, g->exec_tier0);
        assert_int_equal(c->exec_tier1, g->exec_tier1);
        assert_int_equal(c->guest_insns_tier0, 5 * g->exec_tier0);
        for (uint32_t id = 0; id < NB_RUN; id++) {
            const TierTbRecord *r = tier_tb_record(play.engine, id);
            const PlayTb *tb = &play.tbs[id];

            /* What the engine derives is what really happened. */
            assert_int_equal(tier_tb_executed(play.engine, id, 0),
                             tb->entries0);
            assert_int_equal(tier_tb_executed(play.engine, id, 1),
                             tb->entries1);
            assert_int_equal(r->executions, run[id]);
            assert_int_equal(r->tier, tb->compiled);
        }
        play_free(&play);
    }
}

/*
 * What the policies that make groups choose of a guest of loops within loops:
 * found before decisions were made quicker, which must not change them.
 */
static const struct {
    const char *spec;
    uint64_t groups_hash;
} group_goldens[] = {
    { "batch:n=20,size=16,max=40", UINT64_C(0x8345c52cf930061a) },
    { "batch:n=20,size=16,by=heat", UINT64_C(0xf2ecb622e3ca8a58) },
    { "batch:n=20,size=16,by=page,shape=regions",
      UINT64_C(0x7482794d4bde1c33) },
    { "region:n=20,size=8,max=8", UINT64_C(0xc387d6edfd3caf56) },
    { "page-heat:heat=3000", UINT64_C(0xb59e350f32f98bd3) },
    { "priority:n=20,size=5", UINT64_C(0xb51b58f2bc189bca) },
    { "queue-scaled", UINT64_C(0x3ee60ec355cf6e8a) },
    { "queue-scaled:inv=40,min-inv=20,comp=60,back=200,size=64",
      UINT64_C(0xd3c51fe5625a99ed) },
    { "cost-benefit:cost=5,region-cost=8,size=8",
      UINT64_C(0xd612433938e4f25e) },
    { "tiered:n=20,n2=100,size=8", UINT64_C(0x196b4d2eb7b62952) },
    { "profile:n=300,fallback=20,size=16", UINT64_C(0xefd19c2c73cea8bc) },
};

static void run_loops(Play *play, const char *spec)
{
    enum { TBS = 1200 };
    TierRng rng;

    tier_rng_seed(&rng, 11);
    play_start(play, spec, 1);
    for (uint32_t id = 0; id < TBS; id++) {
        play_translate(play);
        if (id > 0) {
            play_link(play, id - 1, 0, id);
        }
        if (id % 3 == 2) {
            play_link(play, id, 1,
                      id - (uint32_t)(tier_rng_u64(&rng) % 12) % id);
        }
        for (unsigned i = 0; i < 20; i++) {
            /* The newest most, and the more so the lower their last digits. */
            uint32_t back = (uint32_t)(tier_rng_u64(&rng) % 64);
            uint32_t which = id - (back < id ? back : id);

            if (play->tbs[which].live) {
                play_enter(play, which, 1 + 60 / (which % 16 + 1));
            }
        }
        if (id % 50 == 49) {
            play_invalidate(play, id - 20);
        }
        if (id % 10 == 9) {
            play_report(play);
            play_tick(play, 3);
        }
    }
    play_settle(play);
}

static void test_group_goldens(void **unused)
{
    static Play play;

    (void)unused;
    for (size_t i = 0; i < sizeof(group_goldens) / sizeof(group_goldens[0]);
         i++) {
        run_loops(&play, group_goldens[i].spec);
        print_message("%s: %#" PRIx64 ", %" PRIu64 " groups\n",
                      group_goldens[i].spec, play.groups_hash,
                      tier_counters(play.engine)->groups_selected);
        assert_int_equal(play.groups_hash, group_goldens[i].groups_hash);
        play_free(&play);
    }
}

/* All policies, with defaults, end a run with nothing lost or pending. */
static void test_every_policy(void **unused)
{
    static Play play;

    (void)unused;
    for (const TierPolicy *const *p = tier_policies; *p; p++) {
        play_run(&play, (*p)->name, 3);
        for (uint32_t id = 0; id < NB_RUN; id++) {
            const TierTbRecord *r = tier_tb_record(play.engine, id);

            assert_int_equal(r->executions, run[id]);
            assert_int_equal(r->pending, 0);
        }
        tier_flushed(play.engine);
        tier_tick(play.engine);
        play_free(&play);
    }
}

static uint64_t countdowns_hash(const char *spec, uint64_t seed)
{
    static Play play;
    uint64_t hash = 0;

    play_start(&play, spec, seed);
    for (int i = 0; i < 100; i++) {
        uint32_t id = play_translate(&play);

        hash = hash * 31 + (uint64_t)play.tbs[id].countdown;
    }
    play_free(&play);
    return hash;
}

static void test_sampled_seeds(void **unused)
{
    uint64_t first = countdowns_hash("sampled", 1);

    (void)unused;
    assert_true(countdowns_hash("sampled", 1) == first);
    assert_true(countdowns_hash("sampled", 2) != first);
    /* A seed of its own takes the place of the run's. */
    assert_true(countdowns_hash("sampled:seed=1", 2) == first);
    assert_true(countdowns_hash("sampled:seed=2", 1) != first);
    /* The others draw nothing. */
    assert_true(countdowns_hash("threshold", 1) ==
                countdowns_hash("threshold", 2));
}

/* Hot code is preferred in proportion: of TBs run k times, 1 - (1 - p)^k. */
static void test_sampled_prefers_hot(void **unused)
{
    enum { TBS = 128 };
    static Play play;
    unsigned cold = 0, hot = 0;

    (void)unused;
    play_start(&play, "sampled:p=0.01", 5);
    for (unsigned i = 0; i < TBS; i++) {
        uint32_t a = play_translate(&play);
        uint32_t b = play_translate(&play);

        play_enter(&play, a, 10);
        play_enter(&play, b, 200);
        cold += play.tbs[a].compiled;
        hot += play.tbs[b].compiled;
    }
    /* Expected 12.2 and 110.8 of 128; three standard deviations. */
    assert_in_range(cold, 2, 22);
    assert_in_range(hot, 99, 123);
    play_free(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goldens),
        cmocka_unit_test(test_group_goldens),
        cmocka_unit_test(test_every_policy),
        cmocka_unit_test(test_sampled_seeds),
        cmocka_unit_test(test_sampled_prefers_hot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
