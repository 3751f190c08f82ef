/*
 * flush-all: when a module does not fit, all are given up. No bookkeeping, and
 * code that a new phase of the program does not need goes in one sweep; code
 * that it needs is compiled again.
 *
 * The rule of QEMU's tb_flush() when the code buffer is full, and of Dynamo,
 * which flushed its fragment cache to keep it to the working set (Bala,
 * Duesterwald, Banerjia, Dynamo: a transparent dynamic optimization system,
 * PLDI 2000).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../eviction.h"

static void flush_all_make_room(void *state, TierEngine *engine)
{
    uint32_t module;

    (void)state;
    while ((module = tier_module_oldest(engine)) != TIER_NO_MODULE) {
        tier_give_up(engine, module);
    }
}

const TierEviction tier_eviction_flush_all = {
    .summary = "give everything up when a module does not fit",
    .source = "QEMU, tb_flush(); Bala et al., Dynamo, PLDI 2000",
    .make_room = flush_all_make_room,
};
