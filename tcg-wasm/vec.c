/*
 * Vector operations in tier 0. Each is one loop per element size, which the
 * compiler turns into SIMD where it has some; that is also why results go to
 * a vector of their own, which no operand overlaps.
 *
 * Elements are unsigned; where the sign matters they are sign-extended to
 * 64 bits (S), computed with, and cut off.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "vec.h"

static TwVec *vreg(TwVec *vregs, unsigned reg)
{
    return &vregs[reg % TW_NB_VREGS];
}

void tw_vec_load(TwInsn insn, uintptr_t base, TwVec *vregs)
{
    const void *from = (const void *)(base + (uintptr_t)(intptr_t)insn.imm);
    TwVec *to = vreg(vregs, insn.a);
    TwVec v = { .u64 = { 0, 0 } };

    /*
     * Each memcpy has a constant size, so that the compiler makes no call of
     * it.
     */
    switch (insn.c) {
    case TW_VLD_DUP8:
        memset(to, *(const uint8_t *)from, sizeof(*to));
        return;
    case TW_VLD_DUP16:
        memcpy(&v, from, 2);
        v.u64[0] = v.u16[0] * UINT64_C(0x0001000100010001);
        break;
    case TW_VLD_DUP32:
        memcpy(&v, from, 4);
        v.u64[0] = v.u32[0] * UINT64_C(0x0000000100000001);
        break;
    case TW_VLD_DUP64:
    case TW_VLD_64:
        memcpy(&v, from, 8);
        break;
    default:
        memcpy(to, from, 16);
        return;
    }
    if (insn.c < TW_VLD_64) {
        v.u64[1] = v.u64[0];
    }
    *to = v;
}

void tw_vec_store(TwInsn insn, uintptr_t base, const TwVec *vregs)
{
    void *to = (void *)(base + (uintptr_t)(intptr_t)insn.imm);
    const TwVec *v = &vregs[insn.a % TW_NB_VREGS];

    if (insn.c == 4) {
        memcpy(to, v, 16);
    } else {
        memcpy(to, v, 8);
    }
}

/*
 * Saturating arithmetic and the like on one element, of @bits bits.
 */

static int64_t clamp(int64_t v, unsigned bits)
{
    int64_t max = INT64_MAX >> (64 - bits);

    return v > max ? max : v < ~max ? ~max : v;
}

static int64_t ssadd(int64_t x, int64_t y, unsigned bits)
{
    int64_t v;

    if (__builtin_add_overflow(x, y, &v)) {
        return x < 0 ? INT64_MIN : INT64_MAX;
    }
    return clamp(v, bits);
}

static int64_t sssub(int64_t x, int64_t y, unsigned bits)
{
    int64_t v;

    if (__builtin_sub_overflow(x, y, &v)) {
        return x < 0 ? INT64_MIN : INT64_MAX;
    }
    return clamp(v, bits);
}

/* clang-format off */
#define U(bits, x) ((uint##bits##_t)(x))
#define S(bits, x) ((int64_t)(int##bits##_t)(x))
#define BOOL(bits, x) U(bits, (x) ? -1 : 0)

/*
 * E_NAME(bits, x, y, n): an element of the result, of operands' elements x and
 * y, or for shifts of x and the count n.
 */
#define E_NEG(bits, x, y, n) U(bits, 0 - (uint64_t)(x))
#define E_ABS(bits, x, y, n) \
    U(bits, S(bits, x) < 0 ? 0 - (uint64_t)(x) : (uint64_t)(x))
#define E_ADD(bits, x, y, n) U(bits, (uint64_t)(x) + (y))
#define E_SUB(bits, x, y, n) U(bits, (uint64_t)(x) - (y))
#define E_MUL(bits, x, y, n) U(bits, (uint64_t)(x) * (y))
#define E_SSADD(bits, x, y, n) U(bits, ssadd(S(bits, x), S(bits, y), bits))
#define E_SSSUB(bits, x, y, n) U(bits, sssub(S(bits, x), S(bits, y), bits))
#define E_USADD(bits, x, y, n) \
    U(bits, (y) > U(bits, ~(x)) ? U(bits, -1) : (uint64_t)(x) + (y))
