/*
 * Items: one instruction each, with what it needs around it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "gen-int.h"

static void item_conditional(Gen *g, TwOp op, unsigned label)
{
    unsigned a = gen_any_reg(g);
    int32_t imm =
        tw_op_format(op) == TW_FMT_RRB ? (int32_t)gen_any_reg(g) : gen_imm32(g);

    if (tw_op_format(op) == TW_FMT_RIB && rng_percent(g->rng, 30)) {
        imm = 0;
    }
    gen_branch_to(g, label, op, a, imm);
}

/* A branch back to anywhere, as often as the fuel allows. */
static void item_backward(Gen *g, TwOp op)
{
    unsigned bound[GEN_MAX_LABELS], n = 0, skip, r = gen_reg(g);

    for (unsigned i = 0; i < g->nlabels; i++) {
        if (g->labels[i].bound) {
            bound[n++] = i;
        }
    }
    if (n == 0 || !gen_room_for_labels(g)) {
        return;
    }
    skip = gen_new_label(g);
    gen_ins(g, TW_OP_LDE64, r, 0, 0, ENV(branch_fuel));
    gen_ins(g, TW_OP_ADDI, r, r, 0, -1);
    gen_ins(g, TW_OP_STE64, r, 0, 0, ENV(branch_fuel));
    gen_branch_to(g, skip, TW_OP_BRI_LE, r, 0);
    if (op == TW_OP_BR) {
        gen_branch_to(g, bound[rng_below(g->rng, n)], op, 0, 0);
    } else {
        item_conditional(g, op, bound[rng_below(g->rng, n)]);
    }
    gen_bind(g, skip);
}

static void item_branch(Gen *g, TwOp op)
{
    unsigned skip;

    if (rng_percent(g->rng, 25) && op != TW_OP_BR_ENV_LT0) {
        item_backward(g, op);
        return;
    }
    if (!gen_room_for_labels(g)) {
        return;
    }
    if (op == TW_OP_BR_ENV_LT0) {
        unsigned label = gen_forward_label(g), r = gen_reg(g);

        gen_branch_to(g, label, op, r, gen_mem_ofs(g, 4));
    } else if (op != TW_OP_BR) {
        item_conditional(g, op, gen_forward_label(g));
    } else if (rng_percent(g->rng, 50)) {
        gen_branch_to(g, gen_forward_label(g), op, 0,
                      0);   /* dead code follows */
    } else {
        skip = gen_new_label(g);
        item_conditional(g, TW_OP_BRI_LTU, skip);
        gen_branch_to(g, gen_forward_label(g), op, 0, 0);
        gen_bind(g, skip);
    }
}

/* An exit in the middle, usually jumped over. */
static void item_leave(Gen *g, TwOp op)
{
    unsigned skip;

    if (!gen_room_for_labels(g)) {
        return;
    }
    skip = gen_new_label(g);
    item_conditional(
        g, rng_percent(g->rng, 50) ? TW_OP_BRI_NE : TW_OP_BRI32_TSTEQ, skip);
    if (op == TW_OP_EXIT_TB) {
        gen_dump(g, rng_percent(g->rng, 50));
        gen_exit_tb(g);
    } else if (op == TW_OP_GOTO_PTR) {
        gen_goto_ptr(g);
    } else if (op == TW_OP_LOOKUP) {
        gen_lookup(g);
    } else {
        gen_call(g, false);
    }
    gen_bind(g, skip);
}

static void item_goto_tb(Gen *g)
{
    unsigned n = rng_below(g->rng, 2);

    if (!g->used_exit[n]) {
        gen_goto_tb(g, n);
    }
}

void gen_exit_goto_tb(Gen *g, unsigned n)
{
    unsigned skip;

    if (g->used_exit[n] || !gen_room_for_labels(g)) {
        return;
    }
    skip = gen_new_label(g);
    item_conditional(g, TW_OP_BRI_EQ + rng_below(g->rng, TW_NB_CONDS), skip);
    gen_goto_tb(g, n);
    gen_exit_tb(g);
    gen_bind(g, skip);
}

