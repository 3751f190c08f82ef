/*
 * A TB is a prologue, some guest instructions, each translated as TCG would,
 * and an end. Which instructions come is drawn from a table of weights.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tb-mix.h"

#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "tcg-wasm/insn.h"
#include "tcg-wasm/rng.h"

enum {
    MAX_WORDS = 256,            /* of one TB */
    MAX_GUEST_INSNS = 14,
    NB_CACHED = 12,             /* TCG registers that hold guest registers */
    REG_TMP = 20,
    NO_GUEST_REG = 0xff,
};

#define NOT_CHAINED UINT32_MAX

typedef struct Maker {
    Rng rng;
    Code code;
    MixTb *tb;
    uint8_t holds[NB_CACHED];   /* the guest register in a TCG register */
    unsigned next;              /* register to be replaced */
    uint32_t leave[2];          /* branches to the end */
    uint32_t nleave;
} Maker;

static void forget_registers(Maker *m)
{
    memset(m->holds, NO_GUEST_REG, sizeof(m->holds));
    m->next = 0;
}

static unsigned take_register(Maker *m, unsigned guest)
{
    unsigned r;

    for (r = 0; r < NB_CACHED; r++) {
        if (m->holds[r] == guest) {
            m->holds[r] = NO_GUEST_REG;
        }
    }
    r = m->next;
    m->next = (m->next + 1) % NB_CACHED;
    m->holds[r] = (uint8_t)guest;
    return r;
}

/* The TCG register with @guest's value, loaded if need be. */
static unsigned get(Maker *m, unsigned guest)
{
    unsigned r;

    for (r = 0; r < NB_CACHED; r++) {
        if (m->holds[r] == guest) {
            return r;
        }
    }
    r = take_register(m, guest);
    code_env(&m->code, TW_OP_LDE64, r, MACHINE_X(guest));
    return r;
}

static void set(Maker *m, unsigned r)
{
    code_env(&m->code, TW_OP_STE64, r, MACHINE_X(m->holds[r]));
}

/* A guest register that code may write; a few are used most. */
static unsigned guest_reg(Maker *m)
{
    return 10 + rng_below(&m->rng, rng_percent(&m->rng, 70) ? 6 : 20);
}

/* A value to compute with: often a result of the instructions before. */
static unsigned source(Maker *m)
{
    unsigned held = m->holds[(m->next + NB_CACHED - 1) % NB_CACHED];

    return get(m, held != NO_GUEST_REG && rng_percent(&m->rng, 30)
                      ? held
                      : guest_reg(m));
}

static unsigned base(Maker *m)
{
    return machine_bases[rng_below(&m->rng, MACHINE_NB_BASES)];
}

/* The guest instructions. */

static void insn_addi(Maker *m)
{
    unsigned b = source(m), a = take_register(m, guest_reg(m));

    code_insn(&m->code, TW_OP_ADDI, a, b, 0,
              (int32_t)rng_below(&m->rng, 4096) - 2048);
    set(m, a);
}

static void insn_li(Maker *m)
{
    unsigned a = take_register(m, guest_reg(m));

    code_insn(&m->code, TW_OP_MOVI, a, 0, 0,
              (int32_t)rng_below(&m->rng, 1 << 19) * 4096);
    set(m, a);
}

static void insn_shift(Maker *m)
{
    static const uint8_t ops[] = { TW_OP_SHLI, TW_OP_SHRI, TW_OP_ANDI };
    unsigned b = source(m), a = take_register(m, guest_reg(m));

    code_insn(&m->code, (TwOp)ops[rng_below(&m->rng, sizeof(ops))], a, b, 0,
              1 + (int32_t)rng_below(&m->rng, 63));
    set(m, a);
}

static void insn_addiw(Maker *m)
{
    unsigned b = source(m), a = take_register(m, guest_reg(m));

    code_insn(&m->code, TW_OP_ADDI, a, b, 0, (int32_t)rng_below(&m->rng, 64));
    code_insn(&m->code, TW_OP_EXT32S, a, a, 0, 0);
    set(m, a);
}

static void insn_rrr(Maker *m)
{
    static const uint8_t ops[] = { TW_OP_ADD, TW_OP_ADD, TW_OP_SUB,
                                   TW_OP_AND, TW_OP_OR,  TW_OP_XOR };
    unsigned b = source(m), c = source(m);
    unsigned a = take_register(m, guest_reg(m));

    code_insn(&m->code, (TwOp)ops[rng_below(&m->rng, sizeof(ops))], a, b, c, 0);
    set(m, a);
}

static int32_t offset(Maker *m, unsigned size)
{
    return (int32_t)(rng_below(&m->rng, 2048) >> size << size);
}

