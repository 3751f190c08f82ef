/*
 * Policy specs: parser and canonical text.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "spec.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#if defined(__GNUC__)
#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))
#else
#define PRINTF_LIKE(at, first)
#endif

/* A piece of the text that is parsed. */
typedef struct Slice {
    const char *text;
    size_t len;
} Slice;

/* Where the error line goes. */
typedef struct Err {
    char *buf;
    size_t size;
} Err;

/* A user's text, fit to be part of one line of an error. */
typedef struct Quoted {
    char text[48];
} Quoted;

static Quoted quote(Slice slice)
{
    const size_t room = sizeof(((Quoted *)0)->text) - sizeof("...");
    size_t len = slice.len < room ? slice.len : room;
    Quoted q;

    for (size_t i = 0; i < len; i++) {
        char c = slice.text[i];

        q.text[i] = c >= ' ' && c <= '~' ? c : '?';
    }
    memcpy(q.text + len, "...", sizeof("..."));
    if (len == slice.len) {
        q.text[len] = '\0';
    }
    return q;
}

/* Always false, so that a parser can return it. */
PRINTF_LIKE(2, 3) static bool fail(Err err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(err.buf, err.size, format, args);
    va_end(args);
    return false;
}

static bool slice_is(Slice slice, const char *word)
{
    return strlen(word) == slice.len &&
           memcmp(slice.text, word, slice.len) == 0;
}

/* Cut what is before @separator off @rest; false if it is not there. */
static bool cut(Slice *rest, char separator, Slice *head)
{
    const char *at = memchr(rest->text, separator, rest->len);

    *head = *rest;
    if (!at) {
        rest->text += rest->len;
        rest->len = 0;
        return false;
    }
    head->len = (size_t)(at - rest->text);
    rest->text = at + 1;
    rest->len -= head->len + 1;
    return true;
}

static void append(char *buf, size_t size, const char *separator,
                   const char *text)
{
    size_t used = strlen(buf);

    snprintf(buf + used, size - used, "%s%s", used ? separator : "", text);
}

static bool fail_policy(Err err, Slice name)
{
    char valid[TIER_ERR_MAX / 2] = "";

    for (const TierPolicy *const *p = tier_policies; *p; p++) {
        append(valid, sizeof(valid), ", ", (*p)->name);
    }
    if (name.len == 0) {
        return fail(err, "no policy is named: valid policies are %s", valid);
    }
    return fail(err, "unknown policy '%s': valid policies are %s",
                quote(name).text, valid);
}

static bool fail_key(Err err, const TierPolicy *policy, Slice key)
{
    const TierParam *const lists[] = { policy->params, tier_common_params };
    char valid[TIER_ERR_MAX / 2] = "";

    for (unsigned i = 0; i < 2; i++) {
        for (const TierParam *p = lists[i]; p && p->name; p++) {
            append(valid, sizeof(valid), ", ", p->name);
        }
    }
    return fail(err, "%s: unknown parameter '%s': valid parameters are %s",
                policy->name, quote(key).text, valid);
}

static bool fail_value(Err err, const TierPolicy *policy,
                       const TierParam *param, Slice value)
{
    char range[TIER_ERR_MAX / 2];

    tier_param_print_range(param, range, sizeof(range));
    return fail(err, "%s: %s=%s: the value must be %s%s%s", policy->name,
                param->name, quote(value).text, range,
                param->unit[0] ? ", in " : "", param->unit);
}

static const TierPolicy *find_policy(Slice name)
{
    for (const TierPolicy *const *p = tier_policies; *p; p++) {
        if (slice_is(name, (*p)->name)) {
            return *p;
        }
    }
    return NULL;
}

/* Its place in @params; TIER_MAX_PARAMS if it is not there. */
static unsigned find_param(const TierParam *params, Slice key)
{
    for (unsigned i = 0; params && params[i].name; i++) {
        assert(i < TIER_MAX_PARAMS);
        if (slice_is(key, params[i].name)) {
            return i;
        }
    }
    return TIER_MAX_PARAMS;
}

static bool set_value(TierSpec *spec, const TierParam *param, Slice text,
                      TierValue *value, Err err)
{
    if (!tier_value_parse(param, text.text, text.len, value)) {
        return fail_value(err, spec->policy, param, text);
    }
    if (param->type == TIER_PARAM_TEXT) {
        memcpy(spec->text, text.text, text.len);
        spec->text[text.len] = '\0';
        value->text = spec->text;
    }
    return true;
}

