/*
 * Vector operations: results against a simple model, what the verifier refuses,
 * the disassembler's text, and the code that the emitter writes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../emit.h"
#include "../vec.h"
#include "asm.h"
#include "../rng.h"

enum { V0 = TW_REG_V0, V1, V2, V3 };

/*
 * The model: integers of 128 bits, one element at a time.
 */

typedef __int128 Wide;
typedef unsigned __int128 UWide;

static uint64_t element(const TwVec *v, unsigned size, unsigned i)
{
    uint64_t x = 0;

    memcpy(&x, &v->u8[i << size], (size_t)1 << size);
    return x;
}

static Wide as_signed(uint64_t x, unsigned bits)
{
    return (int64_t)(x << (64 - bits)) >> (64 - bits);
}

static uint64_t limit(Wide x, Wide min, Wide max)
{
    return (uint64_t)(x < min ? min : x > max ? max : x);
}

static uint64_t all_if(bool condition)
{
    return condition ? ~UINT64_C(0) : 0;
}

static uint64_t model(TwVecOp op, unsigned bits, uint64_t x, uint64_t y,
                      uint64_t z, unsigned n)
{
    Wide sx = as_signed(x, bits), sy = as_signed(y, bits);
    Wide smax = ((Wide)1 << (bits - 1)) - 1, umax = ((Wide)1 << bits) - 1;

    switch (op) {
    case TW_VEC_MOV:
    case TW_VEC_DUP:
        return x;
    case TW_VEC_NOT:
        return ~x;
    case TW_VEC_AND:
        return x & y;
    case TW_VEC_OR:
        return x | y;
    case TW_VEC_XOR:
        return x ^ y;
    case TW_VEC_ANDC:
        return x & ~y;
    case TW_VEC_ORC:
        return x | ~y;
    case TW_VEC_NAND:
        return ~(x & y);
    case TW_VEC_NOR:
        return ~(x | y);
    case TW_VEC_EQV:
        return ~(x ^ y);
    case TW_VEC_BITSEL:
        return (x & y) | (~x & z);
    case TW_VEC_NEG:
        return (uint64_t)-sx;
    case TW_VEC_ABS:
        return (uint64_t)(sx < 0 ? -sx : sx);
    case TW_VEC_ADD:
        return (uint64_t)(sx + sy);
    case TW_VEC_SUB:
        return (uint64_t)(sx - sy);
    case TW_VEC_MUL:
        return (uint64_t)(sx * sy);
    case TW_VEC_SSADD:
        return limit(sx + sy, -smax - 1, smax);
    case TW_VEC_USADD:
        return limit((Wide)x + y, 0, umax);
    case TW_VEC_SSSUB:
        return limit(sx - sy, -smax - 1, smax);
    case TW_VEC_USSUB:
        return limit((Wide)x - y, 0, umax);
    case TW_VEC_SMIN:
        return sx < sy ? x : y;
    case TW_VEC_UMIN:
        return x < y ? x : y;
    case TW_VEC_SMAX:
        return sx > sy ? x : y;
    case TW_VEC_UMAX:
        return x > y ? x : y;
    case TW_VEC_SHLI:
    case TW_VEC_SHLS:
        return x << n;
    case TW_VEC_SHRI:
    case TW_VEC_SHRS:
        return x >> n;
    case TW_VEC_SARI:
    case TW_VEC_SARS:
        return (uint64_t)(sx >> n);
    case TW_VEC_ROTLI:
    case TW_VEC_ROTLS:
        return (uint64_t)(((UWide)x | (UWide)x << bits) >> (bits - n));
    case TW_VEC_EQ:
        return all_if(x == y);
    case TW_VEC_NE:
        return all_if(x != y);
    case TW_VEC_LT:
        return all_if(sx < sy);
    case TW_VEC_GE:
        return all_if(sx >= sy);
    case TW_VEC_LE:
        return all_if(sx <= sy);
    case TW_VEC_GT:
        return all_if(sx > sy);
    case TW_VEC_LTU:
        return all_if(x < y);
    case TW_VEC_GEU:
        return all_if(x >= y);
    case TW_VEC_LEU:
        return all_if(x <= y);
    case TW_VEC_GTU:
        return all_if(x > y);
    case TW_NB_VEC_OPS:
        break;
    }
    fail_msg("no model of operation %d", op);
    return 0;
}

