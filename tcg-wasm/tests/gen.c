/*
 * A TB is a prologue (fuel, registers from env), random items with labels
 * between them, and an epilogue (registers to env, exit). Each item is one
 * instruction with what it needs around it: a counter before a backward branch,
 * an address in range before an access, a condition before an exit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>

#include "gen.h"

GenTb gen_tbs[WORLD_MAX_TBS];
uint32_t gen_coverage[TW_NB_OPS];

/* Registers that are always initialised: arguments of any helper. */
enum { ARG_REGS = 7 };

typedef struct Label {
    bool bound;
    uint32_t at;
} Label;

typedef struct Fix {
    uint32_t at;
    uint32_t label;
} Fix;

typedef struct Gen {
    Rng *rng;
    GenTb *tb;
    uint32_t id;
    uint8_t regs[TW_REG_ENV];   /* the ones in use */
    unsigned nregs;
    Label labels[GEN_MAX_LABELS];
    unsigned nlabels;
    Fix fixes[GEN_MAX_WORDS];
    unsigned nfixes;
    bool used_exit[2];
} Gen;

#define ENV(field) ((int32_t)offsetof(Env, field))

static const TwOp ld_ptr = sizeof(void *) == 8 ? TW_OP_LDE64 : TW_OP_LDE32U;

static void put(Gen *g, TwInsn insn)
{
    if (g->tb->nwords >= GEN_MAX_WORDS - 2) {
        abort();
    }
    memcpy(&g->tb->code[g->tb->nwords++], &insn, sizeof(insn));
    gen_coverage[insn.op]++;
}

static void ins(Gen *g, TwOp op, unsigned a, unsigned b, unsigned c,
                int32_t imm)
{
    TwInsn insn = { .op = op, .a = a, .imm = imm };

    insn.b = b;
    insn.c = c;
    put(g, insn);
}

static void word(Gen *g, uint64_t v)
{
    g->tb->code[g->tb->nwords++] = v;
}

static unsigned reg(Gen *g)
{
    return g->regs[rng_below(g->rng, g->nregs)];
}

/* A register to read: now and then one of the read-only ones. */
static unsigned any_reg(Gen *g)
{
    return rng_percent(g->rng, 3) ? TW_REG_ENV + rng_below(g->rng, 2) : reg(g);
}

static int32_t imm32(Gen *g)
{
    return (int32_t)rng_value(g->rng);
}

/* An offset from env at which @size bytes are free for all. */
static int32_t mem_ofs(Gen *g, unsigned size)
{
    if (rng_percent(g->rng, 25)) {
        return WORLD_BELOW_OFS + (int32_t)rng_below(g->rng, 65 - size);
    }
    return ENV(mem) + (int32_t)rng_below(g->rng, WORLD_MEM_SIZE + 1 - size);
}

/*
 * Labels.
 */

static unsigned forward_label(Gen *g)
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
    if (g->nlabels == GEN_MAX_LABELS) {
        abort();    /* callers look at room_for_labels() first */
    }
    g->labels[g->nlabels] = (Label){ false, 0 };
    return g->nlabels++;
}

static bool room_for_labels(const Gen *g)
{
    return g->nlabels < GEN_MAX_LABELS - 4;
}

static void bind(Gen *g, unsigned label)
{
    g->labels[label] = (Label){ true, g->tb->nwords };
}

static void bind_some(Gen *g)
{
    for (unsigned i = 0; i < g->nlabels; i++) {
        if (!g->labels[i].bound && rng_percent(g->rng, 30)) {
            bind(g, i);
            return;
        }
    }
    if (room_for_labels(g) && rng_percent(g->rng, 20)) {
        bind(g, g->nlabels++);
    }
}

static void branch_to(Gen *g, unsigned label, TwOp op, unsigned a, int32_t imm)
{
    g->fixes[g->nfixes++] = (Fix){ g->tb->nwords, label };
    put(g, (TwInsn){ .op = op, .a = a, .imm = imm });
}

