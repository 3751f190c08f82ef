/*
 * Policy specs: parser, canonical text, JSON.
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
    char valid[TIER_ERR_MAX / 2] = "";

    if (!policy->params) {
        return fail(err, "%s: unknown parameter '%s': it takes none",
                    policy->name, quote(key).text);
    }
    for (const TierParam *p = policy->params; p->name; p++) {
        append(valid, sizeof(valid), ", ", p->name);
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

/* One `key=value` of @spec's policy. @given: a bit for each parameter seen. */
static bool parse_item(TierSpec *spec, Slice item, unsigned *given, Err err)
{
    const TierPolicy *policy = spec->policy;
    const TierParam *param = policy->params;
    Slice key;
    bool has_value;
    unsigned i;

    if (item.len == 0) {
        return fail(err, "%s: a parameter is missing: write %s:key=value,...",
                    policy->name, policy->name);
    }
    has_value = cut(&item, '=', &key);
    while (param && param->name && !slice_is(key, param->name)) {
        param++;
    }
    if (!param || !param->name) {
        return fail_key(err, policy, key);
    }
    i = (unsigned)(param - policy->params);
    if (*given & (1u << i)) {
        return fail(err, "%s: %s is given twice: give it once", policy->name,
                    param->name);
    }
    *given |= 1u << i;
    if (!has_value) {
        return fail(err, "%s: %s has no value: write %s=VALUE", policy->name,
                    param->name, param->name);
    }
    if (!tier_value_parse(param, item.text, item.len, &spec->values[i])) {
        return fail_value(err, policy, param, item);
    }
    return true;
}

bool tier_spec_parse(const char *text, TierSpec *spec, char *err,
                     size_t errsize)
{
    Slice rest = { text, strlen(text) };
    Err e = { err, errsize };
    Slice name, item;
    unsigned given = 0;
    bool more = cut(&rest, ':', &name);

    memset(spec, 0, sizeof(*spec));
    spec->policy = find_policy(name);
    if (!spec->policy) {
        return fail_policy(e, name);
    }
    for (unsigned i = 0; spec->policy->params && spec->policy->params[i].name;
         i++) {
        assert(i < TIER_MAX_PARAMS);
        spec->values[i] = spec->policy->params[i].def;
    }
    while (more) {
        more = cut(&rest, ',', &item);
        if (!parse_item(spec, item, &given, e)) {
            return false;
        }
    }
    return true;
}

bool tier_spec_print(const TierSpec *spec, char *buf, size_t size)
{
    const TierParam *params = spec->policy->params;
    int len = snprintf(buf, size, "%s", spec->policy->name);

    for (unsigned i = 0; params && params[i].name; i++) {
        char value[TIER_VALUE_MAX];

        if (len < 0 || (size_t)len >= size ||
            !tier_value_print(&params[i], spec->values[i], value,
                              sizeof(value))) {
            return false;
        }
        len += snprintf(buf + len, size - (size_t)len, "%c%s=%s", i ? ',' : ':',
                        params[i].name, value);
    }
    return len >= 0 && (size_t)len < size;
}

static void value_json(const TierParam *param, TierValue value, TierJson *json)
{
    char text[TIER_VALUE_MAX];

    tier_value_print(param, value, text, sizeof(text));
    switch (param->type) {
    case TIER_PARAM_U64:
    case TIER_PARAM_DOUBLE:
        tier_json_raw(json, text);
        break;
    case TIER_PARAM_BOOL:
        tier_json_bool(json, value.on);
        break;
    case TIER_PARAM_ENUM:
        tier_json_string(json, text);
        break;
    }
}

void tier_spec_json(const TierSpec *spec, TierJson *json)
{
    const TierParam *params = spec->policy->params;
    char text[TIER_ERR_MAX];

    tier_json_key(json, "name");
    tier_json_string(json, spec->policy->name);
    tier_json_key(json, "spec");
    tier_json_string(json,
                     tier_spec_print(spec, text, sizeof(text)) ? text : NULL);
    tier_json_key(json, "params");
    tier_json_open(json, '{');
    for (unsigned i = 0; params && params[i].name; i++) {
        tier_json_key(json, params[i].name);
        value_json(&params[i], spec->values[i], json);
    }
    tier_json_close(json, '}');
}

static void param_json(const TierParam *param, TierJson *json)
{
    char range[TIER_ERR_MAX];

    tier_json_open(json, '{');
    tier_json_key(json, "name");
    tier_json_string(json, param->name);
    tier_json_key(json, "type");
    tier_json_string(json, tier_param_type_name(param->type));
    tier_json_key(json, "unit");
    tier_json_string(json, param->unit);
    tier_json_key(json, "default");
    value_json(param, param->def, json);
    if (param->type == TIER_PARAM_U64 || param->type == TIER_PARAM_DOUBLE) {
        tier_json_key(json, "min");
        value_json(param, param->min, json);
        tier_json_key(json, "max");
        value_json(param, param->max, json);
    }
    if (param->type == TIER_PARAM_ENUM) {
        tier_json_key(json, "choices");
        tier_json_open(json, '[');
        for (unsigned i = 0; param->choices[i]; i++) {
            tier_json_string(json, param->choices[i]);
        }
        tier_json_close(json, ']');
    }
    tier_param_print_range(param, range, sizeof(range));
    tier_json_key(json, "range");
    tier_json_string(json, range);
    tier_json_key(json, "meaning");
    tier_json_string(json, param->meaning);
    tier_json_close(json, '}');
}

void tier_policy_json(const TierPolicy *policy, TierJson *json)
{
    tier_json_open(json, '{');
    tier_json_key(json, "name");
    tier_json_string(json, policy->name);
    tier_json_key(json, "summary");
    tier_json_string(json, policy->summary);
    tier_json_key(json, "source");
    tier_json_string(json, policy->source);
    tier_json_key(json, "params");
    tier_json_open(json, '[');
    for (const TierParam *p = policy->params; p && p->name; p++) {
        param_json(p, json);
    }
    tier_json_close(json, ']');
    tier_json_close(json, '}');
}
