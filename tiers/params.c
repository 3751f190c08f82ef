/*
 * Values of parameters, to and from text.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "params.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* With so many digits and such a scale, one IEEE operation rounds correctly. */
enum { MAX_DIGITS = 15, MAX_SCALE = 22 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool parse_u64(const char *text, size_t len, uint64_t *value)
{
    uint64_t v = 0;

    /* No leading zeros: nobody shall wonder whether they mean octal. */
    if (len == 0 || len > 19 || (len > 1 && text[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(text[i])) {
            return false;
        }
        v = v * 10 + (uint64_t)(text[i] - '0');
    }
    *value = v;
    return true;
}

/* Digits with at most one point; their number behind it goes to @scale. */
static size_t parse_decimal(const char *text, size_t len, uint64_t *digits,
                            int *scale)
{
    size_t i;
    size_t significant = 0;
    bool any = false;
    bool point = false;

    *digits = 0;
    *scale = 0;
    for (i = 0; i < len; i++) {
        if (text[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (!is_digit(text[i])) {
            break;
        }
        any = true;
        *digits = *digits * 10 + (uint64_t)(text[i] - '0');
        if (*digits > 0 && ++significant > MAX_DIGITS) {
            return 0;
        }
        if (point && ++*scale > MAX_SCALE) {
            return 0;
        }
    }
    return any ? i : 0;
}

static bool parse_double(const char *text, size_t len, double *value)
{
    static const double powers[MAX_SCALE + 1] = {
        1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    };
    bool negative = len > 0 && text[0] == '-';
    uint64_t digits;
    int scale;
    size_t used;

    text += negative;
    len -= negative;
    used = parse_decimal(text, len, &digits, &scale);
    if (used == 0) {
        return false;
    }
    scale = -scale;
    if (used < len) {
        bool exp_negative;
        int exponent = 0;

        if (text[used] != 'e' && text[used] != 'E') {
            return false;
        }
        used++;
        exp_negative = used < len && text[used] == '-';
        used += used < len && (text[used] == '-' || text[used] == '+');
        if (used == len || len - used > 3) {
            return false;
        }
        for (; used < len; used++) {
            if (!is_digit(text[used])) {
                return false;
            }
            exponent = exponent * 10 + (text[used] - '0');
        }
        scale += exp_negative ? -exponent : exponent;
    }
    if (scale < -MAX_SCALE || scale > MAX_SCALE) {
        return false;
    }
    *value = scale < 0 ? (double)digits / powers[-scale]
                       : (double)digits * powers[scale];
    if (negative && digits > 0) {
        *value = -*value;
    }
    return true;
}

static bool is_word(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(text, word, len) == 0;
}

static bool is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] < ' ' || text[i] > '~' || text[i] == ',') {
            return false;
        }
    }
    return len > 0 && len < TIER_VALUE_MAX;
}

const char *tier_param_type_name(TierParamType type)
{
    switch (type) {
    case TIER_PARAM_U64:
        return "u64";
    case TIER_PARAM_DOUBLE:
        return "double";
    case TIER_PARAM_BOOL:
        return "bool";
    case TIER_PARAM_ENUM:
        return "enum";
    case TIER_PARAM_TEXT:
        return "text";
    }
    return NULL;
}

bool tier_value_parse(const TierParam *param, const char *text, size_t len,
                      TierValue *value)
{
    switch (param->type) {
    case TIER_PARAM_U64:
        return parse_u64(text, len, &value->u64) &&
               value->u64 >= param->min.u64 && value->u64 <= param->max.u64;
    case TIER_PARAM_DOUBLE:
        return parse_double(text, len, &value->number) &&
               value->number >= param->min.number &&
               value->number <= param->max.number;
    case TIER_PARAM_BOOL:
        value->on = is_word(text, len, "on");
        return value->on || is_word(text, len, "off");
    case TIER_PARAM_ENUM:
        for (unsigned i = 0; param->choices[i]; i++) {
            if (is_word(text, len, param->choices[i])) {
                value->choice = i;
                return true;
            }
        }
        return false;
    case TIER_PARAM_TEXT:
        return is_plain(text, len);
    }
    return false;
}

/* The C library may print the locale's decimal point. */
static int print_double(double number, char *buf, size_t size)
{
    int len = snprintf(buf, size, "%.*g", MAX_DIGITS, number);

    for (char *p = buf; *p; p++) {
        if (!is_digit(*p) && !strchr("+-e", *p)) {
            *p = '.';
        }
    }
    return len;
}

bool tier_value_print(const TierParam *param, TierValue value, char *buf,
                      size_t size)
{
    int len = 0;

    switch (param->type) {
    case TIER_PARAM_U64:
        len = snprintf(buf, size, "%" PRIu64, value.u64);
        break;
    case TIER_PARAM_DOUBLE:
        len = print_double(value.number, buf, size);
        break;
    case TIER_PARAM_BOOL:
        len = snprintf(buf, size, "%s", value.on ? "on" : "off");
        break;
    case TIER_PARAM_ENUM:
        len = snprintf(buf, size, "%s", param->choices[value.choice]);
        break;
    case TIER_PARAM_TEXT:
        len = snprintf(buf, size, "%s", value.text);
        return len >= 0 && (size_t)len < size;
    }
    return len > 0 && (size_t)len < size;
}

void tier_param_print_range(const TierParam *param, char *buf, size_t size)
{
    char min[TIER_VALUE_MAX];
    char max[TIER_VALUE_MAX];
    size_t used;

    switch (param->type) {
    case TIER_PARAM_U64:
    case TIER_PARAM_DOUBLE:
        tier_value_print(param, param->min, min, sizeof(min));
        tier_value_print(param, param->max, max, sizeof(max));
        snprintf(buf, size, "a %s from %s to %s",
                 param->type == TIER_PARAM_U64 ? "whole number" : "number", min,
                 max);
        break;
    case TIER_PARAM_BOOL:
        snprintf(buf, size, "on or off");
        break;
    case TIER_PARAM_ENUM:
        snprintf(buf, size, "one of");
        for (unsigned i = 0; param->choices[i]; i++) {
            used = strlen(buf);
            snprintf(buf + used, size - used, "%s %s", i > 0 ? "," : "",
                     param->choices[i]);
        }
        break;
    case TIER_PARAM_TEXT:
        snprintf(buf, size, "1 to %d printable characters, no comma",
                 TIER_VALUE_MAX - 1);
        break;
    }
}