static void set_rel(Gen *g, uint32_t at, uint32_t target)
{
    TwInsn insn = tw_insn_at(g->tb->code, at);

    insn.rel = (int16_t)((int32_t)target - (int32_t)at);
    memcpy(&g->tb->code[at], &insn, sizeof(insn));
}

static void fix_branches(Gen *g)
{
    for (unsigned i = 0; i < g->nfixes; i++) {
        set_rel(g, g->fixes[i].at, g->labels[g->fixes[i].label].at);
    }
}

/*
 * Leaving.
 */

/* Registers to env: all, or (so that some are dead) a part. */
static void dump(Gen *g, bool all)
{
    for (unsigned i = 0; i < g->nregs; i++) {
        if (all || rng_percent(g->rng, 50)) {
            ins(g, TW_OP_STE64, g->regs[i], 0, 0, ENV(regs) + 8 * g->regs[i]);
        }
    }
}

static void exit_tb(Gen *g)
{
    ins(g, TW_OP_EXIT_TB, 0, 0, 0, 0);
    /* As a TB pointer and TB_EXIT_*: without TW_CHAIN's bit. */
    word(g, (uint64_t)g->id << 8 | rng_below(g->rng, 16) << 4 |
                rng_below(g->rng, 4));
}

static void goto_tb(Gen *g, unsigned n)
{
    g->used_exit[n] = true;
    dump(g, true);
    ins(g, TW_OP_GOTO_TB, n, 0, 0, 0);
    word(g, (uintptr_t)&world.slots[g->id][n]);
    g->tb->slot_next[n] = g->tb->nwords;
}

static void goto_ptr(Gen *g)
{
    unsigned r = reg(g);

    dump(g, true);
    ins(g, ld_ptr, r, 0, 0,
        ENV(ptrs) + (int32_t)(sizeof(void *) * rng_below(g->rng, WORLD_PTRS)));
    ins(g, TW_OP_GOTO_PTR, r, 0, 0, 0);
}

static void call(Gen *g, bool returns)
{
    const WorldHelper *helper = &world_no_return;
    unsigned flags = rng_below(g->rng, 4) << 1 & ~1u;
    uintptr_t fn;

    if (returns) {
        helper = &world_helpers[rng_below(g->rng, world_nb_helpers())];
    } else {
        flags |= TW_CALL_NO_RETURN;
        dump(g, true);
    }
    fn = helper->fn;
    if (helper->quiet && rng_percent(g->rng, 40)) {
        fn = helper->quiet;
        flags |= TW_CALL_NO_READ_GLOBALS;
    }
    if (helper->takes_env) {
        if (rng_percent(g->rng, 50)) {
            ins(g, TW_OP_MOV, 0, TW_REG_ENV, 0, 0);
        } else {
            ins(g, TW_OP_ADDI, 0, TW_REG_ENV, 0, 0);
        }
    }
    if (rng_percent(g->rng, 50)) {
        ins(g, TW_OP_MOVI, 1, 0, 0, imm32(g));
    }
    ins(g, TW_OP_CALL, 0, 0, flags, (int32_t)helper->sig);
    word(g, fn);
}

/*
 * Items by format.
 */

static void item_conditional(Gen *g, TwOp op, unsigned label)
{
    unsigned a = any_reg(g);
    int32_t imm =
        tw_op_format(op) == TW_FMT_RRB ? (int32_t)any_reg(g) : imm32(g);

    if (tw_op_format(op) == TW_FMT_RIB && rng_percent(g->rng, 30)) {
        imm = 0;
    }
    branch_to(g, label, op, a, imm);
}

/* A branch back to anywhere, as often as the fuel allows. */
static void item_backward(Gen *g, TwOp op)
{
    unsigned bound[GEN_MAX_LABELS], n = 0, skip, r = reg(g);

    for (unsigned i = 0; i < g->nlabels; i++) {
        if (g->labels[i].bound) {
            bound[n++] = i;
        }
    }
    if (n == 0 || !room_for_labels(g)) {
        return;
    }
    skip = g->nlabels++;
    g->labels[skip] = (Label){ false, 0 };
    ins(g, TW_OP_LDE64, r, 0, 0, ENV(branch_fuel));
    ins(g, TW_OP_ADDI, r, r, 0, -1);
    ins(g, TW_OP_STE64, r, 0, 0, ENV(branch_fuel));
    branch_to(g, skip, TW_OP_BRI_LE, r, 0);
    if (op == TW_OP_BR) {
        branch_to(g, bound[rng_below(g->rng, n)], op, 0, 0);
    } else {
        item_conditional(g, op, bound[rng_below(g->rng, n)]);
    }
    bind(g, skip);
}

