/*
 * FNV-1a against vectors that its authors publish, in test_fnv.c of
 * http://www.isthe.com/chongo/src/fnv/.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cmocka_all.h"

#include "../hash.h"

static uint64_t hash_of(const char *text)
{
    return tier_fnv1a64(TIER_FNV1A64_EMPTY, text, strlen(text));
}

static void test_published_vectors(void **unused)
{
    static const struct {
        const char *text;
        uint64_t hash;
    } vectors[] = {
        { "", UINT64_C(0xcbf29ce484222325) },
        { "a", UINT64_C(0xaf63dc4c8601ec8c) },
        { "b", UINT64_C(0xaf63df4c8601f1a5) },
        { "fo", UINT64_C(0x08985907b541d342) },
        { "foo", UINT64_C(0xdcb27518fed9d577) },
        { "foob", UINT64_C(0xdd120e790c2512af) },
        { "fooba", UINT64_C(0xcac165afa2fef40a) },
        { "foobar", UINT64_C(0x85944171f73967e8) },
        { "chongo was here!\n", UINT64_C(0x46810940eff5f915) },
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        assert_true(hash_of(vectors[i].text) == vectors[i].hash);
    }
}

/* Bytes of 128 and more are not sign-extended. */
static void test_high_bytes(void **unused)
{
    static const uint8_t bytes[] = { 0xff, 0x00, 0x00, 0x01 };

    (void)unused;
    assert_true(tier_fnv1a64(TIER_FNV1A64_EMPTY, bytes, sizeof(bytes)) ==
                UINT64_C(0x6961196491cc682d));
}

static void test_pieces_make_the_whole(void **unused)
{
    uint64_t hash = tier_fnv1a64(TIER_FNV1A64_EMPTY, "foo", 3);

    (void)unused;
    assert_true(tier_fnv1a64(hash, "bar", 3) == hash_of("foobar"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_vectors),
        cmocka_unit_test(test_high_bytes),
        cmocka_unit_test(test_pieces_make_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
