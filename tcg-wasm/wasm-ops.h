/*
 * Bytes of the WebAssembly binary format that the emitter writes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_WASM_OPS_H
#define TW_WASM_OPS_H

/* clang-format off */
enum {
    W_UNREACHABLE = 0x00, W_BLOCK = 0x02, W_LOOP = 0x03, W_IF = 0x04,
    W_ELSE = 0x05, W_END = 0x0b, W_BR = 0x0c, W_BR_IF = 0x0d,
    W_BR_TABLE = 0x0e, W_RETURN = 0x0f, W_CALL_INDIRECT = 0x11,
    W_RETURN_CALL = 0x12, W_RETURN_CALL_INDIRECT = 0x13, W_SELECT = 0x1b,
    W_LOCAL_GET = 0x20, W_LOCAL_SET = 0x21, W_LOCAL_TEE = 0x22,
    W_I32_LOAD = 0x28, W_I64_LOAD = 0x29,
    W_I64_LOAD8_S = 0x30, W_I64_LOAD8_U = 0x31, W_I64_LOAD16_S = 0x32,
    W_I64_LOAD16_U = 0x33, W_I64_LOAD32_S = 0x34, W_I64_LOAD32_U = 0x35,
    W_I32_STORE = 0x36, W_I64_STORE = 0x37, W_I64_STORE8 = 0x3c,
    W_I64_STORE16 = 0x3d, W_I64_STORE32 = 0x3e,
    W_I32_CONST = 0x41, W_I64_CONST = 0x42, W_F64_CONST = 0x44,
    W_I32_EQZ = 0x45, W_I32_EQ = 0x46, W_I32_NE = 0x47, W_I32_LT_S = 0x48,
    W_I32_LT_U = 0x49, W_I32_GT_S = 0x4a, W_I32_GT_U = 0x4b,
    W_I32_LE_S = 0x4c, W_I32_LE_U = 0x4d, W_I32_GE_S = 0x4e,
    W_I32_GE_U = 0x4f,
    W_I64_EQZ = 0x50, W_I64_EQ = 0x51, W_I64_NE = 0x52, W_I64_LT_U = 0x54,
    W_I64_GE_U = 0x5a,
    W_F32_EQ = 0x5b, W_F32_LT = 0x5d, W_F32_GT = 0x5e, W_F32_LE = 0x5f,
    W_F64_EQ = 0x61, W_F64_LT = 0x63, W_F64_GT = 0x64,
    W_I32_CLZ = 0x67, W_I32_CTZ = 0x68, W_I32_POPCNT = 0x69,
    W_I32_ADD = 0x6a, W_I32_SUB = 0x6b, W_I32_DIV_S = 0x6d,
    W_I32_DIV_U = 0x6e, W_I32_REM_S = 0x6f, W_I32_REM_U = 0x70,
    W_I32_AND = 0x71, W_I32_OR = 0x72, W_I32_XOR = 0x73,
    W_I32_SHL = 0x74, W_I32_SHR_S = 0x75,
    W_I32_SHR_U = 0x76, W_I32_ROTL = 0x77, W_I32_ROTR = 0x78,
    W_I64_CLZ = 0x79, W_I64_CTZ = 0x7a, W_I64_POPCNT = 0x7b,
    W_I64_ADD = 0x7c, W_I64_SUB = 0x7d, W_I64_MUL = 0x7e,
    W_I64_DIV_S = 0x7f, W_I64_DIV_U = 0x80, W_I64_REM_S = 0x81,
    W_I64_REM_U = 0x82, W_I64_AND = 0x83, W_I64_OR = 0x84, W_I64_XOR = 0x85,
    W_I64_SHL = 0x86, W_I64_SHR_S = 0x87, W_I64_SHR_U = 0x88,
    W_I64_ROTL = 0x89, W_I64_ROTR = 0x8a,
    W_F32_ABS = 0x8b, W_F32_SQRT = 0x91, W_F32_ADD = 0x92, W_F32_SUB = 0x93,
    W_F32_MUL = 0x94, W_F32_DIV = 0x95, W_F32_MIN = 0x96, W_F32_MAX = 0x97,
    W_F64_ABS = 0x99, /* the others: as those of f32, as far from ABS */
    W_F64_NEG = 0x9a, W_F64_ADD = 0xa0, W_F64_SUB = 0xa1, W_F64_MUL = 0xa2,
    W_I32_WRAP = 0xa7, W_I64_EXTEND_S = 0xac, W_I64_EXTEND_U = 0xad,
    W_F32_CONVERT_I32_S = 0xb2, W_F32_CONVERT_I32_U = 0xb3,
    W_F32_CONVERT_I64_S = 0xb4, W_F32_CONVERT_I64_U = 0xb5,
    W_F32_DEMOTE = 0xb6, W_F64_CONVERT_I32_S = 0xb7, W_F64_PROMOTE = 0xbb,
    W_I32_REINTERPRET = 0xbc, W_I64_REINTERPRET = 0xbd,
    W_F32_REINTERPRET = 0xbe, W_F64_REINTERPRET = 0xbf,
    W_I64_EXTEND8_S = 0xc2, W_I64_EXTEND16_S = 0xc3, W_I64_EXTEND32_S = 0xc4,
    W_PREFIX_ATOMIC = 0xfe, W_ATOMIC_FENCE = 0x03,
    W_TYPE_I32 = 0x7f, W_TYPE_I64 = 0x7e, W_TYPE_V128 = 0x7b,
    W_TYPE_F64 = 0x7c,
    W_TYPE_VOID = 0x40,
    W_TYPE_FUNC = 0x60, W_TYPE_FUNCREF = 0x70,
};