static TwInsn vop(unsigned a, unsigned b, unsigned c, int32_t imm)
{
    TwInsn insn = { .op = TW_OP_VOP, .a = (uint8_t)a, .imm = imm };

    insn.b = (uint8_t)b;
    insn.c = (uint8_t)c;
    return insn;
}

/* Elements at their edges, and equal ones now and then. */
static void fill(Rng *rng, TwVec *vregs, unsigned size)
{
    for (unsigned v = 0; v < TW_NB_VREGS; v++) {
        for (unsigned i = 0; i < 16u >> size; i++) {
            uint64_t x = rng_value(rng);

            memcpy(&vregs[v].u8[i << size], &x, (size_t)1 << size);
        }
    }
    if (rng_percent(rng, 20)) {
        vregs[2] = vregs[1];
    }
}

static void check_op(Rng *rng, TwVecOp op, unsigned size)
{
    TwVecKind kind = (TwVecKind)tw_vec_kinds[op];
    unsigned bits = 8u << size, n = rng_below(rng, bits);
    unsigned a = rng_below(rng, 4), c = 2;
    uint64_t regs[TW_NB_ALL_REGS] = { 0 };
    TwVec vregs[TW_NB_VREGS], before[TW_NB_VREGS];

    fill(rng, vregs, size);
    memcpy(before, vregs, sizeof(before));
    regs[5] = rng_value(rng);
    regs[6] = n + (rng_next(rng) & ~(uint64_t)(bits - 1));
    if (kind == TW_VEC_KIND_SHIFTI) {
        c = n;
    } else if (kind == TW_VEC_KIND_SHIFTS) {
        c = 6;
    } else {
        c += TW_REG_V0;
    }
    tw_vec_op(vop(V0 + a, kind == TW_VEC_KIND_DUP ? 5 : V1, c,
                  tw_vop_imm(op, size, V3)),
              regs, vregs);
    for (unsigned i = 0; i < 16u >> size; i++) {
        uint64_t x =
            kind == TW_VEC_KIND_DUP ? regs[5] : element(&before[1], size, i);
        uint64_t want = model(op, bits, x, element(&before[2], size, i),
                              element(&before[3], size, i), n);
        uint64_t got = element(&vregs[a], size, i);

        if (as_signed(want ^ got, bits)) {
            fail_msg("v%u.%s: element %u is 0x%llx, not 0x%llx", bits,
                     tw_vec_names[op], i, (unsigned long long)got,
                     (unsigned long long)want);
        }
    }
    for (unsigned v = 0; v < TW_NB_VREGS; v++) {
        if (v != a) {
            assert_memory_equal(&vregs[v], &before[v], sizeof(before[v]));
        }
    }
}

static void test_operations(void **state)
{
    Rng rng = { 1 };

    (void)state;
    for (unsigned op = 0; op < TW_NB_VEC_OPS; op++) {
        for (unsigned size = 0; size < 4; size++) {
            if (!tw_vec_kind_has_size((TwVecKind)tw_vec_kinds[op], size)) {
                continue;
            }
            for (int i = 0; i < 2000; i++) {
                check_op(&rng, (TwVecOp)op, size);
            }
        }
    }
}

static void test_memory(void **state)
{
    uint8_t from[17], to[40];
    TwVec vregs[TW_NB_VREGS];
    TwInsn insn = { .op = TW_OP_VLD, .a = V1, .imm = 1 };

    (void)state;
    for (unsigned i = 0; i < sizeof(from); i++) {
        from[i] = (uint8_t)(i + 1);
    }
    for (unsigned load = 0; load < TW_NB_VEC_LOADS; load++) {
        memset(vregs, 0xee, sizeof(vregs));
        insn.c = (uint8_t)load;
        tw_vec_load(insn, (uintptr_t)from, vregs);
        for (unsigned i = 0; i < 16; i++) {
            unsigned period = load < TW_VLD_64 ? 1u << load : 16;
            unsigned want = 2 + i % period;

            assert_int_equal(vregs[1].u8[i],
                             load == TW_VLD_64 && i >= 8 ? 0 : want);
        }
        assert_int_equal(vregs[0].u8[15], 0xee);
        assert_int_equal(vregs[2].u8[0], 0xee);
    }
    insn.imm = -3;
    for (unsigned size = 3; size <= 4; size++) {
        memset(to, 0, sizeof(to));
        insn.c = (uint8_t)size;
        tw_vec_store(insn, (uintptr_t)(to + 4), vregs);
        assert_int_equal(to[0], 0);
        assert_memory_equal(to + 1, from + 1, (size_t)1 << size);
        assert_int_equal(to[1 + (1 << size)], 0);
    }
}

