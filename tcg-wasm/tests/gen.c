/*
 * A TB is a prologue (fuel, registers from env), random items with labels
 * between them, and an epilogue (registers to env, exit). Each item is one
 * instruction with what it needs around it: a counter before a backward branch,
 * an address in range before an access, a condition before an exit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "gen-int.h"

GenTb gen_tbs[WORLD_MAX_TBS];
uint32_t gen_coverage[TW_NB_CODES];

/* The sequences that tw_fuse() knows. */
static const uint8_t fused[][3] = {
#define F(a, b) { TW_OP_##a, TW_OP_##b, TW_NB_OPS },
    TW_FUSED2(F)
#undef F
#define F(a, b, c) { TW_OP_##a, TW_OP_##b, TW_OP_##c },
        TW_FUSED3(F)
#undef F
};

/* Registers that are always initialised: arguments of any helper. */
enum { ARG_REGS = 7 };

static void choose_regs(Gen *g)
{
    for (unsigned i = 0; i < TW_REG_ENV; i++) {
        if (i < ARG_REGS || rng_percent(g->rng, 25)) {
            g->regs[g->nregs++] = (uint8_t)i;
        }
    }
}

static void put_header(Gen *g)
{
    TwHeader header = {
        .op = TW_OP_ENTRY,
        .guest_insns = (uint16_t)rng_below(g->rng, 100),
        .countdown = 1,
        .id = g->id,
    };

    memcpy(g->tb->code, &header, sizeof(header));
    gen_coverage[TW_OP_ENTRY]++;
    g->tb->nwords = TW_HEADER_WORDS;
}

static void set_size(GenTb *tb)
{
    TwHeader header;

    memcpy(&header, tb->code, sizeof(header));
    header.size = tb->nwords * 8;
    memcpy(tb->code, &header, sizeof(header));
}

/* Returns the word of the branch that is taken when the fuel is used up. */
static uint32_t prologue(Gen *g)
{
    uint32_t branch;

    put_header(g);
    gen_ins(g, TW_OP_LDE32S, 0, 0, 0, ENV(tb_fuel));
    gen_ins(g, TW_OP_ADDI, 0, 0, 0, -1);
    gen_ins(g, TW_OP_STE32, 0, 0, 0, ENV(tb_fuel));
    branch = g->tb->nwords;
    gen_ins(g, TW_OP_BR_ENV_LT0, 1, 0, 0, ENV(tb_fuel));
    for (unsigned i = 0; i < g->nregs; i++) {
        gen_ins(g, TW_OP_LDE64, g->regs[i], 0, 0, ENV(regs) + 8 * g->regs[i]);
    }
    gen_load_vregs(g);
    return branch;
}

static void body(Gen *g, unsigned items, unsigned extra_percent)
{
    for (unsigned i = 0; i < items && g->tb->nwords < GEN_MAX_WORDS - 400;
         i++) {
        if (rng_percent(g->rng, 40)) {
            gen_bind_some(g);
        }
        if (extra_percent && rng_percent(g->rng, extra_percent)) {
            gen_item_fp(g);
        } else if (extra_percent && rng_percent(g->rng, 10)) {
            gen_item_near(g);
        } else if (rng_percent(g->rng, 10)) {
            gen_item_globals(g);
        } else if (rng_percent(g->rng, 15)) {
            gen_item_vecs(g);
        } else if (rng_percent(g->rng, 20)) {
            gen_item_chain(g);
        } else if (rng_percent(g->rng, 30)) {
            const uint8_t *ops =
                fused[rng_below(g->rng, sizeof(fused) / sizeof(fused[0]))];

            for (unsigned j = 0; j < 3 && ops[j] < TW_NB_OPS; j++) {
                gen_item(g, (TwOp)ops[j]);
            }
        } else {
            gen_item(g, (TwOp)rng_below(g->rng, TW_NB_OPS));
        }
    }
    for (unsigned i = 0; i < g->nlabels; i++) {
        if (!g->labels[i].bound) {
            gen_bind(g, i);
        }
    }
}

static void count_fused(const GenTb *tb)
{
    for (uint32_t at = 0; at < tb->nwords;) {
        unsigned code = tb->code[at] & 0xff;

        if (code >= TW_NB_OPS) {
            gen_coverage[code]++;
        }
        at += tw_op_words(tw_insn_at(tb->code, at).op);
    }
}

void gen_tb(Rng *rng, uint32_t id, unsigned items, unsigned extra_percent)
{
    Gen g = { .rng = rng, .tb = &gen_tbs[id], .id = id };
    uint32_t out_of_fuel;

    memset(g.tb, 0, sizeof(*g.tb));
    choose_regs(&g);
    gen_choose_vregs(&g);
    out_of_fuel = prologue(&g);
    body(&g, items, extra_percent);
    if (rng_percent(rng, 60)) {
        gen_exit_goto_tb(&g, 1);
    }
    if (rng_percent(rng, 30)) {
        gen_lookup(&g);
    } else if (!g.used_exit[0] && rng_percent(rng, 75)) {
        gen_goto_tb(&g, 0);
        gen_exit_tb(&g);
    } else {
        gen_dump(&g, true);
        gen_exit_tb(&g);
    }
    gen_fix_branches(&g);
    gen_set_rel(&g, out_of_fuel, g.tb->nwords);
    gen_exit_tb(&g);
    set_size(g.tb);
    if (rng_percent(rng, 50)) {
        tw_fuse(g.tb->code, g.tb->nwords);
        count_fused(g.tb);
    }
}
