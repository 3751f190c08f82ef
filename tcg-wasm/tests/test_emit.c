/*
 * The emitter's contract: refusals, determinism, the shape of modules, and the
 * code that is expected for small TBs. That the code is right is what difftest
 * is for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../emit.h"
#include "asm.h"

enum { ADDR = 0x10000 };

static const TwTarget target = {
    .tlb_desc_ofs = -64,
    .page_bits = 12,
    .fn_ld = { 1, 2, 3, 4 },
    .fn_st = { 5, 6, 7, 8 },
    .mem_min_pages = 1,
    .mem_max_pages = 65536,
};

static const TwEmitOptions options = { .target = &target, .table_base = 100 };

static TwTbRef ref_of(const Asm *as)
{
    return (TwTbRef){
        .code = as->code,
        .nwords = (uint32_t)as->n,
        .addr = ADDR,
    };
}

static void simple_tb(Asm *as)
{
    asm_start(as);
    asm_insn(as, TW_OP_LDE64, 0, 0, 0, 80);
    asm_insn(as, TW_OP_ADDI, 0, 0, 0, 1);
    asm_insn(as, TW_OP_STE64, 0, 0, 0, 80);
    asm_exit(as, 8);
}

/* The instructions of the last function: behind its declaration of locals. */
static void assert_code(const Asm *as, const uint8_t *code, size_t n)
{
    TwTbRef ref = ref_of(as);
    TwBuf out = { 0 };

    assert_int_equal(tw_emit_module(&options, &ref, 1, &out), TW_REFUSED_NONE);
    assert_true(out.len > n);
    assert_memory_equal(out.data + out.len - n, code, n);
    tw_buf_free(&out);
}

static void test_refusals(void **state)
{
    Asm as;
    TwTbRef ref;
    TwBuf out = { 0 };

    (void)state;
    simple_tb(&as);
    ref = ref_of(&as);
    assert_int_equal(tw_emit_module(&options, &ref, 1, &out), TW_REFUSED_NONE);
    assert_memory_equal(out.data, "\0asm\1\0\0\0", 8);

    /* A refusal leaves the buffer as it was. */
    {
        size_t len = out.len;
        TwTbRef refs[2] = { ref, ref };

        refs[1].nwords--;
        assert_int_equal(tw_emit_module(&options, refs, 2, &out),
                         TW_REFUSED_BAD_BYTECODE);
        assert_int_equal(out.len, len);
        refs[1].nwords = TW_MAX_WORDS + 1;
        assert_int_equal(tw_emit_module(&options, refs, 2, &out),
                         TW_REFUSED_TOO_LARGE);
        assert_int_equal(out.len, len);
        assert_false(out.failed);
    }
    tw_buf_free(&out);
    assert_null(out.data);
}

static void test_no_i128_results(void **state)
{
    Asm as;
    TwTbRef ref;
    TwBuf out = { 0 };

    (void)state;
    asm_start(&as);
    asm_insn(&as, TW_OP_CALL, 0, 0, 0, TW_SIG_I128);
    asm_word(&as, 1);
    asm_exit(&as, 0);
    ref = ref_of(&as);
    assert_int_equal(tw_emit_module(&options, &ref, 1, &out),
                     TW_REFUSED_BAD_BYTECODE);
    tw_buf_free(&out);
}

static void test_refusals_are_named(void **state)
{
    (void)state;
    for (int i = 0; i < TW_NB_REFUSALS; i++) {
        assert_non_null(tw_refusal_key(i));
        assert_non_null(tw_refusal_meaning(i));
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(tw_refusal_key(i), tw_refusal_key(j));
        }
    }
    assert_string_equal(tw_refusal_key(TW_REFUSED_TABLE_FULL), "table-full");
}

static void test_deterministic(void **state)
{
    TwBuf first = { 0 }, second = { 0 };
    TwTbRef refs[3];
    Asm as;

    (void)state;
    simple_tb(&as);
    for (int i = 0; i < 3; i++) {
        refs[i] = ref_of(&as);
    }
    assert_int_equal(tw_emit_module(&options, refs, 3, &first),
                     TW_REFUSED_NONE);
    assert_int_equal(tw_emit_module(&options, refs, 3, &second),
                     TW_REFUSED_NONE);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
    /* The second module is appended to the first. */
    assert_int_equal(tw_emit_module(&options, refs, 3, &second),
                     TW_REFUSED_NONE);
    assert_int_equal(second.len, 2 * first.len);
    assert_memory_equal(second.data + first.len, first.data, first.len);
    tw_buf_free(&first);
    tw_buf_free(&second);
}

