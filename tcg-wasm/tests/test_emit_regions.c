/*
 * What regions are emitted as: loops, dispatchers, env slots in locals, calls
 * between functions. That the code is right is what difftest is for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "asm.h"
#include "wasm-walk.h"

enum {
    MAX_TBS = 6,
    NONE = -1,
    CAN_DO_IO = -8,
    INTERRUPT = -4,
    /* Slots are at and above this offset, all else is below. */
    SLOTS = 1000,
    PC = SLOTS,
    A0 = SLOTS + 8,
    A1 = SLOTS + 16,
    A5 = SLOTS + 24,
    HELPER = 77,
};

static const TwGlobal globals[] = {
    { CAN_DO_IO, 1 }, { PC, 8 }, { A0, 8 }, { A1, 8 }, { A5, 8 },
};

static const TwTarget target = {
    .tlb_desc_ofs = -64,
    .page_bits = 12,
    .fn_ld = { 1, 2, 3, 4 },
    .fn_st = { 5, 6, 7, 8 },
    .globals = globals,
    .nglobals = sizeof(globals) / sizeof(globals[0]),
    .mem_max_pages = 65536,
};

typedef struct Group {
    Asm code[MAX_TBS];
    TwTbRef refs[MAX_TBS];
    unsigned n;
    TwBuf out;
} Group;

static uint32_t address(unsigned i)
{
    return 0x10000 * (i + 1);
}

static void put_pc(Asm *as, uint64_t pc)
{
    asm_insn(as, TW_OP_MOVI64, 17, 0, 0, 0);
    asm_word(as, pc);
    asm_insn(as, TW_OP_STE64, 17, 0, 0, PC);
}

static void put_exit(Asm *as, unsigned n, uint64_t pc)
{
    asm_insn(as, TW_OP_STEI8, 0, 1, 0, CAN_DO_IO);
    put_pc(as, pc);
    asm_insn(as, TW_OP_GOTO_TB, n, 0, 0, 0);
    asm_word(as, 0);
    asm_exit(as, n);
}

static void set_target(Asm *as, size_t branch)
{
    TwInsn insn = tw_insn_at(as->code, branch);

    insn.rel = (int16_t)(as->n - branch);
    memcpy(&as->code[branch], &insn, sizeof(insn));
}

/*
 * A TB as of a guest's loop: interrupt check; a5 = *a0++; a1 += a5; exit 1 if
 * a5 is 0, else exit 0.
 */
static void start_tb(Asm *as, size_t *interrupt)
{
    asm_start(as);
    *interrupt = as->n;
    asm_branch(as, TW_OP_BR_ENV_LT0, 14, 0, INTERRUPT);
    asm_insn(as, TW_OP_STEI8, 0, 0, 0, CAN_DO_IO);
    asm_insn(as, TW_OP_LDE64, 14, 0, 0, A0);
    asm_insn(as, TW_OP_QLD8U, 15, 14, 0, 0);
    asm_insn(as, TW_OP_STE64, 15, 0, 0, A5);
    asm_insn(as, TW_OP_ADDI, 14, 14, 0, 1);
    asm_insn(as, TW_OP_STE64, 14, 0, 0, A0);
    asm_insn(as, TW_OP_LDE64, 16, 0, 0, A1);
    asm_insn(as, TW_OP_ADD, 16, 16, 15, 0);
    asm_insn(as, TW_OP_STE64, 16, 0, 0, A1);
}

static void end_tb(Asm *as, size_t interrupt)
{
    size_t other;

    asm_insn(as, TW_OP_LDE64, 15, 0, 0, A5);
    other = as->n;
    asm_branch(as, TW_OP_BRI_EQ, 15, 0, 0);
    put_exit(as, 0, 0x80000000u);
    set_target(as, other);
    put_exit(as, 1, 0x80000010u);
    set_target(as, interrupt);
    asm_exit(as, 3);
}