/*
 * The verifier, the disassembler.
 */

static void assert_verified(TwOp op, unsigned a, unsigned b, unsigned c,
                            int32_t imm, const char *reason)
{
    char why[100] = "";
    Asm as;

    asm_start(&as);
    asm_insn(&as, op, a, b, c, imm);
    if (tw_op_words(op) > 1) {
        asm_word(&as, 0x1000);
    }
    asm_exit(&as, 0);
    assert_int_equal(tw_verify(as.code, as.n, why, sizeof(why)), !reason);
    assert_string_equal(why, reason ? reason : "");
}

static void test_verifier(void **state)
{
    (void)state;
    assert_verified(TW_OP_VLD, V0, 3, TW_VLD_128, -8, NULL);
    assert_verified(TW_OP_VLD, V0, TW_REG_ENV, TW_NB_VEC_LOADS, 0,
                    "word 4: vld: access size out of range");
    assert_verified(TW_OP_VLD, 3, 3, TW_VLD_128, 0,
                    "word 4: vld: no such vector register r3");
    assert_verified(TW_OP_VLD, V0, V0, TW_VLD_128, 0,
                    "word 4: vld: no such register r24");
    assert_verified(TW_OP_VST, V0, TW_REG_FRAME, 3, 0, NULL);
    assert_verified(TW_OP_VST, V0, TW_REG_FRAME, 2, 0,
                    "word 4: vst: access size out of range");
    assert_verified(TW_OP_VST, V0 + TW_NB_VREGS, 3, 4, 0,
                    "word 4: vst: no such vector register r32");
    assert_verified(TW_OP_VI64, V0 + 7, 0, 0, 0, NULL);
    assert_verified(TW_OP_VI64, TW_REG_FRAME, 0, 0, 0,
                    "word 4: vi64: no such vector register r23");
    assert_verified(TW_OP_ADD, 1, V0, 2, 0,
                    "word 4: add: no such register r24");
}

static void test_verifier_vop(void **state)
{
    (void)state;
    assert_verified(TW_OP_VOP, V0, V1, V2, tw_vop_imm(TW_VEC_ADD, 3, 0), NULL);
    assert_verified(TW_OP_VOP, V0, V1, 2, tw_vop_imm(TW_VEC_ADD, 3, 0),
                    "word 4: v: no such vector register r2");
    assert_verified(TW_OP_VOP, V0, V1, V2, tw_vop_imm(TW_VEC_ADD, 4, 0),
                    "word 4: v: element size out of range");
    assert_verified(TW_OP_VOP, V0, V1, V2, tw_vop_imm(TW_VEC_AND, 1, 0),
                    "word 4: v: element size out of range");
    assert_verified(TW_OP_VOP, V0, V1, V2, TW_NB_VEC_OPS,
                    "word 4: v: operation out of range");
    assert_verified(TW_OP_VOP, V0, V1, V2, -1,
                    "word 4: v: operation out of range");
    assert_verified(TW_OP_VOP, V0, 1, 0, tw_vop_imm(TW_VEC_DUP, 0, 0), NULL);
    assert_verified(TW_OP_VOP, V0, V1, 0, tw_vop_imm(TW_VEC_DUP, 0, 0),
                    "word 4: v: no such register r25");
    assert_verified(TW_OP_VOP, V0, V1, 7, tw_vop_imm(TW_VEC_SARI, 0, 0), NULL);
    assert_verified(TW_OP_VOP, V0, V1, 8, tw_vop_imm(TW_VEC_SARI, 0, 0),
                    "word 4: v: count out of range");
    assert_verified(TW_OP_VOP, V0, V1, 8, tw_vop_imm(TW_VEC_SARS, 0, 0), NULL);
    assert_verified(TW_OP_VOP, V0, V1, V2, tw_vop_imm(TW_VEC_BITSEL, 0, V3),
                    NULL);
    assert_verified(TW_OP_VOP, V0, V1, V2, tw_vop_imm(TW_VEC_BITSEL, 0, 3),
                    "word 4: v: no such vector register r3");
    assert_verified(TW_OP_VOP, V0, V1, V2,
                    tw_vop_imm(TW_VEC_BITSEL, 0, 256 + V3),
                    "word 4: v: no such vector register r255");
}

