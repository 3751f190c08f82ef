/*
 * What TBs are made of: instructions with random operands, labels, exits.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>

#include "gen-int.h"

void gen_put(Gen *g, TwInsn insn)
{
    if (g->tb->nwords >= GEN_MAX_WORDS - 2) {
        abort();
    }
    memcpy(&g->tb->code[g->tb->nwords++], &insn, sizeof(insn));
    gen_coverage[insn.op]++;
}

void gen_ins(Gen *g, TwOp op, unsigned a, unsigned b, unsigned c, int32_t imm)
{
    TwInsn insn = { .op = op, .a = a, .imm = imm };

    insn.b = b;
    insn.c = c;
    gen_put(g, insn);
}

void gen_word(Gen *g, uint64_t v)
{
    g->tb->code[g->tb->nwords++] = v;
}

unsigned gen_reg(Gen *g)
{
    return g->regs[rng_below(g->rng, g->nregs)];
}

unsigned gen_any_reg(Gen *g)
{
    return rng_percent(g->rng, 3) ? TW_REG_ENV + rng_below(g->rng, 2)
                                  : gen_reg(g);
}

int32_t gen_imm32(Gen *g)
{
    return (int32_t)rng_value(g->rng);
}

int32_t gen_mem_ofs(Gen *g, unsigned size)
{
    const TwGlobal *global;

    /*
     * Often the offset of a global, which the access reads whole, in part or
     * exceeds.
     */
    for (int i = 0; i < 4 && world_nglobals; i++) {
        global = &world_globals[rng_below(g->rng, world_nglobals)];
        if (global->ofs < 0
                ? global->ofs <= WORLD_BELOW_OFS + 64 - (int)size
                : global->ofs >= ENV(mem) &&
                      global->ofs <= ENV(mem) + WORLD_MEM_SIZE - (int)size) {
            return global->ofs;
        }
    }
    if (rng_percent(g->rng, 25)) {
        return WORLD_BELOW_OFS + (int32_t)rng_below(g->rng, 65 - size);
    }
    return ENV(mem) + (int32_t)rng_below(g->rng, WORLD_MEM_SIZE + 1 - size);
}

/*
 * Labels.
 */

unsigned gen_new_label(Gen *g)
{
    if (g->nlabels == GEN_MAX_LABELS) {
        abort(); /* callers look at gen_room_for_labels() first */
    }
    g->labels[g->nlabels] = (Label){ false, 0 };
    return g->nlabels++;
}

unsigned gen_forward_label(Gen *g)
{
    unsigned unbound[GEN_MAX_LABELS], n = 0;

    for (unsigned i = 0; i < g->nlabels; i++) {
        if (!g->labels[i].bound) {
            unbound[n++] = i;
        }
    }
    if (n && (g->nlabels == GEN_MAX_LABELS || rng_percent(g->rng, 50))) {
        return unbound[rng_below(g->rng, n)];
    }
    return gen_new_label(g);
}

bool gen_room_for_labels(const Gen *g)
{
    return g->nlabels < GEN_MAX_LABELS - 4;
}

void gen_bind(Gen *g, unsigned label)
{
    g->labels[label] = (Label){ true, g->tb->nwords };
}

void gen_bind_some(Gen *g)
{
    for (unsigned i = 0; i < g->nlabels; i++) {
        if (!g->labels[i].bound && rng_percent(g->rng, 30)) {
            gen_bind(g, i);
            return;
        }
    }
    if (gen_room_for_labels(g) && rng_percent(g->rng, 20)) {
        gen_bind(g, gen_new_label(g));
    }
}

void gen_branch_to(Gen *g, unsigned label, TwOp op, unsigned a, int32_t imm)
{
    g->fixes[g->nfixes++] = (Fix){ g->tb->nwords, label };
    gen_put(g, (TwInsn){ .op = op, .a = a, .imm = imm });
}

