/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "insn-kinds.h"

#include "machine.h"

enum {
    REG_BASE = 16,              /* holds a guest address */
};

static void alu(Code *c, uint32_t n)
{
    static const TwOp ops[] = { TW_OP_ADD, TW_OP_XOR, TW_OP_SUB, TW_OP_AND,
                                TW_OP_OR };

    for (uint32_t i = 0; i < n; i++) {
        code_insn(c, ops[i % 5], i % 8, (i + 3) % 8, (i + 5) % 8, 0);
    }
}

static void alu_imm(Code *c, uint32_t n)
{
    static const TwOp ops[] = { TW_OP_XORI, TW_OP_ORI, TW_OP_SARI };

    for (uint32_t i = 0; i < n; i++) {
        code_insn(c, ops[i % 3], i % 8, (i + 3) % 8, 0, (int32_t)i % 60);
    }
}

static void constant(Code *c, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        code_insn(c, TW_OP_MOVI, i % 8, 0, 0, (int32_t)i);
    }
}

static void multiply(Code *c, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        code_insn(c, TW_OP_MUL, i % 8, (i + 3) % 8, (i + 5) % 8, 0);
    }
}

static void divide(Code *c, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        code_insn(c, TW_OP_DIVU, i % 8, (i + 3) % 8, (i + 5) % 8, 0);
    }
}

static void env_load(Code *c, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        code_env(c, TW_OP_LDE64, i % 8, MACHINE_X(10 + i % 16));
    }
}

static void env_store(Code *c, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        code_env(c, TW_OP_STE64, i % 8, MACHINE_X(10 + i % 16));
    }
}

static void guest_load(Code *c, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        code_guest(c, TW_OP_QLD64, i % 8, REG_BASE, 3);
    }
}

static void guest_store(Code *c, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        code_guest(c, TW_OP_QST64, i % 8, REG_BASE, 3);
    }
}

/* Branches to the instruction that follows. */
static void branch(Code *c, uint32_t n, TwOp op)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = code_branch(c, op, REG_BASE, 0);

        code_branch_here(c, at);
    }
}

static void branch_taken(Code *c, uint32_t n)
{
    branch(c, n, TW_OP_BRI_NE);
}

static void branch_not_taken(Code *c, uint32_t n)
{
    branch(c, n, TW_OP_BRI_EQ);
}

static void set_condition(Code *c, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        code_insn(c, TW_OP_SET_LTU, i % 8, (i + 3) % 8, (i + 5) % 8, 0);
    }
}

static void call(Code *c, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        code_call(c, MACHINE_SIG, (uintptr_t)machine_helper, 0);
    }
}

/* What a guest's `addi` becomes: three instructions, or one. */
static void load_add_store(Code *c, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        code_env(c, TW_OP_LDE64, 1, MACHINE_X(10 + i % 16));
        code_insn(c, TW_OP_ADDI, 1, 1, 0, 1);
        code_env(c, TW_OP_STE64, 1, MACHINE_X(10 + (i + 1) % 16));
    }
}

/* What a guest's `ld` becomes. */
static void load_guest_store(Code *c, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        code_insn(c, TW_OP_ADDI, 2, REG_BASE, 0, 8 * (int32_t)(i % 64));
        code_guest(c, TW_OP_QLD64, 1, 2, 3);
        code_env(c, TW_OP_STE64, 1, MACHINE_X(10 + i % 16));
    }
}

/* What a guest's vector addition of a register to itself becomes. */
static void load_vadd_store(Code *c, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        code_insn(c, TW_OP_VLD, TW_REG_V0, TW_REG_ENV, TW_VLD_128,
                  MACHINE_X(10 + i % 16));
        code_insn(c, TW_OP_VOP, TW_REG_V0, TW_REG_V0, TW_REG_V0,
                  tw_vop_imm(TW_VEC_ADD, 2, 0));
        code_insn(c, TW_OP_VST, TW_REG_V0, TW_REG_ENV, 4,
                  MACHINE_X(10 + (i + 2) % 16));
    }
}

const Kind kinds[] = {
    { "alu", "add, xor, sub, and, or of registers", alu, 1 },
    { "alu-imm", "xori, ori, sari", alu_imm, 1 },
    { "const", "movi", constant, 1 },
    { "mul", "mul", multiply, 1 },
    { "div", "divu", divide, 1 },
    { "env-load", "lde64", env_load, 1 },
    { "env-store", "ste64", env_store, 1 },
    { "guest-load", "qld64 that hits", guest_load, 1 },
    { "guest-store", "qst64 that hits", guest_store, 1 },
    { "branch-taken", "bri.ne", branch_taken, 1 },
    { "branch-not-taken", "bri.eq", branch_not_taken, 1 },
    { "set", "set.ltu", set_condition, 1 },
    { "call", "call of a helper (i64) -> i64", call, 1 },
    { "ld-addi-st", "lde64, addi, ste64", load_add_store, 3 },
    { "addi-qld-st", "addi, qld64, ste64", load_guest_store, 3 },
    { "vld-vadd-vst", "vld, v32.add, vst", load_vadd_store, 3 },
};

const uint32_t nb_kinds = sizeof(kinds) / sizeof(kinds[0]);

/*
 * The start of a TB that counts its executions; @leave: the two branches to its
 * end.
 */
static void start(Code *c, uint64_t *words, uint32_t leave[2])
{
    code_start(c, words, 0);
    leave[0] = code_branch(c, TW_OP_BR_ENV_LT0, 0, MACHINE_OFS(exit_request));
    code_env(c, TW_OP_LDE32S, 0, MACHINE_OFS(env.fuel));
    code_insn(c, TW_OP_ADDI, 0, 0, 0, -1);
    code_env(c, TW_OP_STE32, 0, MACHINE_OFS(env.fuel));
    leave[1] = code_branch(c, TW_OP_BRI_LT, 0, 0);
}

void kind_make(const Kind *kind, uint64_t *words, bool fused)
{
    uint32_t leave[2], target;
    Code c;

    start(&c, words, leave);
    for (unsigned r = 0; r < 8; r++) {
        code_insn(&c, TW_OP_MOVI, r, 0, 0, (int32_t)(r * 0x1234567));
    }
    code_env(&c, TW_OP_LDE64, REG_BASE, MACHINE_X(machine_bases[0]));
    kind->body(&c, KIND_PER_TB / kind->insns);
    target = code_goto_tb(&c, 0);
    words[target] = (uintptr_t)words;
    code_branch_here(&c, leave[0]);
    code_branch_here(&c, leave[1]);
    code_exit(&c);
    code_finish(&c, 1);
    if (fused) {
        tw_fuse(words, c.n);
    }
}

void kind_make_chain(uint64_t **code, uint32_t n, bool by_pointer)
{
    for (uint32_t i = 0; i < n; i++) {
        uint64_t next = (uintptr_t)code[(i + 1) % n];
        uint32_t leave[2];
        Code c;

        if (i == 0) {
            start(&c, code[i], leave);
        } else {
            code_start(&c, code[i], i);
            leave[0] =
                code_branch(&c, TW_OP_BR_ENV_LT0, 0, MACHINE_OFS(exit_request));
            leave[1] = leave[0];
        }
        if (by_pointer) {
            code_const64(&c, 0, next);
            code_insn(&c, TW_OP_GOTO_PTR, 0, 0, 0, 0);
        } else {
            c.words[code_goto_tb(&c, 0)] = next;
        }
        code_branch_here(&c, leave[0]);
        code_branch_here(&c, leave[1]);
        code_exit(&c);
        code_finish(&c, 1);
    }
}