static void assert_text(TwOp op, unsigned a, unsigned b, unsigned c,
                        int32_t imm, const char *text)
{
    char line[100];
    Asm as;

    asm_start(&as);
    asm_insn(&as, op, a, b, c, imm);
    asm_word(&as, 0x1000);
    tw_disas_insn(as.code, TW_HEADER_WORDS, as.n, line, sizeof(line));
    assert_string_equal(line, text);
}

static void test_disassembly(void **state)
{
    (void)state;
    assert_text(TW_OP_VLD, V1, TW_REG_ENV, TW_VLD_128, 16,
                "vld       v1, [env+16], 128");
    assert_text(TW_OP_VLD, V1, 2, TW_VLD_DUP16, -2,
                "vld       v1, [r2-2], 16 repeated");
    assert_text(TW_OP_VST, V1, TW_REG_FRAME, 3, 8,
                "vst       v1, [frame+8], 64");
    assert_text(TW_OP_VI64, V1, 0, 0, 0, "vi64      v1, 0x1000");
    assert_text(TW_OP_VOP, V1, V2, V3, tw_vop_imm(TW_VEC_USADD, 1, 0),
                "v16.usadd v1, v2, v3");
    assert_text(TW_OP_VOP, V1, V2, V3, tw_vop_imm(TW_VEC_BITSEL, 0, V0),
                "v.bitsel  v1, v2, v3, v0");
    assert_text(TW_OP_VOP, V1, V2, 7, tw_vop_imm(TW_VEC_SHLI, 0, 0),
                "v8.shli   v1, v2, 7");
    assert_text(TW_OP_VOP, V1, V2, 7, tw_vop_imm(TW_VEC_ROTLS, 3, 0),
                "v64.rotls v1, v2, r7");
    assert_text(TW_OP_VOP, V1, 2, 0, tw_vop_imm(TW_VEC_DUP, 2, 0),
                "v32.dup   v1, r2");
    assert_text(TW_OP_VOP, V1, V2, V3, 0xffff, "v         v1, v2, v3, 0xffff");
}

/*
 * The emitter.
 */

static const TwTarget target = {
    .tlb_desc_ofs = 0,
    .page_bits = 12,
    .mem_min_pages = 1,
    .mem_max_pages = 65536,
};

/* A vector instruction of a guest: nothing but the operands goes to locals. */
static void test_code(void **state)
{
    static const uint8_t code[] = {
        0x01, 0x02, 0x7b,             /* 2 locals of v128 */
        0x20, 0,                      /* local.get env */
        0xfd, 0x00, 0x00, 0x80, 0x02, /* v128.load 0 256 */
        0x21, 3,                      /* local.set v0 */
        0x20, 0,                      /* local.get env: of the store's */
        0x20, 0,                      /* local.get env */
        0xfd, 0x00, 0x00, 0x90, 0x02, /* v128.load 0 272 */
        0x20, 3,                      /* local.get v0 */
        0xfd, 0xae, 0x01,             /* i32x4.add */
        0xfd, 0x0b, 0x00, 0xa0, 0x02, /* v128.store 0 288 */
        0x41, 8,    0x0f, 0x0b,       /* i32.const 8, return, end */
    };
    TwEmitOptions options = { .target = &target };
    TwBuf out = { 0 };
    TwTbRef ref;
    Asm as;

    (void)state;
    asm_start(&as);
    asm_insn(&as, TW_OP_VLD, V0, TW_REG_ENV, TW_VLD_128, 256);
    asm_insn(&as, TW_OP_VLD, V1, TW_REG_ENV, TW_VLD_128, 272);
    asm_insn(&as, TW_OP_VOP, V0, V1, V0, tw_vop_imm(TW_VEC_ADD, 2, 0));
    asm_insn(&as, TW_OP_VST, V0, TW_REG_ENV, 4, 288);
    asm_exit(&as, 8);
    ref = (TwTbRef){
        .code = as.code,
        .nwords = (uint32_t)as.n,
        .addr = 0x10000,
    };
    assert_int_equal(tw_emit_module(&options, &ref, 1, &out), TW_REFUSED_NONE);
    assert_true(out.len > sizeof(code));
    assert_memory_equal(out.data + out.len - sizeof(code), code, sizeof(code));
    tw_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operations),  cmocka_unit_test(test_memory),
        cmocka_unit_test(test_verifier),    cmocka_unit_test(test_verifier_vop),
        cmocka_unit_test(test_disassembly), cmocka_unit_test(test_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
