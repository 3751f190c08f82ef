/*
 * The verifier refuses each kind of damage with its reason; the disassembler
 * prints each format as documented.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "asm.h"

static void assert_accepted(const Asm *as)
{
    char why[100] = "";

    if (!tw_verify(as->code, as->n, why, sizeof(why))) {
        fail_msg("refused: %s", why);
    }
}

static void assert_refused(const Asm *as, const char *reason)
{
    char why[100] = "";

    assert_false(tw_verify(as->code, as->n, why, sizeof(why)));
    assert_string_equal(why, reason);
}

/* One instruction at word 4, then an exit. */
static void one(Asm *as, TwOp op, unsigned a, unsigned b, unsigned c,
                int32_t imm)
{
    asm_start(as);
    asm_insn(as, op, a, b, c, imm);
    for (unsigned i = 1; op < TW_NB_OPS && i < tw_op_words(op); i++) {
        asm_word(as, 0x1000);
    }
    asm_exit(as, 0);
}

static void test_accepts(void **state)
{
    Asm as;

    (void)state;
    asm_start(&as);
    asm_exit(&as, 0);
    assert_accepted(&as);

    /* Fields at their ends. */
    one(&as, TW_OP_MOV, TW_REG_TMP, TW_REG_FRAME, 0, 0);
    assert_accepted(&as);
    one(&as, TW_OP_EXTRACT, 0, 0, 0, 64);
    assert_accepted(&as);
    one(&as, TW_OP_EXTRACT, 0, 0, 63, 1);
    assert_accepted(&as);
    one(&as, TW_OP_DEPOSIT, 0, 0, 0, 63 | 1 << 8);
    assert_accepted(&as);
    one(&as, TW_OP_GOTO_TB, 1, 0, 0, 0);
    assert_accepted(&as);
    one(&as, TW_OP_MOVCOND, 0, 0, 0, TW_COND_TSTNE << 16);
    assert_accepted(&as);
}

static void test_dead_code(void **state)
{
    Asm as;

    (void)state;
    /* Code that cannot be reached need not end with an exit. */
    asm_start(&as);
    asm_exit(&as, 0);
    asm_insn(&as, TW_OP_MOV, 0, 0, 0, 0);
    assert_accepted(&as);
    /* Unless a branch goes there. */
    asm_start(&as);
    asm_branch(&as, TW_OP_BRI_EQ, 0, 3, 0);
    asm_exit(&as, 0);
    asm_insn(&as, TW_OP_MOV, 0, 0, 0, 0);
    assert_refused(&as, "word 8: control runs off the end");
}

static void test_structure(void **state)
{
    Asm as;

    (void)state;
    as.n = 0;
    assert_refused(&as, "word 0: no entry");
    asm_start(&as);
    assert_refused(&as, "word 4: control runs off the end");
    as.n = 3;
    assert_refused(&as, "word 0: entry: cut off");
    asm_start(&as);
    as.code[0] = TW_OP_MB;
    asm_exit(&as, 0);
    assert_refused(&as, "word 0: no entry");
    one(&as, TW_OP_ENTRY, 0, 0, 0, 0);
    assert_refused(&as, "word 4: entry inside the TB");
    one(&as, TW_NB_CODES, 0, 0, 0, 0);
    {
        char reason[50];

        snprintf(reason, sizeof(reason), "word 4: unknown opcode %d", 255);
        assert_refused(&as, reason);
    }
    asm_start(&as);
    asm_insn(&as, TW_OP_EXIT_TB, 0, 0, 0, 0);
    assert_refused(&as, "word 4: exit_tb: cut off");
    asm_start(&as);
    asm_insn(&as, TW_OP_MOVI, 0, 0, 0, 0);
    assert_refused(&as, "word 5: control runs off the end");
}

static void test_too_long(void **state)
{
    static uint64_t code[TW_MAX_WORDS + 1];
    char why[100];

    (void)state;
    assert_false(tw_verify(code, TW_MAX_WORDS + 1, why, sizeof(why)));
    assert_string_equal(why, "65537 words: longer than 65536");
}

static void test_registers(void **state)
{
    Asm as;

    (void)state;
    one(&as, TW_OP_ADD, 0, 24, 0, 0);
    assert_refused(&as, "word 4: add: no such register r24");
    one(&as, TW_OP_ADD, 255, 0, 0, 0);
    assert_refused(&as, "word 4: add: no such register r255");
    one(&as, TW_OP_ADD, TW_REG_ENV, 0, 0, 0);
    assert_refused(&as, "word 4: add: r22 is not writable");
    one(&as, TW_OP_LDE8U, TW_REG_FRAME, 0, 0, 0);
    assert_refused(&as, "word 4: lde8u: r23 is not writable");
    one(&as, TW_OP_ST8, 0, 30, 0, 0);
    assert_refused(&as, "word 4: st8: no such register r30");
    one(&as, TW_OP_MULU2, 1, 1, 2, 3);
    assert_refused(&as, "word 4: mulu2: both results in r1");
    one(&as, TW_OP_MULU2, 1, 2, 3, -1);
    assert_refused(&as, "word 4: mulu2: no such register r255");
    one(&as, TW_OP_ADD2, 1, 2, 3, 4 | 24 << 8);
    assert_refused(&as, "word 4: add2: no such register r24");
    one(&as, TW_OP_MOVCOND, 1, 2, 3, 25);
    assert_refused(&as, "word 4: movcond: no such register r25");
    asm_start(&as);
    asm_branch(&as, TW_OP_BR_EQ, 0, 1, 24);
    asm_exit(&as, 0);
    assert_refused(&as, "word 4: br.eq: no such register r24");
    one(&as, TW_OP_QLD64, TW_REG_ENV, 0, 1, 0x31);
    assert_refused(&as, "word 4: qld64: r22 is not writable");
}

