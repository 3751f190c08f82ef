/*
 * Values of every type, and the declarations of all policies.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cmocka_all.h"

#include <stdio.h>

#include "../spec.h"
#include "../spec.h"

static const char *const colours[] = { "red", "green", NULL };

static const TierParam number = {
    .name = "x",
    .type = TIER_PARAM_DOUBLE,
    .min.number = -1e15,
    .max.number = 1e15,
};
static const TierParam flag = { .name = "f", .type = TIER_PARAM_BOOL };
static const TierParam colour = {
    .name = "c",
    .type = TIER_PARAM_ENUM,
    .choices = colours,
};

static bool parse(const TierParam *param, const char *text, TierValue *value)
{
    return tier_value_parse(param, text, strlen(text), value);
}

/* The C library's strtod() rounds correctly, so must we, to the last bit. */
static void test_numbers_round_correctly(void **unused)
{
    /* clang-format off */
    static const char *const texts[] = {
        "0", "1", "-1", "0.1", "0.001", "0.3", "1e-6", "1E+3", "123456.789",
        "999999999999999", "0.000000000000001", "3.14159265358979",
        "1.7976931e14", "-2.5e-7", ".5", "5.", "00.50", "1e-022",
    };
    /* clang-format on */
    TierValue value;

    (void)unused;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        double expected = strtod(texts[i], NULL);

        assert_true(parse(&number, texts[i], &value));
        assert_memory_equal(&value.number, &expected, sizeof(expected));
    }
}

static void test_numbers_round_trip(void **unused)
{
    char text[64], buf[TIER_VALUE_MAX];
    TierValue value, again;

    (void)unused;
    srand(1);
    for (int i = 0; i < 20000; i++) {
        snprintf(text, sizeof(text), "%d.%d", rand() % 10000,
                 rand() % 1000000000);
        assert_true(parse(&number, text, &value));
        assert_true(tier_value_print(&number, value, buf, sizeof(buf)));
        assert_true(parse(&number, buf, &again));
        assert_true(value.number == again.number);
    }
}

static void test_words(void **unused)
{
    TierValue value;
    char buf[TIER_VALUE_MAX];

    (void)unused;
    assert_true(parse(&flag, "on", &value));
    assert_true(value.on);
    assert_true(parse(&flag, "off", &value));
    assert_false(value.on);
    assert_false(parse(&flag, "", &value));
    assert_false(parse(&flag, "onn", &value));
    assert_false(parse(&flag, "1", &value));

    assert_true(parse(&colour, "green", &value));
    assert_int_equal(value.choice, 1);
    assert_true(tier_value_print(&colour, value, buf, sizeof(buf)));
    assert_string_equal(buf, "green");
    assert_false(parse(&colour, "gree", &value));
    assert_false(parse(&colour, "greenish", &value));
}

static void test_ranges_in_words(void **unused)
{
    char buf[128];

    (void)unused;
    tier_param_print_range(&flag, buf, sizeof(buf));
    assert_string_equal(buf, "on or off");
    tier_param_print_range(&colour, buf, sizeof(buf));
    assert_string_equal(buf, "one of red, green");
    tier_param_print_range(&number, buf, sizeof(buf));
    assert_string_equal(buf, "a number from -1e+15 to 1e+15");
}

static bool is_name(const char *name)
{
    return name && *name >= 'a' && *name <= 'z' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") ==
               strlen(name);
}

static void check_param(const TierParam *param)
{
    char text[TIER_VALUE_MAX];
    TierValue value;

    assert_true(is_name(param->name));
    assert_true(param->meaning && param->meaning[0] && param->unit);
    assert_true(tier_value_print(param, param->def, text, sizeof(text)));
    if (param->type == TIER_PARAM_TEXT) {
        assert_string_equal(text, ""); /* not given */
        return;
    }
    /* The default is in its range. */
    assert_true(parse(param, text, &value));
    if (param->type == TIER_PARAM_U64) {
        assert_true(param->max.u64 <= TIER_PARAM_U64_LIMIT);
    }
}

/* Whoever adds a policy learns here what was forgotten. */
static void test_declarations(void **unused)
{
    (void)unused;
    for (const TierPolicy *const *p = tier_policies; *p; p++) {
        unsigned n = 0, texts = 0;

        assert_true(is_name((*p)->name));
        assert_true((*p)->summary && (*p)->summary[0]);
        assert_true((*p)->source && (*p)->source[0]);
        assert_true(!(*p)->init || (*p)->state_size > 0);
        for (const TierPolicy *const *q = tier_policies; q != p; q++) {
            assert_string_not_equal((*p)->name, (*q)->name);
        }
        for (const TierParam *i = (*p)->params; i && i->name; i++, n++) {
            check_param(i);
            texts += i->type == TIER_PARAM_TEXT;
        }
        assert_true(n <= TIER_MAX_PARAMS && texts <= 1);
    }
    for (unsigned i = 0; i < TIER_NB_COMMON; i++) {
        check_param(&tier_common_params[i]);
    }
    assert_null(tier_common_params[TIER_NB_COMMON].name);
}

static void test_evictions_are_declared(void **unused)
{
    (void)unused;
    for (unsigned i = 0; tier_evictions[i]; i++) {
        assert_true(is_name(tier_eviction_names[i]));
        assert_true(tier_evictions[i]->summary && tier_evictions[i]->source);
        for (unsigned k = 0; k < i; k++) {
            assert_string_not_equal(tier_eviction_names[i],
                                    tier_eviction_names[k]);
        }
    }
}

static void test_texts(void **unused)
{
    static const TierParam param = { .name = "from", .type = TIER_PARAM_TEXT };
    char text[TIER_VALUE_MAX + 1];
    TierValue value;

    (void)unused;
    assert_true(parse(&param, "/tmp/a b=c:d.txt", &value));
    assert_false(parse(&param, "", &value));
    assert_false(parse(&param, "a,b", &value));
    assert_false(parse(&param, "a\tb", &value));
    assert_false(parse(&param, "\xc3\xa9", &value));
    memset(text, 'x', TIER_VALUE_MAX);
    text[TIER_VALUE_MAX] = '\0';
    assert_false(parse(&param, text, &value));
    text[TIER_VALUE_MAX - 1] = '\0';
    assert_true(parse(&param, text, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_round_correctly),
        cmocka_unit_test(test_numbers_round_trip),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_ranges_in_words),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_evictions_are_declared),
        cmocka_unit_test(test_declarations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
