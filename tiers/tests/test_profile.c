/*
 * Profiles: what is read, what is refused, and the policy that uses them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cmocka_all.h"

#include <stdio.h>

#include "../profile.h"
#include "play.h"

static const char path[] = "test-profile.txt";

static void write_file(const char *text, size_t len)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

#define HEAD "tierlab-profile 1\n"
#define A "00000000000000aa"
#define B "ffffffffffffffbb"

static void test_read(void **unused)
{
    const char text[] = HEAD A " 500\n" B " 500\n0000000000000001 7\n";
    TierProfile profile;
    char err[512];

    (void)unused;
    write_file(text, strlen(text));
    assert_true(tier_profile_read(&profile, path, 1, err, sizeof(err)));
    assert_int_equal(profile.n, 3);
    assert_int_equal(tier_profile_executions(&profile, 0xaa), 500);
    assert_int_equal(
        tier_profile_executions(&profile, UINT64_C(0xffffffffffffffbb)), 500);
    assert_int_equal(tier_profile_executions(&profile, 1), 7);
    assert_int_equal(tier_profile_executions(&profile, 2), 0);
    assert_int_equal(tier_profile_executions(&profile, 0), 0);
    tier_profile_free(&profile);

    /* Cold lines take no memory. */
    assert_true(tier_profile_read(&profile, path, 8, err, sizeof(err)));
    assert_int_equal(profile.n, 2);
    assert_int_equal(tier_profile_executions(&profile, 1), 0);
    tier_profile_free(&profile);

    write_file(HEAD, strlen(HEAD));
    assert_true(tier_profile_read(&profile, path, 1, err, sizeof(err)));
    assert_int_equal(tier_profile_executions(&profile, 1), 0);
    tier_profile_free(&profile);
}

static void test_many(void **unused)
{
    enum { N = 20000 };
    FILE *file = fopen(path, "w");
    TierProfile profile;
    char err[512];

    (void)unused;
    assert_non_null(file);
    fputs(HEAD, file);
    for (unsigned i = 1; i <= N; i++) {
        fprintf(file, "%08x%08x %u\n", i * 2654435761u, i, N - i);
    }
    assert_int_equal(fclose(file), 0);
    assert_true(tier_profile_read(&profile, path, 0, err, sizeof(err)));
    assert_int_equal(profile.n, N);
    for (unsigned i = 1; i <= N; i++) {
        uint64_t hash = (uint64_t)(i * 2654435761u) << 32 | i;

        assert_int_equal(tier_profile_executions(&profile, hash), N - i);
    }
    tier_profile_free(&profile);
}

static void refuses(const char *text, size_t len, const char *line,
                    const char *why)
{
    char err[512] = "", expected[512];
    TierProfile profile;

    write_file(text, len);
    assert_false(tier_profile_read(&profile, path, 1, err, sizeof(err)));
    assert_null(profile.table);
    snprintf(expected, sizeof(expected),
             "profile %s, line %s: %s: make it again with `tierlab profile`",
             path, line, why);
    assert_string_equal(err, expected);
}

static void test_refused(void **unused)
{
    static const char *const lines[] = {
        "00000000000000aa",
        A " ",
        A "  5",
        A " 5 ",
        A " -5",
        A " 0x5",
        A " 18446744073709551615",
        "0000000000000000 5",
        "00000000000000AA 5",
        "0000000000000aa 5",
        "000000000000000aa 5",
        "",
        "# comment",
    };
    const char *again = HEAD A " 9\n" A " 8\n";
    const char *order = HEAD A " 8\n" B " 9\n";
    const char *cut_off = HEAD A " 9\n" B " 8";
    const char nul[] = HEAD A " 9\0\n";

    (void)unused;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char text[128];
        int len = snprintf(text, sizeof(text), HEAD "%s\n", lines[i]);

        refuses(text, (size_t)len, "2", "not a hash and a count");
    }
    refuses("", 0, "1", "the file does not begin with 'tierlab-profile 1'");
    refuses("tierlab-profile 2\n", 18, "1",
            "the file does not begin with 'tierlab-profile 1'");
    refuses(again, strlen(again), "3", "the same hash again");
    refuses(order, strlen(order), "3", "more executions than the line before");
    refuses(cut_off, strlen(cut_off), "3", "too long, or the file is cut off");
    refuses(nul, sizeof(nul) - 1, "2", "too long, or the file is cut off");
}

