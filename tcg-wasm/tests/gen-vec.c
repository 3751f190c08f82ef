/*
 * Items with vectors.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "gen-int.h"

uint32_t gen_vec_coverage[TW_NB_VEC_OPS][4];
uint32_t gen_vld_coverage[TW_NB_VEC_LOADS];

static unsigned any_vreg(Gen *g)
{
    return TW_REG_V0 + rng_below(g->rng, g->nvregs);
}

static int32_t vreg_ofs(unsigned reg)
{
    return ENV(vecs) + 16 * (int32_t)(reg - TW_REG_V0);
}

void gen_choose_vregs(Gen *g)
{
    g->nvregs =
        rng_percent(g->rng, 40) ? 0 : 1 + rng_below(g->rng, TW_NB_VREGS);
}

void gen_load_vregs(Gen *g)
{
    for (unsigned i = 0; i < g->nvregs; i++) {
        gen_ins(g, TW_OP_VLD, TW_REG_V0 + i, TW_REG_ENV, TW_VLD_128,
                vreg_ofs(TW_REG_V0 + i));
    }
}

void gen_dump_vregs(Gen *g, bool all)
{
    for (unsigned i = 0; i < g->nvregs; i++) {
        if (all || rng_percent(g->rng, 50)) {
            gen_ins(g, TW_OP_VST, TW_REG_V0 + i, TW_REG_ENV, 4,
                    vreg_ofs(TW_REG_V0 + i));
        }
    }
}

static void item_load(Gen *g)
{
    unsigned load = rng_below(g->rng, TW_NB_VEC_LOADS);
    int32_t ofs;
    unsigned base = gen_base(g, 1u << tw_vld_size(load), &ofs);

    gen_vld_coverage[load]++;
    gen_ins(g, TW_OP_VLD, any_vreg(g), base, load, ofs);
}

static void item_store(Gen *g)
{
    unsigned size = 3 + rng_below(g->rng, 2);
    int32_t ofs;
    unsigned base = gen_base(g, 1u << size, &ofs);

    gen_ins(g, TW_OP_VST, any_vreg(g), base, size, ofs);
}

static void item_op(Gen *g)
{
    TwVecOp op = (TwVecOp)rng_below(g->rng, TW_NB_VEC_OPS);
    TwVecKind kind = (TwVecKind)tw_vec_kinds[op];
    unsigned size = tw_vec_kind_has_size(kind, 3) ? rng_below(g->rng, 4) : 0;
    unsigned a = any_vreg(g), b = any_vreg(g), c = any_vreg(g);

    if (kind == TW_VEC_KIND_DUP) {
        b = gen_any_reg(g);
    } else if (kind == TW_VEC_KIND_SHIFTI) {
        c = rng_below(g->rng, 8u << size);
    } else if (kind == TW_VEC_KIND_SHIFTS) {
        c = gen_any_reg(g);
    }
    gen_vec_coverage[op][size]++;
    gen_ins(g, TW_OP_VOP, a, b, c, tw_vop_imm(op, size, any_vreg(g)));
}

void gen_item_vec(Gen *g, TwOp op)
{
    if (g->nvregs == 0) {
        return;
    }
    switch (op) {
    case TW_OP_VLD:
        item_load(g);
        break;
    case TW_OP_VST:
        item_store(g);
        break;
    case TW_OP_VI64:
        gen_ins(g, op, any_vreg(g), 0, 0, 0);
        gen_word(g, rng_value(g->rng));
        break;
    default:
        item_op(g);
        break;
    }
}

/* A guest's load of a vector: two stores to env. Often it is used soon. */
static void item_pair(Gen *g)
{
    int32_t ofs = gen_mem_ofs(g, 16);

    gen_ins(g, TW_OP_STE64, gen_any_reg(g), 0, 0, ofs);
    gen_ins(g, TW_OP_STE64, gen_any_reg(g), 0, 0, ofs + 8);
    if (rng_percent(g->rng, 30)) {
        gen_item_vec(g, TW_OP_VOP);
    }
    if (rng_percent(g->rng, 80)) {
        gen_ins(g, TW_OP_VLD, any_vreg(g), TW_REG_ENV, TW_VLD_128, ofs);
    }
}

/* As TCG expands a guest's vector instruction. */
void gen_item_vecs(Gen *g)
{
    if (g->nvregs && rng_percent(g->rng, 30)) {
        item_pair(g);
    }
    for (unsigned i = rng_below(g->rng, 3); i > 0; i--) {
        gen_item_vec(g, TW_OP_VLD);
    }
    for (unsigned i = 1 + rng_below(g->rng, 4); i > 0; i--) {
        gen_item_vec(g, TW_OP_VOP);
    }
    gen_item_vec(g, TW_OP_VST);
}