static void insn_load(Maker *m)
{
    static const struct {
        uint8_t op, size;
    } kinds[] = { { TW_OP_QLD64, 3 },
                  { TW_OP_QLD64, 3 },
                  { TW_OP_QLD64, 3 },
                  { TW_OP_QLD32S, 2 },
                  { TW_OP_QLD8U, 0 } };
    unsigned kind = rng_below(&m->rng, sizeof(kinds) / sizeof(kinds[0]));
    unsigned size = kinds[kind].size, b = get(m, base(m));
    unsigned a = take_register(m, guest_reg(m));

    code_insn(&m->code, TW_OP_ADDI, REG_TMP, b, 0, offset(m, size));
    code_guest(&m->code, (TwOp)kinds[kind].op, a, REG_TMP, size);
    set(m, a);
}

static void insn_store(Maker *m)
{
    bool wide = rng_percent(&m->rng, 75);
    unsigned b = get(m, base(m)), a;

    code_insn(&m->code, TW_OP_ADDI, REG_TMP, b, 0, offset(m, 3));
    a = source(m);
    code_guest(&m->code, wide ? TW_OP_QST64 : TW_OP_QST32, a, REG_TMP,
               wide ? 3 : 2);
}

static void guest_insn(Maker *m)
{
    static const struct {
        void (*make)(Maker *m);
        uint32_t percent;
    } table[] = { { insn_addi, 20 }, { insn_load, 22 },  { insn_store, 14 },
                  { insn_rrr, 16 },  { insn_shift, 10 }, { insn_addiw, 9 },
                  { insn_li, 9 } };
    uint32_t drawn = rng_below(&m->rng, 100), i = 0;

    while (drawn >= table[i].percent) {
        drawn -= table[i++].percent;
    }
    table[i].make(m);
}

/* Beginning and end. */

static void prologue(Maker *m, bool counts)
{
    m->leave[m->nleave++] =
        code_branch(&m->code, TW_OP_BR_ENV_LT0, 0, MACHINE_OFS(exit_request));
    code_store_const(&m->code, TW_OP_STEI8, 0, MACHINE_OFS(can_do_io));
    if (counts) {
        code_env(&m->code, TW_OP_LDE32S, 0, MACHINE_OFS(env.fuel));
        code_insn(&m->code, TW_OP_ADDI, 0, 0, 0, -1);
        code_env(&m->code, TW_OP_STE32, 0, MACHINE_OFS(env.fuel));
        m->leave[m->nleave++] = code_branch(&m->code, TW_OP_BRI_LT, 0, 0);
    }
}

static void set_pc(Maker *m)
{
    code_env(&m->code, TW_OP_LDE64, REG_TMP, MACHINE_OFS(env.pc));
    code_insn(&m->code, TW_OP_ADDI, REG_TMP, REG_TMP, 0,
              (int32_t)rng_below(&m->rng, 4096) - 2048);
    code_env(&m->code, TW_OP_STE64, REG_TMP, MACHINE_OFS(env.pc));
}

static void direct_exit(Maker *m, unsigned exit)
{
    set_pc(m);
    m->tb->exit_at[exit] = code_goto_tb(&m->code, exit);
    code_exit(&m->code);
}

/* Addresses are not 0: the branch is never taken. */
static void conditional_end(Maker *m)
{
    unsigned r = get(m, base(m));
    uint32_t taken = code_branch(&m->code, TW_OP_BRI_EQ, r, 0);

    direct_exit(m, 0);
    code_branch_here(&m->code, taken);
    direct_exit(m, 1);
}

static void indirect_end(Maker *m)
{
    /* As lookup_tb_ptr, which reads guest state and writes none. */
    const unsigned flags = TW_CALL_NO_WRITE_GLOBALS | TW_CALL_NO_SIDE_EFFECTS;

    set_pc(m);
    m->tb->next_at = m->code.n + 1;
    code_const64(&m->code, 0, 0);
    code_call(&m->code, MACHINE_SIG, (uintptr_t)machine_lookup, flags);
    code_insn(&m->code, TW_OP_GOTO_PTR, 0, 0, 0, 0);
}

/* Instructions up to the first exit, which is the one that is taken. */
static void count_executed(MixTb *tb, const uint64_t *code)
{
    for (uint32_t at = 0; at < tb->nwords;) {
        TwInsn insn = tw_insn_at(code, at);
        TwFormat format = tw_op_format((TwOp)insn.op);

        tb->executed++;
        tb->env_accesses += format == TW_FMT_LDE || format == TW_FMT_STE;
        if (insn.op == TW_OP_GOTO_TB || insn.op == TW_OP_GOTO_PTR) {
            return;
        }
        at += tw_op_words((TwOp)insn.op);
    }
}

