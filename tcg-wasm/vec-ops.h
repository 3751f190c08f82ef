/*
 * What VOP does: one line per operation.
 *
 * X(NAME, KIND, "mnemonic")
 *
 * Each works on all 128 bits, as elements of 1 << size bytes, and exists for
 * each size; those of kind *_BITS have no elements: size 0. A temporary of
 * TCG's 64-bit vectors is in the low half, and nobody looks at the high one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_VEC_OPS_H
#define TW_VEC_OPS_H

#include <stdint.h>

/* clang-format off */
#define TW_VEC_OPS(X) \
    X(MOV, UNARY_BITS, "mov") X(NOT, UNARY_BITS, "not") \
    X(AND, BINARY_BITS, "and") X(OR, BINARY_BITS, "or") \
    X(XOR, BINARY_BITS, "xor") X(ANDC, BINARY_BITS, "andc") \
    X(ORC, BINARY_BITS, "orc") X(NAND, BINARY_BITS, "nand") \
    X(NOR, BINARY_BITS, "nor") X(EQV, BINARY_BITS, "eqv") \
    /* a = b & c | ~b & d */ \
    X(BITSEL, SELECT_BITS, "bitsel") \
    /* all elements = the low bits of scalar register b */ \
    X(DUP, DUP, "dup") \
    X(NEG, UNARY, "neg") X(ABS, UNARY, "abs") \
    X(ADD, BINARY, "add") X(SUB, BINARY, "sub") X(MUL, BINARY, "mul") \
    /* Saturating */ \
    X(SSADD, BINARY, "ssadd") X(USADD, BINARY, "usadd") \
    X(SSSUB, BINARY, "sssub") X(USSUB, BINARY, "ussub") \
    X(SMIN, BINARY, "smin") X(UMIN, BINARY, "umin") \
    X(SMAX, BINARY, "smax") X(UMAX, BINARY, "umax") \
    /* By the constant c, less than an element's bits */ \
    X(SHLI, SHIFTI, "shli") X(SHRI, SHIFTI, "shri") \
    X(SARI, SHIFTI, "sari") X(ROTLI, SHIFTI, "rotli") \
    /* By scalar register c, modulo an element's bits */ \
    X(SHLS, SHIFTS, "shls") X(SHRS, SHIFTS, "shrs") \
    X(SARS, SHIFTS, "sars") X(ROTLS, SHIFTS, "rotls") \
    /* -1 or 0 in each element */ \
    X(EQ, BINARY, "eq") X(NE, BINARY, "ne") \
    X(LT, BINARY, "lt") X(GE, BINARY, "ge") \
    X(LE, BINARY, "le") X(GT, BINARY, "gt") \
    X(LTU, BINARY, "ltu") X(GEU, BINARY, "geu") \
    X(LEU, BINARY, "leu") X(GTU, BINARY, "gtu")
/* clang-format on */

typedef enum TwVecOp {
#define X(name, kind, mnemonic) TW_VEC_##name,
    TW_VEC_OPS(X)
#undef X
        TW_NB_VEC_OPS
} TwVecOp;

typedef enum TwVecKind {
    TW_VEC_KIND_UNARY_BITS,
    TW_VEC_KIND_BINARY_BITS,
    TW_VEC_KIND_SELECT_BITS,
    TW_VEC_KIND_DUP,
    TW_VEC_KIND_UNARY,
    TW_VEC_KIND_BINARY,
    TW_VEC_KIND_SHIFTI,
    TW_VEC_KIND_SHIFTS,
} TwVecKind;

/* What a VLD puts into its register: c of the instruction. */
typedef enum TwVecLoad {
    TW_VLD_DUP8,    /* an element, repeated; + log2 of its bytes */
    TW_VLD_DUP16,
    TW_VLD_DUP32,
    TW_VLD_DUP64,
    TW_VLD_64,      /* 8 bytes, then zeros */
    TW_VLD_128,
    TW_NB_VEC_LOADS
} TwVecLoad;

/* log2 of the bytes that a VLD reads. */
static inline unsigned tw_vld_size(unsigned load)
{
    return load < TW_VLD_64 ? load : load - 1;
}

/*
 * VOP's imm: the operation, its element size (log2 of bytes), and register d.
 */
static inline int32_t tw_vop_imm(TwVecOp op, unsigned size, unsigned d)
{
    return (int32_t)((unsigned)op | size << 8 | d << 16);
}

static inline unsigned tw_vop_op(int32_t imm)
{
    return (uint32_t)imm & 0xff;
}

static inline unsigned tw_vop_size(int32_t imm)
{
    return ((uint32_t)imm >> 8) & 0xff;
}

static inline unsigned tw_vop_d(int32_t imm)
{
    return (uint32_t)imm >> 16;
}

/* False if there is no such operation of that size. */
static inline int tw_vec_kind_has_size(TwVecKind kind, unsigned size)
{
    return size < (kind <= TW_VEC_KIND_SELECT_BITS ? 1u : 4u);
}

extern const uint8_t tw_vec_kinds[TW_NB_VEC_OPS];
extern const char *const tw_vec_names[TW_NB_VEC_OPS];

#endif