static void test_fields(void **state)
{
    Asm as;

    (void)state;
    one(&as, TW_OP_EXTRACT, 0, 0, 0, 0);
    assert_refused(&as, "word 4: extract: bit field out of range");
    one(&as, TW_OP_SEXTRACT, 0, 0, 60, 5);
    assert_refused(&as, "word 4: sextract: bit field out of range");
    one(&as, TW_OP_EXTRACT, 0, 0, 64, 1);
    assert_refused(&as, "word 4: extract: bit field out of range");
    one(&as, TW_OP_DEPOSIT, 0, 0, 0, 0);
    assert_refused(&as, "word 4: deposit: bit field out of range");
    one(&as, TW_OP_DEPOSIT, 0, 0, 0, 33 | 32 << 8);
    assert_refused(&as, "word 4: deposit: bit field out of range");
    one(&as, TW_OP_ADD2, 0, 1, 0, 1 << 24);
    assert_refused(&as, "word 4: add2: operand list out of range");
    one(&as, TW_OP_MOVCOND32, 0, 1, 0, TW_NB_CONDS << 16);
    assert_refused(&as, "word 4: movcond32: condition out of range");
    one(&as, TW_OP_GOTO_TB, 2, 0, 0, 0);
    assert_refused(&as, "word 4: goto_tb: exit number out of range");
    one(&as, TW_OP_CALL, 0, 0, 0, 15 << 2);
    assert_refused(&as, "word 4: call: signature out of range");
    one(&as, TW_OP_CALL, 0, 0, 0, 1 << 2 | 1 << 7);
    assert_refused(&as, "word 4: call: signature out of range");
    one(&as, TW_OP_QLD64, 0, 0, 1, 0x30);
    assert_refused(&as, "word 4: qld64: MMU index out of range");
    one(&as, TW_OP_QLD64, 0, 0, 0, 0x20);
    assert_refused(&as, "word 4: qld64: access size out of range");
    one(&as, TW_OP_QLDX, 0, 0, 0, 0x40);
    assert_refused(&as, "word 4: qldx: access size out of range");
}

static void test_branches(void **state)
{
    Asm as;

    (void)state;
    asm_start(&as);
    asm_branch(&as, TW_OP_BR, 0, -4, 0);
    assert_refused(&as, "word 4: br: branch outside, to word 0");
    asm_start(&as);
    asm_branch(&as, TW_OP_BR, 0, 1, 0);
    assert_refused(&as, "word 4: br: branch outside, to word 5");
    asm_start(&as);
    asm_branch(&as, TW_OP_BR_ENV_LT0, 0, 2, 0);
    asm_exit(&as, 0);
    assert_refused(&as, "word 6: branch into an instruction");
    asm_start(&as);
    asm_exit(&as, 0);
    asm_branch(&as, TW_OP_BRI_EQ, 0, -1, 0);
    asm_exit(&as, 0);
    assert_refused(&as, "word 5: branch into an instruction");
    asm_start(&as);
    asm_branch(&as, TW_OP_BR, 0, 0, 0);
    assert_accepted(&as);
}

static void assert_text(TwOp op, unsigned a, unsigned b, unsigned c,
                        int32_t imm, const char *text)
{
    char line[100];
    Asm as;

    one(&as, op, a, b, c, imm);
    assert_int_equal(tw_disas_insn(as.code, 4, as.n, line, sizeof(line)),
                     tw_op_words(op));
    assert_string_equal(line, text);
}

static void assert_branch_text(TwOp op, unsigned a, int rel, int32_t imm,
                               const char *text)
{
    char line[100];
    Asm as;

    asm_start(&as);
    asm_branch(&as, op, a, rel, imm);
    assert_int_equal(tw_disas_insn(as.code, 4, as.n, line, sizeof(line)), 1);
    assert_string_equal(line, text);
}