static void add_tb(Group *g, int succ0, int succ1)
{
    Asm *as = &g->code[g->n];
    size_t interrupt;

    start_tb(as, &interrupt);
    end_tb(as, interrupt);
    g->refs[g->n] = (TwTbRef){
        .code = as->code,
        .nwords = (uint32_t)as->n,
        .addr = address(g->n),
        .succ = { succ0 < 0 ? 0 : address((unsigned)succ0),
                  succ1 < 0 ? 0 : address((unsigned)succ1) },
    };
    g->n++;
}

static void emit_for(Group *g, const TwTarget *which, TwCounts counts)
{
    const TwEmitOptions options = {
        .target = which,
        .counts = counts,
        .sample_period = 100,
        .shape = TW_SHAPE_REGIONS,
    };

    assert_int_equal(tw_emit_module(&options, g->refs, g->n, &g->out),
                     TW_REFUSED_NONE);
}

static void emit(Group *g, TwCounts counts)
{
    emit_for(g, &target, counts);
}

/* One loop, no env traffic in it but the interrupt check. */
static void test_tight_loop(void **state)
{
    Group g = { .n = 0 };
    WasmCode code;
    WasmPath path;

    (void)state;
    add_tb(&g, 0, NONE);
    emit(&g, TW_COUNTS_OFF);
    code = wasm_decode(&g.out, 0);
    assert_int_equal(wasm_count(&code, W_LOOP), 1);
    assert_int_equal(wasm_count(&code, W_BR_TABLE), 0);
    path = wasm_follow(&code, 0, SLOTS);
    assert_true(path.returned);
    assert_int_equal(path.loads, 0);
    assert_int_equal(path.stores, 0);
    wasm_free(&code);
    tw_buf_free(&g.out);
}

/* The same over two TBs, in a loop around another, all in one function. */
static void test_nested_loops(void **state)
{
    Group g = { .n = 0 };
    WasmCode code;
    WasmPath path;

    (void)state;
    add_tb(&g, 1, NONE);
    add_tb(&g, 2, NONE);
    add_tb(&g, 1, 3);   /* the inner loop is {1, 2} */
    add_tb(&g, 1, 4);   /* {1, 2, 3} */
    add_tb(&g, 0, NONE);
    emit(&g, TW_COUNTS_OFF);
    code = wasm_decode(&g.out, 0);
    assert_int_equal(wasm_count(&code, W_BR_TABLE), 0);
    assert_int_equal(wasm_count(&code, W_RETURN_CALL), 0);
    assert_int_equal(wasm_count(&code, W_LOOP), 2);
    path = wasm_follow(&code, 1, SLOTS);
    assert_true(path.returned);
    assert_int_equal(path.loads, 0);
    assert_int_equal(path.stores, 0);
    wasm_free(&code);
    tw_buf_free(&g.out);
}

/*
 * 0, header of a loop around all, enters the loop {1, 2, 3} at 1 and 2: one
 * dispatcher, at that loop. The loops of 3 inside it and of 4 behind it have
 * none.
 */
static void test_irreducible(void **state)
{
    Group g = { .n = 0 };
    WasmCode code;

    (void)state;
    add_tb(&g, 1, 2);
    add_tb(&g, 2, 4);
    add_tb(&g, 3, NONE);
    add_tb(&g, 3, 1);
    add_tb(&g, 4, 0);
    emit(&g, TW_COUNTS_OFF);
    code = wasm_decode(&g.out, 0);
    assert_int_equal(wasm_count(&code, W_BR_TABLE), 1);
    assert_int_equal(wasm_count(&code, W_LOOP), 4);
    assert_int_equal(wasm_follow(&code, 1, SLOTS).branch_tables, 1);
    for (unsigned i = 2; i < 4; i++) {
        WasmPath path = wasm_follow(&code, i, SLOTS);

        assert_true(path.returned);
        assert_int_equal(path.branch_tables, 0);
    }
    wasm_free(&code);
    tw_buf_free(&g.out);
}

/* A TB may find those that its own word does not differ from. */
static bool expect(uint64_t own, uint32_t header, TwExpected *expected)
{
    *expected = (TwExpected){ .tag = header, .valid_at = 16, .valid = 1 };
    return own == 5;
}