static void make_tb(Maker *m, uint32_t id, uint64_t *words)
{
    uint32_t end = rng_below(&m->rng, 100);

    code_start(&m->code, words, id);
    forget_registers(m);
    m->nleave = 0;
    m->tb->guest_insns =
        2 + rng_below(&m->rng, 4) + rng_below(&m->rng, MAX_GUEST_INSNS - 8);
    prologue(m, id == 0);
    for (uint32_t i = 1; i < m->tb->guest_insns; i++) {
        guest_insn(m);
    }
    code_store_const(&m->code, TW_OP_STEI8, 1, MACHINE_OFS(can_do_io));
    if (end < 60) {
        conditional_end(m);
    } else if (end < 90) {
        direct_exit(m, 0);
    } else {
        indirect_end(m);
    }
    for (uint32_t i = 0; i < m->nleave; i++) {
        code_branch_here(&m->code, m->leave[i]);
    }
    code_exit(&m->code);
    code_finish(&m->code, m->tb->guest_insns);
    m->tb->nwords = m->code.n;
    count_executed(m->tb, words);
}

static uint32_t address(const void *p)
{
    return (uint32_t)(uintptr_t)p;
}

bool mix_init(Mix *mix, uint32_t n, uint64_t seed, bool fused)
{
    Maker m = { .rng = { seed } };
    uint64_t *words;

    *mix = (Mix){
        .n = n,
        .arena = calloc((size_t)n, MAX_WORDS * sizeof(uint64_t)),
        .code = calloc(n, sizeof(mix->code[0])),
        .tbs = calloc(n, sizeof(mix->tbs[0])),
        .refs = calloc(n, sizeof(mix->refs[0])),
    };
    if (!mix->arena || !mix->code || !mix->tbs || !mix->refs) {
        mix_free(mix);
        return false;
    }
    words = mix->arena;
    for (uint32_t i = 0; i < n; i++) {
        m.tb = &mix->tbs[i];
        make_tb(&m, i, words);
        if (fused) {
            tw_fuse(words, m.tb->nwords);
        }
        mix->code[i] = words;
        mix->refs[i] = (TwTbRef){
            .code = words,
            .nwords = m.tb->nwords,
            .addr = address(words),
        };
        words += m.tb->nwords;
    }
    return true;
}

void mix_free(Mix *mix)
{
    free(mix->arena);
    free(mix->code);
    free(mix->tbs);
    free(mix->refs);
    *mix = (Mix){ 0 };
}

/*
 * Where a branch that is never taken leads: over some TBs, back as a loop's end
 * would, far away; or nowhere, as exits that never ran are not chained.
 */
static uint32_t taken_target(Rng *rng, uint32_t i, uint32_t n)
{
    uint32_t drawn = rng_below(rng, 100), distance = 1 + rng_below(rng, 6);

    if (drawn < 40) {
        return NOT_CHAINED;
    }
    if (drawn < 75) {
        return (i + 1 + distance) % n;
    }
    if (drawn < 92) {
        return (i + n - distance % n) % n;
    }
    return rng_below(rng, n);
}

static void chain(Mix *mix, uint32_t i, unsigned exit, uint32_t to)
{
    uint32_t at = mix->tbs[i].exit_at[exit];
    uint64_t *code = mix->code[i];

    if (at) {
        code[at] = to == NOT_CHAINED ? (uintptr_t)&code[at + 1]
                                     : (uintptr_t)mix->code[to];
        mix->refs[i].succ[exit] =
            to == NOT_CHAINED ? 0 : address(mix->code[to]);
    }
}

void mix_link(Mix *mix, uint32_t n)
{
    Rng rng = { n };

    for (uint32_t i = 0; i < n; i++) {
        uint32_t next = (i + 1) % n;

        chain(mix, i, 0, next);
        chain(mix, i, 1, taken_target(&rng, i, n));
        if (mix->tbs[i].next_at) {
            mix->code[i][mix->tbs[i].next_at] = next;
        }
    }
    machine_tbs = mix->code;
}

MixFacts mix_facts(const Mix *mix)
{
    MixFacts facts = { 0 };

    for (uint32_t i = 0; i < mix->n; i++) {
        facts.words += mix->tbs[i].nwords;
        facts.guest_insns += mix->tbs[i].guest_insns;
        facts.executed += mix->tbs[i].executed;
        facts.env_share += mix->tbs[i].env_accesses;
    }
    facts.env_share /= facts.executed;
    facts.words /= mix->n;
    facts.guest_insns /= mix->n;
    facts.executed /= mix->n;
    return facts;
}
