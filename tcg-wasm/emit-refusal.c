/*
 * Names and meanings of refusals.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-refusal.h"

static const struct {
    const char *key;
    const char *meaning;
} refusals[TW_NB_REFUSALS] = {
#define COMPILE_REFUSAL(name, key, meaning) \
    [TW_REFUSED_##name] = { key, meaning },
#include "tiers/refusals.def"
};

const char *tw_refusal_key(TwRefusal why)
{
    return refusals[why].key;
}

const char *tw_refusal_meaning(TwRefusal why)
{
    return refusals[why].meaning;
}
