/*
 * Fuzz target: any text is a spec, or an error of one printable line; a spec
 * that is accepted prints canonically, and the canonical text means the same.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../spec.h"

static void check(bool ok, const char *what, const char *text)
{
    if (!ok) {
        fprintf(stderr, "%s: '%s'\n", what, text);
        abort();
    }
}

static void check_error(const char *err, const char *text)
{
    size_t len = strlen(err);

    check(len > 0 && len < TIER_ERR_MAX - 1, "error is empty or cut off", text);
    for (size_t i = 0; i < len; i++) {
        check(err[i] >= ' ' && err[i] <= '~', "error is not printable", text);
    }
}

static bool same_values(const TierSpec *a, const TierSpec *b)
{
    for (unsigned i = 0; a->policy->params && a->policy->params[i].name; i++) {
        if (a->policy->params[i].type != TIER_PARAM_TEXT &&
            memcmp(&a->values[i], &b->values[i], sizeof(a->values[i])) != 0) {
            return false;
        }
    }
    return a->policy == b->policy && a->eviction == b->eviction &&
           a->buffer == b->buffer &&
           memcmp(a->common, b->common, sizeof(a->common)) == 0 &&
           strcmp(a->text, b->text) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[512], once[TIER_ERR_MAX], twice[TIER_ERR_MAX], err[TIER_ERR_MAX];
    TierSpec spec, again;

    if (size >= sizeof(text)) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    if (!tier_spec_parse(text, &spec, err, sizeof(err))) {
        check_error(err, text);
        return 0;
    }
    check(tier_spec_print(&spec, once, sizeof(once)), "does not print", text);
    check(tier_spec_parse(once, &again, err, sizeof(err)),
          "canonical text is refused", text);
    check(same_values(&spec, &again), "means another thing", text);
    check(tier_spec_print(&again, twice, sizeof(twice)) &&
              strcmp(once, twice) == 0,
          "canonical text is not canonical", text);
    return 0;
}