/* A pointer into host[] in a register, or env or the frame. */
unsigned gen_base(Gen *g, unsigned size, int32_t *ofs)
{
    unsigned r = gen_reg(g);

    switch (rng_below(g->rng, 5)) {
    case 0:
        *ofs = gen_mem_ofs(g, size);
        return TW_REG_ENV;
    case 1:
        *ofs = GEN_FRAME_OFS + (int32_t)rng_below(g->rng, GEN_FRAME_SIZE);
        return TW_REG_FRAME;
    case 2:
        gen_ins(g, TW_OP_ADDI, r, TW_REG_ENV, 0, gen_mem_ofs(g, size));
        *ofs = 0;
        return r;
    case 3:
        gen_ins(g, TW_OP_ADDI, r, TW_REG_ENV, 0, ENV(mem) + 64);
        *ofs = (int32_t)rng_below(g->rng, 96) - 48;
        return r;
    default:
        gen_ins(g, TW_OP_LDE64, r, 0, 0, ENV(host_ptr));
        *ofs = (int32_t)rng_below(g->rng, 400) - 200;
        return r;
    }
}

static void item_guest(Gen *g, TwOp op)
{
    static const uint8_t aligns[] = { 0, 0, 0, 7, 7, 1, 2, 3, 4, 5 };
    unsigned r = gen_reg(g), mmu = rng_below(g->rng, WORLD_NB_MMU);
    int size = tw_qmem_size(op);
    uint32_t oi = mmu;
    uint64_t page = world.pages[rng_below(g->rng, WORLD_NB_PAGES)];
    uint64_t addr = page << WORLD_PAGE_BITS;

    if (size < 0) {
        size = (int)rng_below(g->rng, 4);
        oi |= rng_below(g->rng, 4) << 7;
    } else if (op == TW_OP_QLD8S || op == TW_OP_QLD16S || op == TW_OP_QLD32S) {
        oi |= TW_MEMOP_SIGN;
    }
    oi |= (uint32_t)size << 4;
    oi |= (uint32_t)aligns[rng_below(g->rng, sizeof(aligns))] << 9;
    switch (rng_below(g->rng, 6)) {
    case 0: /* wild */
        r = gen_any_reg(g);
        break;
    case 1: /* low pages */
        gen_ins(g, TW_OP_ANDI, r, gen_any_reg(g), 0, 0x7fff);
        break;
    case 2: /* the end of a page */
        gen_ins(g, TW_OP_MOVI64, r, 0, 0, 0);
        gen_word(g, addr + (1 << WORLD_PAGE_BITS) - 1 - rng_below(g->rng, 10));
        break;
    case 3: /* aligned */
        gen_ins(g, TW_OP_MOVI64, r, 0, 0, 0);
        gen_word(g, addr + 8 * rng_below(g->rng, 512));
        break;
    case 4:
        gen_ins(g, TW_OP_MOVI, r, 0, 0, (int32_t)rng_below(g->rng, 0x8000));
        break;
    default: /* not constant, in a page that is likely mapped */
        gen_ins(g, TW_OP_MOVI64, r, 0, 0, 0);
        gen_word(g, addr);
        gen_ins(g, TW_OP_DEPOSIT, r, r, gen_any_reg(g),
                0 | (WORLD_PAGE_BITS << 8));
        break;
    }
    gen_ins(g, op, tw_qmem_is_store(op) ? gen_any_reg(g) : gen_reg(g), r, mmu,
            (int32_t)oi);
}

static void item_host(Gen *g, TwOp op)
{
    int32_t ofs;
    unsigned base = gen_base(g, 8, &ofs);

    gen_ins(g, op, tw_op_format(op) == TW_FMT_ST ? gen_any_reg(g) : gen_reg(g),
            base, 0, ofs);
}

static void two_regs(Gen *g, unsigned *a, unsigned *b)
{
    *a = gen_reg(g);
    do {
        *b = gen_reg(g);
    } while (*b == *a);
}

