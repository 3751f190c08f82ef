/*
 * The runtime in miniature.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "play.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void play_start(Play *play, const char *spec, uint64_t seed)
{
    char err[TIER_ERR_MAX];

    memset(play, 0, sizeof(*play));
    play->engine = tier_engine_new(spec, seed, NULL, err, sizeof(err));
    if (!play->engine) {
        fprintf(stderr, "%s\n", err);
        exit(1);
    }
}

uint32_t play_translate(Play *play)
{
    uint32_t id = play->n++;
    TierTb facts = {
        .guest_pc = UINT64_C(0xffffffff80000000) + 16 * id,
        .guest_page = 0x80200000,
        .hash = id,
        .id = id,
        .guest_insns = 5,
        .bytecode_bytes = 400 + 8 * id,
        .translate_ns = 1000,
    };

    assert(id < PLAY_MAX_TBS);
    play->tbs[id].countdown = (int32_t)tier_translated(play->engine, &facts);
    return id;
}

static void compile(Play *play, const TierDecision *d)
{
    TierCost cost = {
        .tier = d->tier,
        .shape = d->shape,
        .module = play->modules++,
        .wasm_bytes = 600 * d->n,
        .table_slots = d->n,
        .emit_ns = 2000,
        .instantiate_ns = 30000,
        .stall_ns = 32000,
        .at_once = true,
    };

    for (uint32_t i = 0; i < d->n; i++) {
        play->tbs[d->ids[i]].compiled = true;
    }
    /* This runtime cannot count in tier 1, so it does not rearm. */
    tier_compiled(play->engine, d->ids, d->n, &cost);
}

static void enter(Play *play, uint32_t id)
{
    PlayTb *tb = &play->tbs[id];

    if (tb->compiled) {
        tb->entries1++;
        return;
    }
    if (--tb->countdown == 0) {
        TierDecision d = tier_hot(play->engine, id, tb->countdown);

        tb->countdown = (int32_t)d.ask_again;
        if (d.tier > 0) {
            compile(play, &d);
        }
    }
    if (tb->compiled) {
        tb->entries1++;
    } else {
        tb->entries0++;
    }
}

void play_enter(Play *play, uint32_t id, uint64_t times)
{
    while (times-- > 0) {
        enter(play, id);
    }
}

void play_settle(Play *play)
{
    for (uint32_t id = 0; id < play->n; id++) {
        tier_settle(play->engine, id, play->tbs[id].countdown);
        tier_executed(play->engine, id, 1, play->tbs[id].entries1);
    }
}

void play_free(Play *play)
{
    tier_engine_free(play->engine);
}