/* One `key=value`. @given: a bit for each parameter seen. */
static bool parse_item(TierSpec *spec, Slice item, uint32_t *given, Err err)
{
    const TierPolicy *policy = spec->policy;
    const TierParam *params = policy->params;
    TierValue *values = spec->values;
    unsigned bit = 0;
    Slice key;
    bool has_value;
    unsigned i;

    if (item.len == 0) {
        return fail(err, "%s: a parameter is missing: write %s:key=value,...",
                    policy->name, policy->name);
    }
    has_value = cut(&item, '=', &key);
    i = find_param(params, key);
    if (i == TIER_MAX_PARAMS) {
        params = tier_common_params;
        values = spec->common;
        bit = TIER_MAX_PARAMS;
        i = find_param(params, key);
    }
    if (i == TIER_MAX_PARAMS) {
        return fail_key(err, policy, key);
    }
    if (*given & (1u << (bit + i))) {
        return fail(err, "%s: %s is given twice: give it once", policy->name,
                    params[i].name);
    }
    *given |= 1u << (bit + i);
    if (!has_value) {
        return fail(err, "%s: %s has no value: write %s=VALUE", policy->name,
                    params[i].name, params[i].name);
    }
    return set_value(spec, &params[i], item, &values[i], err);
}

static bool parse_items(TierSpec *spec, Slice rest, Err err)
{
    uint32_t given = 0;
    bool more = true;
    Slice item;

    while (more) {
        more = cut(&rest, ',', &item);
        if (!parse_item(spec, item, &given, err)) {
            return false;
        }
    }
    return true;
}

/* The parameters as they are if nothing is said: @policy's own, and common. */
static void set_defaults(TierSpec *spec, const TierPolicy *policy)
{
    char line[TIER_ERR_MAX];
    Err err = { line, sizeof(line) };

    memset(spec, 0, sizeof(*spec));
    spec->policy = policy;
    for (unsigned i = 0; policy->params && policy->params[i].name; i++) {
        spec->values[i] = policy->params[i].def;
    }
    for (unsigned i = 0; i < TIER_NB_COMMON; i++) {
        spec->common[i] = tier_common_params[i].def;
    }
    if (policy->common) {
        bool ok = parse_items(
            spec, (Slice){ policy->common, strlen(policy->common) }, err);

        assert(ok);
        (void)ok;
    }
}

bool tier_spec_parse(const char *text, TierSpec *spec, char *err,
                     size_t errsize)
{
    Slice rest = { text, strlen(text) };
    Err e = { err, errsize };
    const TierPolicy *policy;
    Slice name;
    bool more = cut(&rest, ':', &name);

    policy = find_policy(name);
    if (!policy) {
        return fail_policy(e, name);
    }
    set_defaults(spec, policy);
    if (more && !parse_items(spec, rest, e)) {
        return false;
    }
    spec->eviction = tier_evictions[spec->common[TIER_COMMON_EVICT].choice];
    spec->buffer = tier_buffers[spec->common[TIER_COMMON_BUFFER].choice];
    return true;
}

/* Where the canonical spec is written. */
typedef struct Out {
    char *buf;
    size_t size;
    size_t len;                 /* over @size: it did not fit */
    char separator;             /* of the next item */
} Out;

static void print_item(Out *out, const TierParam *param, TierValue value)
{
    char text[TIER_VALUE_MAX];

    tier_value_print(param, value, text, sizeof(text));
    if (out->len < out->size) {
        out->len +=
            (size_t)snprintf(out->buf + out->len, out->size - out->len,
                             "%c%s=%s", out->separator, param->name, text);
    }
    out->separator = ',';
}

static bool is_default(const TierParam *param, TierValue a, TierValue b)
{
    return param->type == TIER_PARAM_ENUM ? a.choice == b.choice
                                          : a.u64 == b.u64;
}

bool tier_spec_print(const TierSpec *spec, char *buf, size_t size)
{
    const TierParam *params = spec->policy->params;
    Out out = { .buf = buf, .size = size, .separator = ':' };
    TierSpec defaults;

    set_defaults(&defaults, spec->policy);
    out.len = (size_t)snprintf(buf, size, "%s", spec->policy->name);
    for (unsigned i = 0; params && params[i].name; i++) {
        if (params[i].type != TIER_PARAM_TEXT || spec->values[i].text[0]) {
            print_item(&out, &params[i], spec->values[i]);
        }
    }
    for (unsigned i = 0; i < TIER_NB_COMMON; i++) {
        const TierParam *param = &tier_common_params[i];

        if (!is_default(param, spec->common[i], defaults.common[i])) {
            print_item(&out, param, spec->common[i]);
        }
    }
    return out.len < size;
}
