/*
 * Instruction selection: vectors, as Wasm SIMD.
 *
 * Most operations are one Wasm instruction. What Wasm has not for all sizes is
 * composed here, so that bytecode (and so TCG) has each operation for each
 * size: multiplication of bytes, saturation of 32 and 64 bits, comparison of
 * unsigned 64 bits and what follows from it, rotation.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-insns.h"

#include "emit-host.h"
#include "emit-regs.h"

enum {
    ALL_SIZES = 15,
    UP_TO_16 = 3,
    UP_TO_32 = 7,
    FROM_16 = 14,
    /*
     * distance of an operation's opcodes for two neighbouring element sizes
     */
    PER_SIZE = 32,
    LOG2_64 = 3,
};

/* An operation that is one Wasm instruction, for some sizes. */
typedef struct Direct {
    uint8_t wop; /* the opcode for elements of 8 bits, which Wasm may lack */
    uint8_t sizes; /* bit per size */
    bool commutes;
} Direct;

static const Direct directs[TW_NB_VEC_OPS] = {
    [TW_VEC_NOT] = { W_V128_NOT, 1, false },
    [TW_VEC_AND] = { W_V128_AND, 1, true },
    [TW_VEC_OR] = { W_V128_OR, 1, true },
    [TW_VEC_XOR] = { W_V128_XOR, 1, true },
    [TW_VEC_ANDC] = { W_V128_ANDNOT, 1, false },
    [TW_VEC_NEG] = { W_I8X16_NEG, ALL_SIZES, false },
    [TW_VEC_ABS] = { W_I8X16_ABS, ALL_SIZES, false },
    [TW_VEC_ADD] = { W_I8X16_ADD, ALL_SIZES, true },
    [TW_VEC_SUB] = { W_I8X16_SUB, ALL_SIZES, false },
    [TW_VEC_MUL] = { W_I16X8_MUL - PER_SIZE, FROM_16, true },
    [TW_VEC_SSADD] = { W_I8X16_ADD_SAT_S, UP_TO_16, true },
    [TW_VEC_USADD] = { W_I8X16_ADD_SAT_U, UP_TO_16, true },
    [TW_VEC_SSSUB] = { W_I8X16_SUB_SAT_S, UP_TO_16, false },
    [TW_VEC_USSUB] = { W_I8X16_SUB_SAT_U, UP_TO_16, false },
    [TW_VEC_SMIN] = { W_I8X16_MIN_S, UP_TO_32, true },
    [TW_VEC_UMIN] = { W_I8X16_MIN_U, UP_TO_32, true },
    [TW_VEC_SMAX] = { W_I8X16_MAX_S, UP_TO_32, true },
    [TW_VEC_UMAX] = { W_I8X16_MAX_U, UP_TO_32, true },
    [TW_VEC_SHLI] = { W_I8X16_SHL, ALL_SIZES, false },
    [TW_VEC_SHRI] = { W_I8X16_SHR_U, ALL_SIZES, false },
    [TW_VEC_SARI] = { W_I8X16_SHR_S, ALL_SIZES, false },
    [TW_VEC_SHLS] = { W_I8X16_SHL, ALL_SIZES, false },
    [TW_VEC_SHRS] = { W_I8X16_SHR_U, ALL_SIZES, false },
    [TW_VEC_SARS] = { W_I8X16_SHR_S, ALL_SIZES, false },
};

/*
 * A comparison's opcode, relative to EQ's of the same element size: for up to
 * 32 bits, and for 64 bits, where 0 means that Wasm has none.
 */
static const struct {
    uint8_t place, place64;
} compares[TW_NB_VEC_OPS] = {
    [TW_VEC_NE] = { 1, 1 },  [TW_VEC_LT] = { 2, 2 },  [TW_VEC_LTU] = { 3, 0 },
    [TW_VEC_GT] = { 4, 3 },  [TW_VEC_GTU] = { 5, 0 }, [TW_VEC_LE] = { 6, 4 },
    [TW_VEC_LEU] = { 7, 0 }, [TW_VEC_GE] = { 8, 5 },  [TW_VEC_GEU] = { 9, 0 },
};

static void put_sized(TwEmit *e, unsigned wop, unsigned size)
{
    put_simd(e, wop + PER_SIZE * size);
}

static void put_elements(TwEmit *e, uint64_t value)
{
    put_simd(e, W_V128_CONST);
    for (int i = 0; i < 16; i++) {
        put_byte(e, (uint8_t)(value >> (i % 8 * 8)));
    }
}

/* Push a register; TW_NO_REG stands for the scratch local VS0. */
static void push(TwEmit *e, unsigned reg)
{
    if (reg == TW_NO_REG) {
        put_get(e, e->plan->scratch[TW_VS0]);
    } else {
        tw_peek(e, reg);
    }
}

static void push_bc(TwEmit *e)
{
    tw_peek(e, e->insn.b);
    tw_peek(e, e->insn.c);
}

/*
 * Push an operand with the top bits flipped: unsigned order becomes signed
 * order.
 */
static void push_flipped(TwEmit *e, unsigned reg)
{
    push(e, reg);
    put_elements(e, UINT64_C(1) << 63);
    put_simd(e, W_V128_XOR);
}