/*
 * A loop of two TBs by LOOKUP is one loop of Wasm if the second TB may be
 * found.
 */
static void test_lookup(void **state)
{
    static const TwJumpCache cache = {
        .entry_bits = 4,
        .env_pc = PC,
        .busy = 8,
        .expect = expect,
    };

    (void)state;
    for (unsigned own = 5; own < 7; own++) {
        Group g = { .n = 2 };
        TwTarget looks = target;
        WasmCode code;

        looks.jump_cache = &cache;
        for (unsigned i = 0; i < 2; i++) {
            Asm *as = &g.code[i];

            asm_start(as);
            asm_insn(as, TW_OP_LDE64, 14, 0, 0, PC);
            asm_insn(as, TW_OP_ADDI, 14, 14, 0, 64);
            asm_insn(as, TW_OP_STE64, 14, 0, 0, PC);
            asm_insn(as, TW_OP_LOOKUP, 0, 0, 0, (int32_t)address(1 - i));
            asm_word(as, HELPER);
            asm_word(as, own);
            g.refs[i] = (TwTbRef){
                .code = as->code,
                .nwords = (uint32_t)as->n,
                .addr = address(i),
            };
        }
        emit_for(&g, &looks, TW_COUNTS_OFF);
        code = wasm_decode(&g.out, 0);
        assert_int_equal(wasm_count(&code, W_LOOP), own == 5);
        assert_int_equal(wasm_count(&code, W_CALL_INDIRECT), own == 5 ? 2 : 1);
        wasm_free(&code);
        tw_buf_free(&g.out);
    }
}

/*
 * A loop by goto_ptr, with the hint that tier 0 leaves; slots stay in locals.
 */
static void test_goto_ptr(void **state)
{
    Group g = { .n = 2 };
    WasmCode code;
    WasmPath path;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        Asm *as = &g.code[i];

        asm_start(as);
        asm_insn(as, TW_OP_LDE64, 14, 0, 0, A0);
        asm_insn(as, TW_OP_ADDI, 14, 14, 0, 1);
        asm_insn(as, TW_OP_STE64, 14, 0, 0, A0);
        asm_insn(as, TW_OP_LDE32U, 15, 0, 0, 16);
        asm_insn(as, TW_OP_GOTO_PTR, 15, 0, 0, (int32_t)address(1 - i));
        g.refs[i] = (TwTbRef){
            .code = as->code,
            .nwords = (uint32_t)as->n,
            .addr = address(i),
        };
    }
    emit(&g, TW_COUNTS_OFF);
    code = wasm_decode(&g.out, 0);
    assert_int_equal(wasm_count(&code, W_LOOP), 1);
    path = wasm_follow(&code, 0, SLOTS);
    assert_true(path.returned);
    assert_int_equal(path.loads, 0);
    assert_int_equal(path.stores, 0);
    wasm_free(&code);
    tw_buf_free(&g.out);
}

/* A member that is no head keeps a function, which jumps to the head's. */
static void test_members_jump_to_heads(void **state)
{
    Group g = { .n = 0 };
    WasmCode code;

    (void)state;
    add_tb(&g, 1, NONE);
    add_tb(&g, 0, NONE);
    emit(&g, TW_COUNTS_OFF);
    code = wasm_decode(&g.out, 0);
    assert_int_equal(wasm_count(&code, W_LOOP), 1);
    assert_int_equal(wasm_count(&code, W_RETURN_CALL), 0);
    wasm_free(&code);
    code = wasm_decode(&g.out, 1);
    assert_int_equal(wasm_count(&code, W_LOOP), 0);
    assert_int_equal(wasm_count(&code, W_RETURN_CALL), 1);
    for (uint32_t i = 0; i < code.n; i++) {
        assert_true(code.insns[i].op != W_RETURN_CALL ||
                    code.insns[i].imm == 0);
    }
    wasm_free(&code);
    tw_buf_free(&g.out);
}