static void item_branch(Gen *g, TwOp op)
{
    unsigned skip;

    if (rng_percent(g->rng, 25) && op != TW_OP_BR_ENV_LT0) {
        item_backward(g, op);
        return;
    }
    if (!room_for_labels(g)) {
        return;
    }
    if (op == TW_OP_BR_ENV_LT0) {
        branch_to(g, forward_label(g), op, reg(g), mem_ofs(g, 4));
    } else if (op != TW_OP_BR) {
        item_conditional(g, op, forward_label(g));
    } else if (rng_percent(g->rng, 50)) {
        branch_to(g, forward_label(g), op, 0, 0);   /* dead code follows */
    } else {
        skip = g->nlabels++;
        g->labels[skip] = (Label){ false, 0 };
        item_conditional(g, TW_OP_BRI_LTU, skip);
        branch_to(g, forward_label(g), op, 0, 0);
        bind(g, skip);
    }
}

/* An exit in the middle, usually jumped over. */
static void item_leave(Gen *g, TwOp op)
{
    unsigned skip;

    if (!room_for_labels(g)) {
        return;
    }
    skip = g->nlabels++;
    g->labels[skip] = (Label){ false, 0 };
    item_conditional(
        g, rng_percent(g->rng, 50) ? TW_OP_BRI_NE : TW_OP_BRI32_TSTEQ, skip);
    if (op == TW_OP_EXIT_TB) {
        dump(g, rng_percent(g->rng, 50));
        exit_tb(g);
    } else if (op == TW_OP_GOTO_PTR) {
        goto_ptr(g);
    } else {
        call(g, false);
    }
    bind(g, skip);
}

static void item_goto_tb(Gen *g)
{
    unsigned n = rng_below(g->rng, 2);

    if (!g->used_exit[n]) {
        goto_tb(g, n);
    }
}

/* A pointer into host[] in a register, or env or the frame: base and offset. */
static unsigned item_base(Gen *g, int32_t *ofs)
{
    unsigned r = reg(g);

    switch (rng_below(g->rng, 5)) {
    case 0:
        *ofs = mem_ofs(g, 8);
        return TW_REG_ENV;
    case 1:
        *ofs = (int32_t)offsetof(TwFrame, spill) +
               (int32_t)rng_below(g->rng, 120 * 8);
        return TW_REG_FRAME;
    case 2:
        ins(g, TW_OP_ADDI, r, TW_REG_ENV, 0, mem_ofs(g, 8));
        *ofs = 0;
        return r;
    case 3:
        ins(g, TW_OP_ADDI, r, TW_REG_ENV, 0, ENV(mem) + 64);
        *ofs = (int32_t)rng_below(g->rng, 96) - 48;
        return r;
    default:
        ins(g, ld_ptr, r, 0, 0, ENV(host_ptr));
        *ofs = (int32_t)rng_below(g->rng, 400) - 200;
        return r;
    }
}