/* The essay's example: no local is written, the store's base comes first. */
static void test_chain(void **state)
{
    static const uint8_t code[] = {
        0x20, 0,                /* local.get env (of the store) */
        0x20, 0,                /* local.get env */
        0x29, 0,    80,            /* i64.load offset=80 */
        0x42, 1,                /* i64.const 1 */
        0x7c,                   /* i64.add */
        0x37, 0,    80,            /* i64.store offset=80 */
        0x41, 8,                /* i32.const 8 */
        0x0f, 0x0b,             /* return, end */
    };
    Asm as;

    (void)state;
    simple_tb(&as);
    assert_code(&as, code, sizeof(code));
}

/* lde32u, br32: extension and wrap vanish; one block, one br_if. */
static void test_branch(void **state)
{
    static const uint8_t code[] = {
        0x02, 0x40,             /* block */
        0x20, 0,                /* local.get env */
        0x35, 0,    16,            /* i64.load32_u offset=16 */
        0xa7,                   /* i32.wrap_i64 */
        0x0d, 0,                /* br_if 0 */
        0x41, 0,    0x0f,          /* i32.const 0, return */
        0x0b,                   /* end */
        0x41, 3,    0x0f, 0x0b,    /* i32.const 3, return, end */
    };
    Asm as;

    (void)state;
    asm_start(&as);
    asm_insn(&as, TW_OP_LDE32U, 1, 0, 0, 16);
    asm_branch(&as, TW_OP_BRI32_NE, 1, 3, 0);
    asm_exit(&as, 0);
    asm_exit(&as, 3);
    assert_code(&as, code, sizeof(code));
}

/* A TB chained to itself runs again without leaving its function. */
static void test_self_loop(void **state)
{
    static const uint8_t code[] = {
        0x03, 0x40,             /* loop */
        0x41, 0xa8, 0x80, 0x04, /* i32.const ADDR + 40: GOTO_TB's target */
        0x28, 2,    0,             /* i32.load */
        0x22, 3,                /* local.tee */
        0x41, 0x80, 0x80, 0x04, /* i32.const ADDR */
        0x46,                   /* i32.eq */
        0x0d, 0,                /* br_if 0 */
        0x20, 3,                /* local.get */
        0x41, 0xb0, 0x80, 0x04, /* i32.const ADDR + 48 */
        0x47,                   /* i32.ne */
        0x04, 0x40,             /* if */
        0x20, 3,    0x41, 4,    0x72, /* | TW_CHAIN */
        0x0f, 0x0b, 0x0b,       /* return, end, end */
        0x41, 1,    0x0f, 0x0b,    /* i32.const 1, return, end */
    };
    TwTbRef ref;
    TwBuf out = { 0 };
    Asm as;

    (void)state;
    asm_start(&as);
    asm_insn(&as, TW_OP_GOTO_TB, 0, 0, 0, 0);
    asm_word(&as, 0x100);
    asm_exit(&as, 1);
    ref = ref_of(&as);
    ref.succ[0] = ADDR;
    assert_int_equal(tw_emit_module(&options, &ref, 1, &out), TW_REFUSED_NONE);
    assert_memory_equal(out.data + out.len - sizeof(code), code, sizeof(code));
    tw_buf_free(&out);
}

/* Compare a call of helper 77, (r0 as 32 bits, r1 as 64) -> i64. */
static void assert_call(const TwTarget *its_target, unsigned flags, TwSig ret,
                        const uint8_t *code, size_t n)
{
    TwEmitOptions its_options = options;
    TwBuf out = { 0 };
    TwTbRef ref;
    Asm as;

    its_options.target = its_target;
    asm_start(&as);
    asm_insn(&as, TW_OP_CALL, 0, 0, (int)flags,
             (int32_t)(ret | 2 << 2 | 2 << 6));
    asm_word(&as, 77);
    asm_exit(&as, 8);
    ref = ref_of(&as);
    assert_int_equal(tw_emit_module(&its_options, &ref, 1, &out),
                     TW_REFUSED_NONE);
    assert_true(out.len > n);
    assert_memory_equal(out.data + out.len - n, code, n);
    tw_buf_free(&out);
}