#define E_USSUB(bits, x, y, n) U(bits, (x) > (y) ? (x) - (y) : 0)
#define E_SMIN(bits, x, y, n) (S(bits, x) < S(bits, y) ? (x) : (y))
#define E_SMAX(bits, x, y, n) (S(bits, x) > S(bits, y) ? (x) : (y))
#define E_UMIN(bits, x, y, n) ((x) < (y) ? (x) : (y))
#define E_UMAX(bits, x, y, n) ((x) > (y) ? (x) : (y))
#define E_SHLI(bits, x, y, n) U(bits, (uint64_t)(x) << (n))
#define E_SHRI(bits, x, y, n) U(bits, (x) >> (n))
#define E_SARI(bits, x, y, n) U(bits, S(bits, x) >> (n))
#define E_ROTLI(bits, x, y, n) \
    U(bits, (uint64_t)(x) << (n) | (x) >> (((bits) - (n)) & ((bits) - 1)))
#define E_SHLS E_SHLI
#define E_SHRS E_SHRI
#define E_SARS E_SARI
#define E_ROTLS E_ROTLI
#define E_EQ(bits, x, y, n) BOOL(bits, (x) == (y))
#define E_NE(bits, x, y, n) BOOL(bits, (x) != (y))
#define E_LT(bits, x, y, n) BOOL(bits, S(bits, x) < S(bits, y))
#define E_GE(bits, x, y, n) BOOL(bits, S(bits, x) >= S(bits, y))
#define E_LE(bits, x, y, n) BOOL(bits, S(bits, x) <= S(bits, y))
#define E_GT(bits, x, y, n) BOOL(bits, S(bits, x) > S(bits, y))
#define E_LTU(bits, x, y, n) BOOL(bits, (x) < (y))
#define E_GEU(bits, x, y, n) BOOL(bits, (x) >= (y))
#define E_LEU(bits, x, y, n) BOOL(bits, (x) <= (y))
#define E_GTU(bits, x, y, n) BOOL(bits, (x) > (y))
#define E_DUP(bits, x, y, n) U(bits, scalar)

/* E_NAME(x, y, z): 64 bits of the result, of the same bits of the operands. */
#define E_MOV(x, y, z) (x)
#define E_NOT(x, y, z) (~(x))
#define E_AND(x, y, z) ((x) & (y))
#define E_OR(x, y, z) ((x) | (y))
#define E_XOR(x, y, z) ((x) ^ (y))
#define E_ANDC(x, y, z) ((x) & ~(y))
#define E_ORC(x, y, z) ((x) | ~(y))
#define E_NAND(x, y, z) (~((x) & (y)))
#define E_NOR(x, y, z) (~((x) | (y)))
#define E_EQV(x, y, z) (~((x) ^ (y)))
#define E_BITSEL(x, y, z) (((x) & (y)) | (~(x) & (z)))

#define KEY(op, size) ((op) << 2 | (size))
#define ELEMENTS(name, size, bits) \
    case KEY(TW_VEC_##name, size): \
        for (unsigned i = 0; i < 128 / (bits); i++) { \
            v.u##bits[i] = \
                E_##name(bits, b->u##bits[i], c->u##bits[i], n); \
        } \
        break;
#define SIZES(name) \
    ELEMENTS(name, 0, 8) ELEMENTS(name, 1, 16) ELEMENTS(name, 2, 32) \
    ELEMENTS(name, 3, 64)
#define BITS(name) \
    case KEY(TW_VEC_##name, 0): \
        for (unsigned i = 0; i < 2; i++) { \
            v.u64[i] = E_##name(b->u64[i], c->u64[i], d->u64[i]); \
        } \
        break;
#define CASE_UNARY_BITS BITS
#define CASE_BINARY_BITS BITS
#define CASE_SELECT_BITS BITS
#define CASE_DUP SIZES
#define CASE_UNARY SIZES
#define CASE_BINARY SIZES
#define CASE_SHIFTI SIZES
#define CASE_SHIFTS SIZES

void tw_vec_op(TwInsn insn, const uint64_t *regs, TwVec *vregs)
{
    unsigned op = tw_vop_op(insn.imm), size = tw_vop_size(insn.imm);
    const TwVec *b = vreg(vregs, insn.b), *c = vreg(vregs, insn.c);
    const TwVec *d = vreg(vregs, tw_vop_d(insn.imm));
    uint64_t scalar = 0;
    unsigned n = insn.c;
    TwVec v;

    if (tw_vec_kinds[op] == TW_VEC_KIND_DUP) {
        scalar = regs[insn.b];
    } else if (tw_vec_kinds[op] == TW_VEC_KIND_SHIFTS) {
        n = (unsigned)regs[insn.c] & ((8u << size) - 1);
    }
    switch (KEY(op, size)) {
#define X(name, kind, mnemonic) CASE_##kind(name)
    TW_VEC_OPS(X)
#undef X
    default:
        /* The verifier and the TCG target accept no other operation. */
        __builtin_unreachable();
    }
    *vreg(vregs, insn.a) = v;
}
/* clang-format on */