/* Behind the prefix; i16x8, i32x4, i64x2 are at 32, 64, 96 more where said. */
enum {
    W_PREFIX_SIMD = 0xfd,
    W_V128_LOAD = 0, W_V128_LOAD8_SPLAT = 7, W_V128_STORE = 11,
    W_V128_CONST = 12, W_V128_STORE64_LANE = 91, W_V128_LOAD64_ZERO = 93,
    W_I8X16_SPLAT = 15, /* the others: + 1, 2, 3 */
    W_I8X16_EQ = 35, W_I16X8_EQ = 45, W_I32X4_EQ = 55, W_I64X2_EQ = 214,
    W_V128_NOT = 77, W_V128_AND = 78, W_V128_ANDNOT = 79, W_V128_OR = 80,
    W_V128_XOR = 81, W_V128_BITSELECT = 82,
    /* + 32 for each doubling of the elements */
    W_I8X16_ABS = 96, W_I8X16_NEG = 97, W_I8X16_SHL = 107,
    W_I8X16_SHR_S = 108, W_I8X16_SHR_U = 109, W_I8X16_ADD = 110,
    W_I8X16_ADD_SAT_S = 111, W_I8X16_ADD_SAT_U = 112, W_I8X16_SUB = 113,
    W_I8X16_SUB_SAT_S = 114, W_I8X16_SUB_SAT_U = 115, W_I8X16_MIN_S = 118,
    W_I8X16_MIN_U = 119, W_I8X16_MAX_S = 120, W_I8X16_MAX_U = 121,
    W_I16X8_MUL = 149, /* and larger */
    W_I32X4_ALL_TRUE = 163,
    /* Of f64x2: + 6 */
    W_F32X4_EQ = 65, W_F32X4_LT = 67, W_F32X4_GT = 68, W_F32X4_GE = 70,
    W_F64X2_EQ = 71,
    /* Of f64x2: + 12 */
    W_F32X4_ABS = 224, W_F32X4_SQRT = 227, W_F32X4_ADD = 228,
    W_F32X4_SUB = 229, W_F32X4_MUL = 230, W_F32X4_DIV = 231,
    W_F32X4_PMIN = 234, W_F32X4_PMAX = 235, W_F64X2_ABS = 236,
};

/* Behind another prefix. Of f64: + 2 */
enum {
    W_PREFIX_MISC = 0xfc,
    W_I32_TRUNC_SAT_F32_S = 0, W_I32_TRUNC_SAT_F32_U = 1,
    W_I64_TRUNC_SAT_F32_S = 4, W_I64_TRUNC_SAT_F32_U = 5,
};
/* clang-format on */

/* An i64 comparison is its i32 namesake + CMP_64. */
enum { CMP_64 = W_I64_EQZ - W_I32_EQZ };

#endif