static void put_compare64u(TwEmit *e, TwVecOp op, unsigned b, unsigned c)
{
    static const uint8_t as_signed[] = {
        [TW_VEC_LTU - TW_VEC_LTU] = TW_VEC_LT,
        [TW_VEC_GEU - TW_VEC_LTU] = TW_VEC_GE,
        [TW_VEC_LEU - TW_VEC_LTU] = TW_VEC_LE,
        [TW_VEC_GTU - TW_VEC_LTU] = TW_VEC_GT,
    };

    push_flipped(e, b);
    push_flipped(e, c);
    put_simd(e, W_I64X2_EQ + compares[as_signed[op - TW_VEC_LTU]].place64);
}

static void put_compare(TwEmit *e, TwVecOp op, unsigned size, unsigned b,
                        unsigned c)
{
    static const uint8_t eq[] = { W_I8X16_EQ, W_I16X8_EQ, W_I32X4_EQ };

    if (size == LOG2_64 && op >= TW_VEC_LTU) {
        put_compare64u(e, op, b, c);
        return;
    }
    push(e, b);
    push(e, c);
    put_simd(e, size == LOG2_64 ? W_I64X2_EQ + compares[op].place64
                                : eq[size] + compares[op].place);
}

/*
 * Multiply bytes: once as they stand, for the even bytes of the product, and
 * once shifted, for the odd ones; then take each from where it is right.
 */
static void put_mul8(TwEmit *e)
{
    push_bc(e);
    put_simd(e, W_I16X8_MUL);
    tw_peek(e, e->insn.b);
    put_i32(e, 8);
    put_sized(e, W_I8X16_SHR_U, 1);
    tw_peek(e, e->insn.c);
    put_elements(e, UINT64_C(0xff00ff00ff00ff00));
    put_simd(e, W_V128_AND);
    put_simd(e, W_I16X8_MUL);
    put_elements(e, UINT64_C(0x00ff00ff00ff00ff));
    put_simd(e, W_V128_BITSELECT);
}

/*
 * Signed saturating sum or difference r = b +- c, of elements of 32 or 64 bits.
 * An element overflowed if the signs of r and b differ, and for a sum those of
 * r and c, for a difference those of b and c. Then the result is the extreme
 * value with b's sign.
 */
static void put_signed_saturating(TwEmit *e, bool sub, unsigned size)
{
    unsigned sign = (8u << size) - 1;

    push_bc(e);
    put_sized(e, sub ? W_I8X16_SUB : W_I8X16_ADD, size);
    put_set(e, e->plan->scratch[TW_VS0]);
    tw_peek(e, e->insn.b);
    put_i32(e, sign);
    put_sized(e, W_I8X16_SHR_S, size);
    put_elements(e, size == LOG2_64 ? UINT64_C(0x7fffffffffffffff)
                                    : UINT64_C(0x7fffffff7fffffff));
    put_simd(e, W_V128_XOR);
    push(e, TW_NO_REG);
    push(e, TW_NO_REG);
    tw_peek(e, e->insn.b);
    put_simd(e, W_V128_XOR);
    push(e, sub ? e->insn.b : TW_NO_REG);
    tw_peek(e, e->insn.c);
    put_simd(e, W_V128_XOR);
    put_simd(e, W_V128_AND);
    put_i32(e, sign);
    put_sized(e, W_I8X16_SHR_S, size);
    put_simd(e, W_V128_BITSELECT);
}

static void put_unsigned_saturating(TwEmit *e, bool sub, unsigned size)
{
    push_bc(e);
    put_sized(e, sub ? W_I8X16_SUB : W_I8X16_ADD, size);
    if (sub) {
        put_compare(e, TW_VEC_GEU, size, e->insn.b, e->insn.c);
        put_simd(e, W_V128_AND);
    } else {
        put_tee(e, e->plan->scratch[TW_VS0]);
        put_compare(e, TW_VEC_LTU, size, TW_NO_REG, e->insn.b);
        put_simd(e, W_V128_OR);
    }
}

static void put_choice(TwEmit *e, TwVecOp compare)
{
    push_bc(e);
    put_compare(e, compare, LOG2_64, e->insn.b, e->insn.c);
    put_simd(e, W_V128_BITSELECT);
}

/* Counts are taken modulo an element's bits. */
static void put_rotate(TwEmit *e, unsigned size)
{
    bool constant = tw_vop_op(e->insn.imm) == TW_VEC_ROTLI;

    tw_peek(e, e->insn.b);
    if (constant) {
        put_i32(e, e->insn.c);
    } else {
        tw_peek32(e, e->insn.c);
    }
    put_sized(e, W_I8X16_SHL, size);
    tw_peek(e, e->insn.b);
    if (constant) {
        put_i32(e, (8u << size) - e->insn.c);
    } else {
        put_i32(e, 0);
        tw_peek32(e, e->insn.c);
        put_byte(e, W_I32_SUB);
    }
    put_sized(e, W_I8X16_SHR_U, size);
    put_simd(e, W_V128_OR);
}

