/*
 * Random numbers: fixed sequences, and the geometric distribution. Expected
 * values were computed by other programs (Python, with its own logarithm).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cmocka_all.h"

#include "../rng.h"

static void test_sequences(void **unused)
{
    static const struct {
        uint64_t seed;
        uint64_t first[4];
    } cases[] = {
        { 0,
          { UINT64_C(0x99ec5f36cb75f2b4), UINT64_C(0xbf6e1f784956452a),
            UINT64_C(0x1a5f849d4933e6e0), UINT64_C(0x6aa594f1262d2d2c) } },
        { 1,
          { UINT64_C(0xb3f2af6d0fc710c5), UINT64_C(0x853b559647364cea),
            UINT64_C(0x92f89756082a4514), UINT64_C(0x642e1c7bc266a3a7) } },
        { 1234567,
          { UINT64_C(0x30a3a1c363600467), UINT64_C(0x19405f0f579929ca),
            UINT64_C(0x115beaac046ddbd9), UINT64_C(0xeb17caf48f27d7f6) } },
    };
    TierRng rng;

    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tier_rng_seed(&rng, cases[i].seed);
        for (int k = 0; k < 4; k++) {
            assert_true(tier_rng_u64(&rng) == cases[i].first[k]);
        }
    }
}

static void test_geometric_values(void **unused)
{
    static const struct {
        double p;
        uint64_t first[6];
    } cases[] = {
        { 1e-6, { 352510, 653087, 554942, 938208, 360714, 1940918 } },
        { 0.001, { 353, 653, 555, 938, 361, 1940 } },
        { 0.01, { 36, 65, 56, 94, 36, 194 } },
        { 0.3, { 1, 2, 2, 3, 2, 6 } },
        { 0.5, { 1, 1, 1, 2, 1, 3 } },
        { 0.7, { 1, 1, 1, 1, 1, 2 } },
        { 0.999, { 1, 1, 1, 1, 1, 1 } },
        { 1, { 1, 1, 1, 1, 1, 1 } },
    };
    TierRng rng;

    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tier_rng_seed(&rng, 1);
        for (int k = 0; k < 6; k++) {
            assert_int_equal(tier_rng_geometric(&rng, cases[i].p),
                             cases[i].first[k]);
        }
    }
}

/* Share of draws over k is (1 - p)^k; the seed is fixed, so this is exact. */
static void test_geometric_shape(void **unused)
{
    enum { DRAWS = 200000 };
    /* For p = 0.01: (1 - p)^k is 0.5, 0.1 and 0.01 near these. */
    static const struct {
        uint64_t over;
        double share;
    } tails[] = { { 69, 0.49984 }, { 229, 0.10010 }, { 458, 0.010020 } };
    unsigned counts[3] = { 0, 0, 0 };
    double sum = 0;
    TierRng rng;

    (void)unused;
    tier_rng_seed(&rng, 42);
    for (int i = 0; i < DRAWS; i++) {
        uint64_t k = tier_rng_geometric(&rng, 0.01);

        assert_true(k >= 1);
        sum += (double)k;
        for (int t = 0; t < 3; t++) {
            counts[t] += k > tails[t].over;
        }
    }
    /* Mean 100, standard error 0.22: four of them. */
    assert_true(sum / DRAWS > 99.1 && sum / DRAWS < 100.9);
    for (int t = 0; t < 3; t++) {
        double share = (double)counts[t] / DRAWS;
        double error = share - tails[t].share;
        double variance = tails[t].share * (1 - tails[t].share) / DRAWS;

        assert_true(error * error < 16 * variance);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_geometric_values),
        cmocka_unit_test(test_geometric_shape),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