/*
 * A 32-bit integer is a 64-bit number exactly, so that nothing is tested, and
 * the helper is not called.
 */
static void test_exact_number(void **state)
{
    static const uint8_t code[] = {
        0x20, 5,                /* local.get r1 */
        0xa7,                   /* i32.wrap_i64 */
        0xb7,                   /* f64.convert_i32_s */
        0xbd,                   /* i64.reinterpret_f64 */
        0x21, 3, 0x20, 3,    /* local.set, local.get S0 */
        0x21, 4,                /* local.set r0 */
        0x41, 8, 0x0f, 0x0b, /* i32.const 8, return, end */
    };
    static const TwFpHelper helper = {
        .fn = 77,
        .op = TW_FP_FROM_I32,
        .size = 3,
        .reg = { 1 },
    };
    TwTarget with_fp = target;

    (void)state;
    with_fp.fp = (TwFpHelpers){ &helper, 1 };
    assert_call(&with_fp, 0, TW_SIG_I64, code, sizeof(code));
}

/* Helpers that are not listed, or called for another result, are called. */
static void test_plain_call(void **state)
{
    static const uint8_t code[] = {
        0x20, 3,    0xa7,       /* local.get r0, i32.wrap_i64 */
        0x20, 4,                /* local.get r1 */
        0x41, 0xcd, 0,          /* i32.const 77 */
        0x11, 1,    0,          /* call_indirect */
        0x21, 3,                /* local.set r0 */
        0x41, 8,    0x0f, 0x0b, /* i32.const 8, return, end */
    };
    static const uint8_t void_code[] = {
        0x20, 4,    0xa7,       /* local.get r0, i32.wrap_i64 */
        0x20, 5,                /* local.get r1 */
        0x41, 0xcd, 0,          /* i32.const 77 */
        0x11, 1,    0,          /* call_indirect */
        0x41, 8,    0x0f, 0x0b, /* i32.const 8, return, end */
    };
    static const TwFpHelper other = { .fn = 76 };
    static const TwFpHelper helper = { .fn = 77, .op = TW_FP_FROM_I32 };
    TwTarget with_fp = target;

    (void)state;
    assert_call(&target, TW_CALL_NO_READ_GLOBALS, TW_SIG_I64, code,
                sizeof(code));
    with_fp.fp = (TwFpHelpers){ &other, 1 };
    assert_call(&with_fp, TW_CALL_NO_READ_GLOBALS, TW_SIG_I64, code,
                sizeof(code));
    with_fp.fp = (TwFpHelpers){ &helper, 1 };
    assert_call(&with_fp, 0, TW_SIG_VOID, void_code, sizeof(void_code));
}

/* Every opcode, in the least TB that has it, is emitted; vectors: test_vec.c */
static void test_every_opcode(void **state)
{
    (void)state;
    for (int op = TW_OP_ENTRY + 1; op < TW_OP_VLD; op++) {
        int size = tw_qmem_size(op);
        int32_t imm = 0;
        TwBuf out = { 0 };
        TwTbRef ref;
        Asm as;

        asm_start(&as);
        if (tw_op_format(op) == TW_FMT_FIELD) {
            imm = 8;
        } else if (tw_op_format(op) == TW_FMT_DEPOSIT) {
            imm = 8 << 8;
        } else if (tw_op_format(op) == TW_FMT_QMEM) {
            imm = size < 0 ? 0 : size << 4;
        }
        if (tw_format_branches(tw_op_format(op))) {
            asm_branch(&as, op, 1, 1, imm);
        } else {
            asm_insn(&as, op, 1, 0, 0, imm);
        }
        for (unsigned i = 1; i < tw_op_words(op); i++) {
            asm_word(&as, 0x100);
        }
        asm_exit(&as, 0);
        ref = ref_of(&as);
        if (tw_emit_module(&options, &ref, 1, &out) != TW_REFUSED_NONE) {
            fail_msg("%s", tw_op_name(op));
        }
        tw_buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_no_i128_results),
        cmocka_unit_test(test_refusals_are_named),
        cmocka_unit_test(test_deterministic),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_branch),
        cmocka_unit_test(test_self_loop),
        cmocka_unit_test(test_exact_number),
        cmocka_unit_test(test_plain_call),
        cmocka_unit_test(test_every_opcode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
