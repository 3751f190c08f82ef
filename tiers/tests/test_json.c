/*
 * The JSON writer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "cmocka_all.h"

#include "../json.h"

typedef struct Text {
    char buf[20000];
    size_t len;
    unsigned pieces;
} Text;

static void collect(void *opaque, const char *text, size_t len)
{
    Text *to = opaque;

    assert_true(to->len + len < sizeof(to->buf));
    memcpy(to->buf + to->len, text, len);
    to->len += len;
    to->buf[to->len] = '\0';
    to->pieces++;
}

static void test_nesting(void **unused)
{
    Text text = { .len = 0 };
    TierJson json;

    (void)unused;
    tier_json_start(&json, collect, &text);
    tier_json_open(&json, '{');
    tier_json_key(&json, "a");
    tier_json_open(&json, '[');
    tier_json_u64(&json, 0);
    tier_json_u64(&json, UINT64_MAX);
    tier_json_open(&json, '[');
    tier_json_close(&json, ']');
    tier_json_hex(&json, UINT64_C(0xffffffff80000000));
    tier_json_close(&json, ']');
    tier_json_key(&json, "b");
    tier_json_open(&json, '{');
    tier_json_close(&json, '}');
    tier_json_key(&json, "c");
    tier_json_bool(&json, true);
    tier_json_key(&json, "d");
    tier_json_null(&json);
    tier_json_close(&json, '}');
    assert_int_equal(text.pieces, 0);
    tier_json_end(&json);
    assert_string_equal(text.buf, "{\"a\":[0,18446744073709551615,[],"
                                  "\"0xffffffff80000000\"],\"b\":{},\"c\":true,"
                                  "\"d\":null}");
}

static void test_strings(void **unused)
{
    Text text = { .len = 0 };
    TierJson json;

    (void)unused;
    tier_json_start(&json, collect, &text);
    tier_json_open(&json, '[');
    tier_json_string(&json, "q\" b\\ n\n t\t \x01 \xc3\xa9");
    tier_json_string(&json, NULL);
    tier_json_close(&json, ']');
    tier_json_end(&json);
    assert_string_equal(text.buf, "[\"q\\\" b\\\\ n\\u000a t\\u0009 \\u0001 "
                                  "\xc3\xa9\",null]");
}

/* Lines begin where asked, with the comma on the line before. */
static void test_lines(void **unused)
{
    Text text = { .len = 0 };
    TierJson json;

    (void)unused;
    tier_json_start(&json, collect, &text);
    tier_json_open(&json, '[');
    for (uint64_t i = 0; i < 3; i++) {
        tier_json_newline(&json);
        tier_json_u64(&json, i);
    }
    tier_json_close(&json, ']');
    tier_json_end(&json);
    assert_string_equal(text.buf, "[\n0,\n1,\n2]");
}

/* Text longer than the buffer arrives whole, in pieces. */
static void test_pieces(void **unused)
{
    static Text text;
    static char word[10000];
    TierJson json;

    (void)unused;
    memset(word, 'w', sizeof(word) - 1);
    tier_json_start(&json, collect, &text);
    tier_json_open(&json, '[');
    tier_json_string(&json, word);
    tier_json_raw(&json, "1");
    tier_json_close(&json, ']');
    tier_json_end(&json);
    assert_int_equal(text.len, sizeof(word) - 1 + strlen("[\"\",1]"));
    assert_true(text.pieces > 1);
    assert_int_equal(text.buf[1], '"');
    assert_int_equal(strspn(text.buf + 2, "w"), sizeof(word) - 1);
    assert_string_equal(text.buf + sizeof(word) + 1, "\",1]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