static void put_inverted(TwEmit *e, uint32_t wop)
{
    tw_read(e, e->insn.b);
    tw_read(e, e->insn.c);
    put_simd(e, wop);
    put_simd(e, W_V128_NOT);
}

static void put_composed(TwEmit *e, TwVecOp op, unsigned size)
{
    switch (op) {
    case TW_VEC_MOV:
        tw_read(e, e->insn.b);
        break;
    case TW_VEC_ORC:
        tw_read(e, e->insn.b);
        tw_read(e, e->insn.c);
        put_simd(e, W_V128_NOT);
        put_simd(e, W_V128_OR);
        break;
    case TW_VEC_NAND:
        put_inverted(e, W_V128_AND);
        break;
    case TW_VEC_NOR:
        put_inverted(e, W_V128_OR);
        break;
    case TW_VEC_EQV:
        put_inverted(e, W_V128_XOR);
        break;
    case TW_VEC_BITSEL:
        tw_peek(e, e->insn.c);
        tw_peek(e, tw_vop_d(e->insn.imm));
        tw_peek(e, e->insn.b);
        put_simd(e, W_V128_BITSELECT);
        break;
    case TW_VEC_DUP:
        if (size == LOG2_64) {
            tw_read(e, e->insn.b);
        } else {
            tw_read32(e, e->insn.b);
        }
        put_simd(e, W_I8X16_SPLAT + size);
        break;
    case TW_VEC_MUL:
        put_mul8(e);
        break;
    case TW_VEC_SSADD:
    case TW_VEC_SSSUB:
        put_signed_saturating(e, op == TW_VEC_SSSUB, size);
        break;
    case TW_VEC_USADD:
    case TW_VEC_USSUB:
        put_unsigned_saturating(e, op == TW_VEC_USSUB, size);
        break;
    case TW_VEC_SMIN:
        put_choice(e, TW_VEC_LT);
        break;
    case TW_VEC_UMIN:
        put_choice(e, TW_VEC_LTU);
        break;
    case TW_VEC_SMAX:
        put_choice(e, TW_VEC_GT);
        break;
    case TW_VEC_UMAX:
        put_choice(e, TW_VEC_GTU);
        break;
    case TW_VEC_ROTLI:
    case TW_VEC_ROTLS:
        put_rotate(e, size);
        break;
    default:
        put_compare(e, op, size, e->insn.b, e->insn.c);
        break;
    }
}

static void put_direct(TwEmit *e, const Direct *direct, TwVecKind kind,
                       unsigned size)
{
    unsigned b = e->insn.b, c = e->insn.c;

    if (direct->commutes && tw_just_set(e, c)) {
        b = e->insn.c;
        c = e->insn.b;
    }
    tw_read(e, b);
    switch (kind) {
    case TW_VEC_KIND_SHIFTI:
        put_i32(e, c);
        break;
    case TW_VEC_KIND_SHIFTS:
        tw_read32(e, c);
        break;
    case TW_VEC_KIND_BINARY:
    case TW_VEC_KIND_BINARY_BITS:
        tw_read(e, c);
        break;
    default:
        break;
    }
    put_sized(e, direct->wop, size);
}

static void emit_op(TwEmit *e)
{
    unsigned op = tw_vop_op(e->insn.imm), size = tw_vop_size(e->insn.imm);
    const Direct *direct = &directs[op];

    if (direct->sizes >> size & 1) {
        put_direct(e, direct, (TwVecKind)tw_vec_kinds[op], size);
    } else {
        put_composed(e, (TwVecOp)op, size);
    }
    tw_write(e, e->insn.a);
}

static void put_memarg(TwEmit *e, uint32_t ofs)
{
    put_byte(e, 0);
    put_u32(e, ofs);
}

static void emit_load(TwEmit *e)
{
    unsigned load = e->insn.c;
    uint32_t ofs;

    tw_touch_slots(e, e->insn);
    ofs = tw_push_address(e, e->insn);
    put_simd(e, load == TW_VLD_128  ? W_V128_LOAD
                : load == TW_VLD_64 ? W_V128_LOAD64_ZERO
                                    : W_V128_LOAD8_SPLAT + load);
    put_memarg(e, ofs);
    tw_write(e, e->insn.a);
}

static void emit_store(TwEmit *e)
{
    bool whole = e->insn.c == 4;
    uint32_t ofs;

    tw_touch_slots(e, e->insn);
    ofs = tw_open_store(e, e->insn);
    tw_read(e, e->insn.a);
    put_simd(e, whole ? W_V128_STORE : W_V128_STORE64_LANE);
    put_memarg(e, ofs);
    if (!whole) {
        put_byte(e, 0);
    }
}

bool tw_emit_vec(TwEmit *e)
{
    switch (tw_op_format(e->insn.op)) {
    case TW_FMT_VLD:
        emit_load(e);
        return true;
    case TW_FMT_VST:
        emit_store(e);
        return true;
    case TW_FMT_VI64:
        put_elements(e, e->plan->code[e->at + 1]);
        tw_write(e, e->insn.a);
        return true;
    case TW_FMT_VOP:
        emit_op(e);
        return true;
    default:
        return false;
    }
}