static void test_engine_errors(void **unused)
{
    char err[TIER_ERR_MAX] = "";

    (void)unused;
    assert_null(
        tier_engine_new("profile:from=no/such", 1, NULL, err, sizeof(err)));
    assert_string_equal(err, "cannot open the profile no/such: No such file or "
                             "directory: name one that `tierlab profile` made");
    write_file("rubbish\n", 8);
    assert_null(tier_engine_new("profile:from=test-profile.txt", 1, NULL, err,
                                sizeof(err)));
    assert_string_equal(err, "profile test-profile.txt, line 1: the file does "
                             "not begin with 'tierlab-profile 1': make it "
                             "again with `tierlab profile`");
}

static Play play;

static void test_policy(void **unused)
{
    const char text[] = HEAD A " 1000\n" B " 20\n";

    (void)unused;
    write_file(text, strlen(text));
    play_start(&play,
               "profile:from=test-profile.txt,n=100,first=1,fallback=50,size=2,"
               "wait=5,by=heat",
               1);
    play_translate_at(&play, 0x1000, 0xaa);
    play_translate_at(&play, 0x2000, UINT64_C(0xffffffffffffffbb));
    play_translate_at(&play, 0x3000, 0xcc);
    play_translate_at(&play, 0x4000, 0xaa); /* the same code elsewhere */
    play_enter(&play, 0, 1);
    play_enter(&play, 1, 49);
    play_enter(&play, 2, 49);
    assert_int_equal(play.modules, 0);
    play_enter(&play, 3, 1);
    assert_int_equal(play.last_group, 2);
    assert_true(play.tbs[0].compiled && play.tbs[3].compiled);
    /* What it knows to be cold, or does not know, is late but not lost. */
    play_enter(&play, 1, 1);
    assert_int_equal(play_tick(&play, 5), 1);
    assert_true(play.tbs[1].compiled && !play.tbs[2].compiled);
    play_check(&play);
    play_free(&play);

    play_start(&play, "profile:fallback=0", 1);
    assert_int_equal(play.tbs[play_translate(&play)].countdown, TIER_NEVER_ASK);
    play_free(&play);
}

static void test_spec(void **unused)
{
    TierSpec spec;
    char err[TIER_ERR_MAX], buf[512];

    (void)unused;
    assert_true(tier_spec_parse("profile:n=5,from=/a b/c=d:e.txt", &spec, err,
                                sizeof(err)));
    assert_string_equal(spec.values[0].text, "/a b/c=d:e.txt");
    assert_true(tier_spec_print(&spec, buf, sizeof(buf)));
    assert_ptr_equal(strstr(buf, "profile:from=/a b/c=d:e.txt,n=5,"), buf);
    assert_true(tier_spec_parse("profile", &spec, err, sizeof(err)));
    assert_string_equal(spec.values[0].text, "");
    assert_true(tier_spec_print(&spec, buf, sizeof(buf)));
    assert_null(strstr(buf, "from="));
    assert_false(tier_spec_parse("profile:from=", &spec, err, sizeof(err)));
    assert_string_equal(err, "profile: from=: the value must be 1 to 255 "
                             "printable characters, no comma");
}

static int teardown(void **unused)
{
    (void)unused;
    return remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),    cmocka_unit_test(test_many),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_engine_errors),
        cmocka_unit_test(test_policy),  cmocka_unit_test(test_spec),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
