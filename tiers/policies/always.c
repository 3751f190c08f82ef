/*
 * always: each TB is compiled before its first execution, as an emulator
 * without an interpreter would. Shows what compiling cold code costs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../single.h"

static uint32_t always_translated(void *state, TierEngine *engine,
                                  const TierTb *tb)
{
    (void)state;
    (void)engine;
    (void)tb;
    return 1;
}

const TierPolicy tier_policy_always = {
    .name = "always",
    .summary = "compile each TB before its first execution",
    .source = "baseline",
    .translated = always_translated,
    .hot = tier_single_hot,
};