static void item_guest(Gen *g, TwOp op)
{
    static const uint8_t aligns[] = { 0, 0, 0, 7, 7, 1, 2, 3, 4, 5 };
    unsigned r = reg(g), mmu = rng_below(g->rng, WORLD_NB_MMU);
    int size = tw_qmem_size(op);
    uint32_t oi = mmu;
    uint64_t page = world.pages[rng_below(g->rng, WORLD_NB_PAGES)];
    uint64_t addr = page << WORLD_PAGE_BITS;

    if (size < 0) {
        size = (int)rng_below(g->rng, 4);
        oi |= rng_below(g->rng, 2) << 8 | rng_below(g->rng, 2) << 7;
    } else if (op == TW_OP_QLD8S || op == TW_OP_QLD16S || op == TW_OP_QLD32S) {
        oi |= TW_MEMOP_SIGN;
    }
    oi |= (uint32_t)size << 4;
    oi |= (uint32_t)aligns[rng_below(g->rng, sizeof(aligns))] << 9;
    switch (rng_below(g->rng, 6)) {
    case 0: /* wild */
        r = any_reg(g);
        break;
    case 1: /* low pages */
        ins(g, TW_OP_ANDI, r, any_reg(g), 0, 0x7fff);
        break;
    case 2: /* the end of a page */
        ins(g, TW_OP_MOVI64, r, 0, 0, 0);
        word(g, addr + (1 << WORLD_PAGE_BITS) - 1 - rng_below(g->rng, 10));
        break;
    case 3: /* aligned */
        ins(g, TW_OP_MOVI64, r, 0, 0, 0);
        word(g, addr + 8 * rng_below(g->rng, 512));
        break;
    case 4:
        ins(g, TW_OP_MOVI, r, 0, 0, (int32_t)rng_below(g->rng, 0x8000));
        break;
    default: /* not constant, in a page that is likely mapped */
        ins(g, TW_OP_MOVI64, r, 0, 0, 0);
        word(g, addr);
        ins(g, TW_OP_DEPOSIT, r, r, any_reg(g), 0 | (WORLD_PAGE_BITS << 8));
        break;
    }
    ins(g, op, tw_qmem_is_store(op) ? any_reg(g) : reg(g), r, mmu, (int32_t)oi);
}

static void item_host(Gen *g, TwOp op)
{
    int32_t ofs;
    unsigned base = item_base(g, &ofs);

    ins(g, op, tw_op_format(op) == TW_FMT_ST ? any_reg(g) : reg(g), base, 0,
        ofs);
}

static void two_regs(Gen *g, unsigned *a, unsigned *b)
{
    *a = reg(g);
    do {
        *b = reg(g);
    } while (*b == *a);
}

static void item_other(Gen *g, TwOp op)
{
    unsigned a, b;

    switch (op) {
    case TW_OP_MB:
        ins(g, op, 0, 0, 0, (int32_t)rng_below(g->rng, 64));
        break;
    case TW_OP_CALL:
        if (rng_percent(g->rng, 10)) {
            item_leave(g, op);
        } else {
            call(g, true);
        }
        break;
    case TW_OP_EXIT_TB:
    case TW_OP_GOTO_PTR:
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
        ins(g, op, a, b, any_reg(g), (int32_t)any_reg(g));
        break;
    default: /* R6 */
        two_regs(g, &a, &b);
        ins(g, op, a, b, any_reg(g),
            (int32_t)(any_reg(g) | any_reg(g) << 8 | any_reg(g) << 16));
        break;
    }
}

static void item(Gen *g, TwOp op)
{
    unsigned pos;

    switch (tw_op_format(op)) {
    case TW_FMT_ENTRY:
        break;
    case TW_FMT_RR:
        ins(g, op, reg(g), any_reg(g), 0, 0);
        break;
    case TW_FMT_RRR:
        ins(g, op, reg(g), any_reg(g), any_reg(g), 0);
        break;
    case TW_FMT_RI:
        ins(g, op, reg(g), 0, 0, imm32(g));
        break;
    case TW_FMT_RRI:
        ins(g, op, reg(g), any_reg(g), 0, imm32(g));
        break;
    case TW_FMT_RI64:
        ins(g, op, reg(g), 0, 0, 0);
        word(g, rng_value(g->rng));
        break;
    case TW_FMT_FIELD:
        pos = rng_below(g->rng, 64);
        ins(g, op, reg(g), any_reg(g), pos,
            (int32_t)(rng_percent(g->rng, 30)
                          ? 64 - pos
                          : 1 + rng_below(g->rng, 64 - pos)));
        break;
    case TW_FMT_DEPOSIT:
        pos = rng_below(g->rng, 64);
        ins(g, op, reg(g), any_reg(g), any_reg(g),
            (int32_t)(pos | (1 + rng_below(g->rng, 64 - pos)) << 8));
        break;
    case TW_FMT_MOVCOND:
        ins(g, op, reg(g), any_reg(g), any_reg(g),
            (int32_t)(any_reg(g) | any_reg(g) << 8 |
                      rng_below(g->rng, TW_NB_CONDS) << 16));
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
        ins(g, op, reg(g), 0, 0, mem_ofs(g, 8));
        break;
    case TW_FMT_STE:
        ins(g, op, any_reg(g), 0, 0, mem_ofs(g, 8));
        break;
    case TW_FMT_STEI:
        put(g, (TwInsn){ .op = op,
                         .rel = (int16_t)rng_value(g->rng),
                         .imm = mem_ofs(g, 8) });
        break;
    case TW_FMT_QMEM:
        item_guest(g, op);
        break;
    default:
        item_other(g, op);
        break;
    }
}