static void item_other(Gen *g, TwOp op)
{
    unsigned a, b, c, d, e;

    switch (op) {
    case TW_OP_MB:
        gen_ins(g, op, 0, 0, 0, (int32_t)rng_below(g->rng, 64));
        break;
    case TW_OP_CALL:
        if (rng_percent(g->rng, 10)) {
            item_leave(g, op);
        } else {
            gen_call(g, true);
        }
        break;
    case TW_OP_EXIT_TB:
    case TW_OP_GOTO_PTR:
    case TW_OP_LOOKUP:
        item_leave(g, op);
        break;
    case TW_OP_GOTO_TB:
        item_goto_tb(g);
        break;
    case TW_OP_MULU2:
    case TW_OP_MULS2:
    case TW_OP_MULU2_32:
    case TW_OP_MULS2_32:
        two_regs(g, &a, &b);
        c = gen_any_reg(g);
        gen_ins(g, op, a, b, c, (int32_t)gen_any_reg(g));
        break;
    default: /* R6 */
        two_regs(g, &a, &b);
        c = gen_any_reg(g);
        d = gen_any_reg(g);
        e = gen_any_reg(g);
        gen_ins(g, op, a, b, c, (int32_t)(d | e << 8 | gen_any_reg(g) << 16));
        break;
    }
}

void gen_item(Gen *g, TwOp op)
{
    unsigned a, b, c, d, e, pos;
    int16_t value;

    switch (tw_op_format(op)) {
    case TW_FMT_ENTRY:
        break;
    case TW_FMT_RR:
        a = gen_reg(g);
        gen_ins(g, op, a, gen_any_reg(g), 0, 0);
        break;
    case TW_FMT_RRR:
        a = gen_reg(g);
        b = gen_any_reg(g);
        gen_ins(g, op, a, b, gen_any_reg(g), 0);
        break;
    case TW_FMT_RI:
        a = gen_reg(g);
        gen_ins(g, op, a, 0, 0, gen_imm32(g));
        break;
    case TW_FMT_RRI:
        a = gen_reg(g);
        b = gen_any_reg(g);
        gen_ins(g, op, a, b, 0, gen_imm32(g));
        break;
    case TW_FMT_RI64:
        gen_ins(g, op, gen_reg(g), 0, 0, 0);
        gen_word(g, rng_value(g->rng));
        break;
    case TW_FMT_FIELD:
        a = gen_reg(g);
        b = gen_any_reg(g);
        pos = rng_below(g->rng, 64);
        gen_ins(g, op, a, b, pos,
                (int32_t)(rng_percent(g->rng, 30)
                              ? 64 - pos
                              : 1 + rng_below(g->rng, 64 - pos)));
        break;
    case TW_FMT_DEPOSIT:
        a = gen_reg(g);
        b = gen_any_reg(g);
        c = gen_any_reg(g);
        pos = rng_below(g->rng, 64);
        gen_ins(g, op, a, b, c,
                (int32_t)(pos | (1 + rng_below(g->rng, 64 - pos)) << 8));
        break;
    case TW_FMT_MOVCOND:
        a = gen_reg(g);
        b = gen_any_reg(g);
        c = gen_any_reg(g);
        d = gen_any_reg(g);
        e = gen_any_reg(g);
        gen_ins(g, op, a, b, c,
                (int32_t)(d | e << 8 | rng_below(g->rng, TW_NB_CONDS) << 16));
        break;
    case TW_FMT_B:
    case TW_FMT_RRB:
    case TW_FMT_RIB:
    case TW_FMT_EB:
        item_branch(g, op);
        break;
    case TW_FMT_LD:
    case TW_FMT_ST:
        item_host(g, op);
        break;
    case TW_FMT_LDE:
        a = gen_reg(g);
        gen_ins(g, op, a, 0, 0, gen_mem_ofs(g, 8));
        break;
    case TW_FMT_STE:
        a = gen_any_reg(g);
        gen_ins(g, op, a, 0, 0, gen_mem_ofs(g, 8));
        break;
    case TW_FMT_STEI:
        value = (int16_t)rng_value(g->rng);
        gen_put(g,
                (TwInsn){ .op = op, .rel = value, .imm = gen_mem_ofs(g, 8) });
        break;
    case TW_FMT_QMEM:
        item_guest(g, op);
        break;
    case TW_FMT_VLD:
    case TW_FMT_VST:
    case TW_FMT_VI64:
    case TW_FMT_VOP:
        gen_item_vec(g, op);
        break;
    default:
        item_other(g, op);
        break;
    }
}