void gen_set_rel(Gen *g, uint32_t at, uint32_t target)
{
    TwInsn insn = tw_insn_at(g->tb->code, at);

    insn.rel = (int16_t)((int32_t)target - (int32_t)at);
    memcpy(&g->tb->code[at], &insn, sizeof(insn));
}

void gen_fix_branches(Gen *g)
{
    for (unsigned i = 0; i < g->nfixes; i++) {
        gen_set_rel(g, g->fixes[i].at, g->labels[g->fixes[i].label].at);
    }
}

/*
 * Leaving.
 */

void gen_dump(Gen *g, bool all)
{
    for (unsigned i = 0; i < g->nregs; i++) {
        if (all || rng_percent(g->rng, 50)) {
            gen_ins(g, TW_OP_STE64, g->regs[i], 0, 0,
                    ENV(regs) + 8 * g->regs[i]);
        }
    }
    gen_dump_vregs(g, all);
}

void gen_exit_tb(Gen *g)
{
    uint32_t low = rng_below(g->rng, 4);

    gen_ins(g, TW_OP_EXIT_TB, 0, 0, 0, 0);
    /* As a TB pointer and TB_EXIT_*: without TW_CHAIN's bit. */
    gen_word(g, (uint64_t)g->id << 8 | rng_below(g->rng, 16) << 4 | low);
}

void gen_goto_tb(Gen *g, unsigned n)
{
    g->used_exit[n] = true;
    gen_dump(g, true);
    if (rng_percent(g->rng, 30)) {
        gen_item(g, TW_OP_STEI64); /* as most translations end */
    }
    gen_ins(g, TW_OP_GOTO_TB, n, 0, 0, 0);
    g->tb->target[n] = g->tb->nwords;
    gen_word(g, 0);
}

void gen_goto_ptr(Gen *g)
{
    unsigned r = gen_reg(g);

    gen_dump(g, true);
    gen_ins(g, TW_OP_LDE64, r, 0, 0,
            ENV(ptrs) + 8 * (int32_t)rng_below(g->rng, WORLD_PTRS));
    gen_ins(g, TW_OP_GOTO_PTR, r, 0, 0, 0);
}

void gen_lookup(Gen *g)
{
    unsigned r = gen_reg(g);

    gen_dump(g, true);
    if (rng_percent(g->rng, 80)) {
        gen_ins(g, TW_OP_MOVI, r, 0, 0, (int32_t)rng_below(g->rng, 4) << 10);
        gen_ins(g, TW_OP_STE64, r, 0, 0, ENV(regs) + 8 * WORLD_PC);
    }
    gen_ins(g, TW_OP_LOOKUP, 0, 0, 0, 0);
    gen_word(g, (uintptr_t)world_lookup);
    gen_word(g, rng_below(g->rng, 1000));
}

void gen_call(Gen *g, bool returns)
{
    const WorldHelper *helper = &world_no_return;
    unsigned flags = rng_below(g->rng, 4) << 1 & ~1u;
    uintptr_t fn;

    if (returns) {
        helper = &world_helpers[rng_below(g->rng, world_nb_helpers())];
    } else {
        flags |= TW_CALL_NO_RETURN;
        gen_dump(g, true);
    }
    if (helper->writes_env) {
        flags &= ~(unsigned)TW_CALL_NO_WRITE_GLOBALS;
    }
    fn = helper->fn;
    if (helper->quiet && rng_percent(g->rng, 40)) {
        fn = helper->quiet;
        flags |= TW_CALL_NO_READ_GLOBALS;
    }
    if (helper->takes_env) {
        if (rng_percent(g->rng, 50)) {
            gen_ins(g, TW_OP_MOV, 0, TW_REG_ENV, 0, 0);
        } else {
            gen_ins(g, TW_OP_ADDI, 0, TW_REG_ENV, 0, 0);
        }
    }
    if (rng_percent(g->rng, 50)) {
        gen_ins(g, TW_OP_MOVI, 1, 0, 0, gen_imm32(g));
    }
    gen_ins(g, TW_OP_CALL, 0, 0, flags, (int32_t)helper->sig);
    gen_word(g, fn);
}
