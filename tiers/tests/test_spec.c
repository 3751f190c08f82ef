/*
 * Specs of the real policies: canonical text and exact error lines.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cmocka_all.h"

#include <stdio.h>

#include "../spec.h"

static void accepts(const char *text, const char *canonical)
{
    TierSpec spec, again;
    char err[TIER_ERR_MAX] = "";
    char buf[TIER_ERR_MAX];

    if (!tier_spec_parse(text, &spec, err, sizeof(err))) {
        fail_msg("'%s' is refused: %s", text, err);
    }
    assert_true(tier_spec_print(&spec, buf, sizeof(buf)));
    assert_string_equal(buf, canonical);

    /* The canonical text means the same. */
    assert_true(tier_spec_parse(buf, &again, err, sizeof(err)));
    assert_memory_equal(&spec, &again, sizeof(spec));
}

static void refuses(const char *text, const char *why)
{
    TierSpec spec;
    char err[TIER_ERR_MAX] = "";

    if (tier_spec_parse(text, &spec, err, sizeof(err))) {
        fail_msg("'%s' is accepted", text);
    }
    assert_string_equal(err, why);
}

static void test_accepted(void **unused)
{
    (void)unused;
    accepts("never", "never");
    accepts("always", "always");
    accepts("threshold", "threshold:n=1000");
    accepts("threshold:n=1", "threshold:n=1");
    accepts("threshold:n=1000000000", "threshold:n=1000000000");
    accepts("sampled", "sampled:p=0.001,seed=0");
    accepts("sampled:seed=7", "sampled:p=0.001,seed=7");
    accepts("sampled:seed=7,p=1e-2", "sampled:p=0.01,seed=7");
    accepts("sampled:p=1", "sampled:p=1,seed=0");
    accepts("sampled:seed=9007199254740992",
            "sampled:p=0.001,seed=9007199254740992");
}

/* Common parameters are shown where they are not the default. */
static void test_common(void **unused)
{
    TierSpec spec;
    char err[TIER_ERR_MAX];

    (void)unused;
    accepts("never:evict=clock", "never");
    accepts("never:max-maps=100,evict=fill-only",
            "never:evict=fill-only,max-maps=100");
    accepts("threshold:max-code=1,n=5", "threshold:n=5,max-code=1");
    accepts("threshold:max-modules=24000,max-slots=1,evict=flush-all",
            "threshold:n=1000,evict=flush-all,max-slots=1");
    assert_true(tier_spec_parse("always:evict=oldest-half,max-code=7", &spec,
                                err, sizeof(err)));
    assert_ptr_equal(spec.eviction, &tier_eviction_oldest_half);
    assert_int_equal(spec.common[TIER_COMMON_MAX_CODE].u64, 7);
    assert_int_equal(spec.common[TIER_COMMON_MAX_MODULES].u64, 24000);
    refuses("never:evict=all", "never: evict=all: the value must be one of "
                               "fill-only, flush-all, oldest-half, clock");
    refuses("never:max-code=0", "never: max-code=0: the value must be a whole "
                                "number from 1 to 4096, in MiB");
    refuses("never:evict=clock,evict=clock",
            "never: evict is given twice: give it once");
}

/* No policy has a parameter that is named as a common one. */
static void test_names_are_unique(void **unused)
{
    (void)unused;
    for (const TierPolicy *const *p = tier_policies; *p; p++) {
        for (const TierParam *a = (*p)->params; a && a->name; a++) {
            for (const TierParam *b = tier_common_params; b->name; b++) {
                assert_string_not_equal(a->name, b->name);
            }
        }
    }
}

/* As refuses(), for lines that end in the names of all policies. */
static void refuses_name(const char *text, const char *why)
{
    char line[TIER_ERR_MAX];
    size_t len =
        (size_t)snprintf(line, sizeof(line), "%s: valid policies are ", why);

    for (const TierPolicy *const *p = tier_policies; *p; p++) {
        len += (size_t)snprintf(line + len, sizeof(line) - len, "%s%s",
                                p == tier_policies ? "" : ", ", (*p)->name);
    }
    assert_non_null(strstr(line, "are never, always, threshold, sampled"));
    refuses(text, line);
}

static void test_unknown_policy(void **unused)
{
    (void)unused;
    refuses_name("", "no policy is named");
    refuses_name(":n=1", "no policy is named");
    refuses_name("tresh", "unknown policy 'tresh'");
    refuses_name("Never", "unknown policy 'Never'");
    refuses_name("neve", "unknown policy 'neve'");
    refuses_name("never ", "unknown policy 'never '");
}