/* As guest code looks: env to register, something, register to env. */
static void item_chain(Gen *g)
{
    unsigned r = reg(g);
    unsigned n = rng_below(g->rng, 4);

    ins(g, TW_OP_LDE64, r, 0, 0, mem_ofs(g, 8));
    for (unsigned i = 0; i < n; i++) {
        TwOp op = TW_OP_ADD + rng_below(g->rng, TW_OP_DEPOSIT - TW_OP_ADD + 1);
        unsigned first = g->tb->nwords;
        TwInsn insn;

        item(g, op);
        insn = tw_insn_at(g->tb->code, first);
        insn.a = r;
        insn.b = r;
        memcpy(&g->tb->code[first], &insn, sizeof(insn));
    }
    if (rng_percent(g->rng, 70)) {
        ins(g, TW_OP_STE64, r, 0, 0, mem_ofs(g, 8));
    } else {
        ins(g, TW_OP_ST32, r, TW_REG_FRAME, 0,
            (int32_t)offsetof(TwFrame, spill) + 8);
    }
    if (rng_percent(g->rng, 60)) {
        ins(g, TW_OP_MOVI, r, 0, 0, imm32(g)); /* r was dead */
    }
}

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
        .countdown = INT32_MAX,
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
    ins(g, TW_OP_LDE32S, 0, 0, 0, ENV(tb_fuel));
    ins(g, TW_OP_ADDI, 0, 0, 0, -1);
    ins(g, TW_OP_STE32, 0, 0, 0, ENV(tb_fuel));
    branch = g->tb->nwords;
    ins(g, TW_OP_BR_ENV_LT0, 1, 0, 0, ENV(tb_fuel));
    for (unsigned i = 0; i < g->nregs; i++) {
        ins(g, TW_OP_LDE64, g->regs[i], 0, 0, ENV(regs) + 8 * g->regs[i]);
    }
    return branch;
}

static void body(Gen *g, unsigned items)
{
    for (unsigned i = 0; i < items && g->tb->nwords < GEN_MAX_WORDS - 400;
         i++) {
        if (rng_percent(g->rng, 40)) {
            bind_some(g);
        }
        if (rng_percent(g->rng, 20)) {
            item_chain(g);
        } else {
            item(g, (TwOp)rng_below(g->rng, TW_NB_OPS));
        }
    }
    for (unsigned i = 0; i < g->nlabels; i++) {
        if (!g->labels[i].bound) {
            bind(g, i);
        }
    }
}

void gen_tb(Rng *rng, uint32_t id, unsigned items)
{
    Gen g = { .rng = rng, .tb = &gen_tbs[id], .id = id };
    uint32_t out_of_fuel;

    memset(g.tb, 0, sizeof(*g.tb));
    choose_regs(&g);
    out_of_fuel = prologue(&g);
    body(&g, items);
    if (!g.used_exit[0] && rng_percent(rng, 50)) {
        goto_tb(&g, 0);
    } else {
        dump(&g, true);
    }
    exit_tb(&g);
    fix_branches(&g);
    set_rel(&g, out_of_fuel, g.tb->nwords);
    exit_tb(&g);
    set_size(g.tb);
}