static void test_disassembly(void **state)
{
    (void)state;
    assert_text(TW_OP_EXIT_TB, 0, 0, 0, 0, "exit_tb   0x1000");
    assert_text(TW_OP_GOTO_TB, 1, 0, 0, 0, "goto_tb   1, 0x1000");
    assert_text(TW_OP_GOTO_PTR, 3, 0, 0, 0, "goto_ptr  r3");
    assert_text(TW_OP_LOOKUP, 0, 0, 0, 0, "lookup    0x1000, 0x1000");
    assert_text(TW_OP_CALL, 0, 0, TW_CALL_NO_RETURN,
                (int32_t)(TW_SIG_I64 | 2 << 2 | 1 << 7),
                "call      i64(i32,i64) 0x1000 no-return");
    assert_text(TW_OP_MB, 0, 0, 0, 0x33, "mb        0x33");
    assert_text(TW_OP_NOT, 1, 22, 0, 0, "not       r1, env");
    assert_text(TW_OP_ADD, 1, 2, 23, 0, "add       r1, r2, frame");
    assert_text(TW_OP_ADDI, 1, 2, 0, -8, "addi      r1, r2, -8");
    assert_text(TW_OP_MOVI, 9, 0, 0, -1, "movi      r9, -1");
    assert_text(TW_OP_MOVI64, 9, 0, 0, 0, "movi64    r9, 0x1000");
    assert_text(TW_OP_SEXTRACT, 1, 2, 8, 16, "sextract  r1, r2, 8, 16");
    assert_text(TW_OP_DEPOSIT, 1, 2, 3, 4 | 5 << 8,
                "deposit   r1, r2, r3, 4, 5");
    assert_text(TW_OP_MULS2, 1, 2, 3, 4, "muls2     r1, r2, r3, r4");
    assert_text(TW_OP_ADD2, 1, 2, 3, 4 | 5 << 8 | 6 << 16,
                "add2      r1, r2, r3, r4, r5, r6");
    assert_text(TW_OP_MOVCOND, 1, 2, 3, 4 | 5 << 8 | TW_COND_LEU << 16,
                "movcond   r1, leu, r2, r3, r4, r5");
    assert_text(TW_OP_LD16S, 1, 2, 0, 6, "ld16s     r1, [r2+6]");
    assert_text(TW_OP_ST64, 1, 23, 0, -16, "st64      r1, [frame-16]");
    assert_text(TW_OP_LDE32U, 1, 0, 0, -20, "lde32u    r1, [env-20]");
    assert_text(TW_OP_STE8, 1, 0, 0, 20, "ste8      r1, [env+20]");
    assert_text(TW_OP_QLD32S, 1, 2, 5, 0xea5,
                "qld32s    r1, r2, mmu5 32s aligned");
    assert_text(TW_OP_QSTX, 1, 2, 0, 0x330,
                "qstx      r1, r2, mmu0 64u bswap align2");
    assert_branch_text(TW_OP_BR, 0, 10, 0, "br        ->0014");
    assert_branch_text(TW_OP_BR_LTU, 1, 3, 2, "br.ltu    r1, r2, ->0007");
    assert_branch_text(TW_OP_BRI32_TSTNE, 1, 3, 255,
                       "bri32.tstne r1, 255, ->0007");
    assert_branch_text(TW_OP_BR_ENV_LT0, 6, 3, -8,
                       "br_env.lt0 r6, [env-8], ->0007");
    assert_branch_text(TW_OP_STEI32, 0, -3, 40, "stei32    [env+40], -3");
}

static void test_disassembly_of_anything(void **state)
{
    char line[100], small[8];
    uint64_t code[2] = { 0xff, TW_OP_EXIT_TB };

    (void)state;
    assert_int_equal(tw_disas_insn(code, 0, 2, line, sizeof(line)), 1);
    assert_string_equal(line, ".word     0x00000000000000ff");
    /* Cut off: nothing behind the end is read. */
    assert_int_equal(tw_disas_insn(code, 1, 2, line, sizeof(line)), 1);
    assert_memory_equal(line, ".word", 5);
    assert_int_equal(tw_disas_insn(code, 2, 2, line, sizeof(line)), 1);
    assert_string_equal(line, "");
    assert_int_equal(tw_disas_insn(code, 0, 2, small, sizeof(small)), 1);
    assert_string_equal(small, ".word  ");
}

static void test_header_disassembly(void **state)
{
    TwHeader header = {
        .op = TW_OP_ENTRY,
        .guest_insns = 5,
        .id = 77,
        .size = 32,
        .fn = 9,
    };
    uint64_t code[TW_HEADER_WORDS];
    char line[100];

    (void)state;
    memcpy(code, &header, sizeof(code));
    assert_int_equal(
        tw_disas_insn(code, 0, TW_HEADER_WORDS, line, sizeof(line)),
        TW_HEADER_WORDS);
    assert_string_equal(line, "entry     tb 77, 5 insns, 32 bytes, fn 9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts),
        cmocka_unit_test(test_dead_code),
        cmocka_unit_test(test_structure),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_registers),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_branches),
        cmocka_unit_test(test_disassembly),
        cmocka_unit_test(test_disassembly_of_anything),
        cmocka_unit_test(test_header_disassembly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