#define COMMON \
    "evict, max-modules, max-slots, max-code, max-maps, compiler, buffer"

static void test_unknown_key(void **unused)
{
    (void)unused;
    refuses("threshold:m=1", "threshold: unknown parameter 'm': "
                             "valid parameters are n, " COMMON);
    refuses("threshold:N=1", "threshold: unknown parameter 'N': "
                             "valid parameters are n, " COMMON);
    refuses("threshold:=1", "threshold: unknown parameter '': "
                            "valid parameters are n, " COMMON);
    refuses("sampled:p=0.5,sed=1", "sampled: unknown parameter 'sed': "
                                   "valid parameters are p, seed, " COMMON);
    refuses("never:n=1", "never: unknown parameter 'n': "
                         "valid parameters are " COMMON);
}

static void test_form(void **unused)
{
    (void)unused;
    refuses("threshold:", "threshold: a parameter is missing: "
                          "write threshold:key=value,...");
    refuses("threshold:n=1,", "threshold: a parameter is missing: "
                              "write threshold:key=value,...");
    refuses("sampled:,p=1", "sampled: a parameter is missing: "
                            "write sampled:key=value,...");
    refuses("threshold:n", "threshold: n has no value: write n=VALUE");
    refuses("threshold:n=1,n=1", "threshold: n is given twice: give it once");
}

static void test_values(void **unused)
{
    /* clang-format off */
    static const char *const whole[] = {
        "", "0", "-1", "+1", "1 ", " 1", "1k", "1.0", "1e3", "010", "0x10",
        "1000000001", "18446744073709551617", "99999999999999999999", "one",
        "1=1", "1:2",
    };
    static const char *const number[] = {
        "", "0", "-0.5", "1.1", "9e-7", "nan", "inf", "1e", "1e-", ".",
        "0.5.", "0.5x", "+0.5", "0.1234567890123456", "1e-400", "0x1p-3",
        "1e-0006",
    };
    /* clang-format on */
    char text[128], why[TIER_ERR_MAX];

    (void)unused;
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        snprintf(text, sizeof(text), "threshold:n=%s", whole[i]);
        snprintf(why, sizeof(why),
                 "threshold: n=%s: the value must be a whole number "
                 "from 1 to 1000000000, in executions",
                 whole[i]);
        refuses(text, why);
    }
    for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++) {
        snprintf(text, sizeof(text), "sampled:p=%s", number[i]);
        snprintf(why, sizeof(why),
                 "sampled: p=%s: the value must be a number "
                 "from 1e-06 to 1",
                 number[i]);
        refuses(text, why);
    }
    refuses("sampled:p=0,5", "sampled: p=0: the value must be a number "
                             "from 1e-06 to 1");
    refuses("sampled:seed=9007199254740993",
            "sampled: seed=9007199254740993: the value must be a whole number "
            "from 0 to 9007199254740992");
}

/* An error is one printable line whatever the user wrote. */
static void test_hostile_text(void **unused)
{
    char text[4096];
    TierSpec spec;
    char err[TIER_ERR_MAX];

    (void)unused;
    refuses_name("a\nb\x1b[31m\xff", "unknown policy 'a?b?[31m?'");
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    refuses_name(text, "unknown policy "
                       "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'");
    /* A short buffer cuts the line off and nothing else. */
    assert_false(tier_spec_parse(text, &spec, err, 8));
    assert_string_equal(err, "unknown");
}

static void test_print_does_not_overflow(void **unused)
{
    TierSpec spec;
    char err[TIER_ERR_MAX];
    char buf[64];
    const char *whole = "sampled:p=0.001,seed=12";

    (void)unused;
    assert_true(tier_spec_parse(whole, &spec, err, sizeof(err)));
    for (size_t size = 1; size <= strlen(whole); size++) {
        memset(buf, '#', sizeof(buf));
        assert_false(tier_spec_print(&spec, buf, size));
        assert_int_equal(buf[size], '#');
    }
    assert_true(tier_spec_print(&spec, buf, strlen(whole) + 1));
    assert_string_equal(buf, whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_common),
        cmocka_unit_test(test_names_are_unique),
        cmocka_unit_test(test_unknown_policy),
        cmocka_unit_test(test_unknown_key),
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_print_does_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