/* Slots' loads and stores in an iteration of a loop with a helper call. */
static WasmPath with_call(unsigned flags)
{
    Group g = { .n = 0 };
    size_t interrupt;
    WasmCode code;
    WasmPath path;

    start_tb(&g.code[0], &interrupt);
    asm_insn(&g.code[0], TW_OP_CALL, 0, 0, flags, TW_SIG_VOID);
    asm_word(&g.code[0], HELPER);
    end_tb(&g.code[0], interrupt);
    g.refs[0] = (TwTbRef){
        .code = g.code[0].code,
        .nwords = (uint32_t)g.code[0].n,
        .addr = address(0),
        .succ = { address(0), 0 },
    };
    g.n = 1;
    emit(&g, TW_COUNTS_OFF);
    code = wasm_decode(&g.out, 0);
    path = wasm_follow(&code, 0, SLOTS);
    assert_true(path.returned);
    wasm_free(&code);
    tw_buf_free(&g.out);
    return path;
}

static void test_calls(void **state)
{
    WasmPath path;

    (void)state;
    path = with_call(TW_CALL_NO_READ_GLOBALS);
    assert_int_equal(path.stores, 0);
    assert_int_equal(path.loads, 0);
    /* It sees a0, a1, a5 and the PC of the exit before it. */
    path = with_call(TW_CALL_NO_WRITE_GLOBALS);
    assert_int_equal(path.stores, 4);
    assert_int_equal(path.loads, 0);
    /* a0, a1 and a5 are read afterwards. */
    path = with_call(0);
    assert_int_equal(path.stores, 4);
    assert_int_equal(path.loads, 3);
}

/* Each TB of a region counts itself. */
static void test_counts(void **state)
{
    (void)state;
    for (TwCounts counts = TW_COUNTS_OFF; counts <= TW_COUNTS_EXACT; counts++) {
        Group g = { .n = 0 };
        unsigned found = 0;
        WasmCode code;

        add_tb(&g, 1, NONE);
        add_tb(&g, 0, NONE);
        emit(&g, counts);
        code = wasm_decode(&g.out, 0);
        for (uint32_t i = 0; i < code.n; i++) {
            found += code.insns[i].op == W_I32_STORE &&
                     code.insns[i].ofs == offsetof(TwHeader, tier1_count);
        }
        assert_int_equal(found, counts == TW_COUNTS_OFF ? 0 : 2);
        wasm_free(&code);
        tw_buf_free(&g.out);
    }
}

/* Names come behind the code, which they do not change. */
static void test_names(void **state)
{
    static const uint8_t names[] = {
        0x80 | 39, 0x80, 0x80, 0x80, 0, /* the section's size */
        4,         'n',  'a',  'm',  'e', 1,   0x80 | 28, 0x80, 0x80, 0x80,
        0, /* functions: size, number */
        2,         0,    15,   'r',  'e', 'g', 'i',       'o',  'n',  ':',
        '8',       '0',  '0',  '0',  '0', '0', '0',       '0',  1,    8,
        't',       'b',  ':',  '1',  'f', 'f', '0',       'c',
    };
    TwEmitOptions options = { .target = &target, .shape = TW_SHAPE_REGIONS };
    Group g = { .n = 0 };
    size_t len;

    (void)state;
    add_tb(&g, 1, NONE);
    add_tb(&g, NONE, NONE);
    g.refs[0].pc = 0x80000000u;
    g.refs[1].pc = 0x1ff0c;
    for (int on = 0; on < 2; on++) {
        options.names = on;
        len = g.out.len;
        assert_int_equal(tw_emit_module(&options, g.refs, g.n, &g.out),
                         TW_REFUSED_NONE);
    }
    assert_memory_equal(g.out.data, g.out.data + len, len);
    assert_int_equal(g.out.len, 2 * len + 1 + sizeof(names));
    assert_int_equal(g.out.data[2 * len], 0); /* a custom section */
    assert_memory_equal(g.out.data + 2 * len + 1, names, sizeof(names));
    tw_buf_free(&g.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tight_loop),
        cmocka_unit_test(test_nested_loops),
        cmocka_unit_test(test_irreducible),
        cmocka_unit_test(test_lookup),
        cmocka_unit_test(test_goto_ptr),
        cmocka_unit_test(test_members_jump_to_heads),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