void gen_item_near(Gen *g)
{
    unsigned base = gen_reg(g), near = gen_reg(g);
    unsigned mmu = rng_below(g->rng, WORLD_NB_MMU);
    uint64_t page = world.pages[rng_below(g->rng, WORLD_NB_PAGES)];
    uint64_t in_page = rng_below(g->rng, 1 << WORLD_PAGE_BITS);

    gen_ins(g, TW_OP_MOVI64, base, 0, 0, 0);
    gen_word(g, (page << WORLD_PAGE_BITS) + in_page);
    for (unsigned n = 2 + rng_below(g->rng, 5); n; n--) {
        TwOp op = TW_OP_QLD8U + rng_below(g->rng, TW_OP_QLDX - TW_OP_QLD8U);
        int32_t distance = (int32_t)rng_below(g->rng, 600) - 300;
        uint32_t oi = mmu | (uint32_t)tw_qmem_size(op) << 4;

        if (op == TW_OP_QLD8S || op == TW_OP_QLD16S || op == TW_OP_QLD32S) {
            oi |= TW_MEMOP_SIGN;
        }
        gen_ins(g, TW_OP_ADDI, near, base, 0, distance);
        gen_ins(g, op, gen_reg(g), near, mmu, (int32_t)oi);
        if (rng_percent(g->rng, 20)) {
            gen_call(g, true);
        }
    }
}

/* A load or store of a global, whole. */
static void item_global(Gen *g)
{
    const TwGlobal *global;
    unsigned size, is_signed;

    if (!world_nglobals) {
        return;
    }
    global = &world_globals[rng_below(g->rng, world_nglobals)];
    size = (unsigned)__builtin_ctz(global->size);
    switch (rng_below(g->rng, 4)) {
    case 0:
        gen_put(g, (TwInsn){ .op = (uint8_t)(TW_OP_STEI8 + size),
                             .rel = (int16_t)rng_value(g->rng),
                             .imm = global->ofs });
        break;
    case 1:
        gen_ins(g, TW_OP_STE8 + size, gen_any_reg(g), 0, 0, global->ofs);
        break;
    default:
        is_signed = size < 3 && rng_percent(g->rng, 50);
        gen_ins(g, TW_OP_LDE8U + 2 * size + is_signed, gen_reg(g), 0, 0,
                global->ofs);
        break;
    }
}

void gen_item_globals(Gen *g)
{
    for (unsigned i = 1 + rng_below(g->rng, 4); i > 0; i--) {
        item_global(g);
    }
}

/* As guest code often is: load from env, compute, store to env. */
void gen_item_chain(Gen *g)
{
    unsigned r = gen_reg(g);
    unsigned n = rng_below(g->rng, 4);

    gen_ins(g, TW_OP_LDE64, r, 0, 0, gen_mem_ofs(g, 8));
    for (unsigned i = 0; i < n; i++) {
        TwOp op = TW_OP_ADD + rng_below(g->rng, TW_OP_DEPOSIT - TW_OP_ADD + 1);
        unsigned first = g->tb->nwords;
        TwInsn insn;

        gen_item(g, op);
        insn = tw_insn_at(g->tb->code, first);
        insn.a = r;
        insn.b = r;
        memcpy(&g->tb->code[first], &insn, sizeof(insn));
    }
    if (rng_percent(g->rng, 70)) {
        gen_ins(g, TW_OP_STE64, r, 0, 0, gen_mem_ofs(g, 8));
    } else {
        gen_ins(g, TW_OP_ST32, r, TW_REG_FRAME, 0, GEN_FRAME_OFS + 8);
    }
    if (rng_percent(g->rng, 60)) {
        gen_ins(g, TW_OP_MOVI, r, 0, 0, gen_imm32(g)); /* r was dead */
    }
}
