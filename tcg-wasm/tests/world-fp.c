/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "world-fp.h"

#include <stdlib.h>
#include <string.h>

#include "fp-model.h"
#include "fp-numbers.h"

uint64_t world_fp_certain[WORLD_MAX_FP];

/*
 * The helpers: those of RISC-V (rv_), x86 (x86_) and Arm (arm_) by their ways
 * to pass operands and status, and combinations that no guest has yet (odd_).
 */

/* Some results overlap globals, partly. */
static const TwFpRelation to_register = {
    .less = 0x80000000,
    .equal = 0x60000000,
    .greater = 0x20000000,
};

static const TwFpRelation to_global = {
    .less = 1,
    .equal = 0x40,
    .result = offsetof(Env, regs[5]),
    .kind = offsetof(Env, mem[20]),
    .kind_value = 1,
};

static const TwFpRelation to_parts = {
    .less = 7,
    .equal = 0,
    .greater = UINT32_MAX,
    .result = offsetof(Env, mem[41]),
    .kind = offsetof(Env, regs[9]) + 3,
    .kind_value = UINT32_MAX,
};

static const TwFpRelation without_kind = {
    .less = 3,
    .equal = 4,
    .greater = 5,
    .result = offsetof(Env, mem[100]),
};

/* clang-format off */
#define OP(name, bits) .op = TW_FP_##name, .size = FP_##bits
#define ENV_STATUS(n) .status = offsetof(Env, fp.status[n])
#define BOXED_FROM .from = TW_FP_BOXED
#define BOXED_TO .to = TW_FP_BOXED

/* (env, a, b, c) */
#define RV .reg = { 1, 2, 3 }, ENV_STATUS(0), .denormals = true
#define RV_EACH(X, name, shape, op) \
    X(rv_##name##_d, shape, OP(op, DOUBLE), RV) \
    X(rv_##name##_s, shape, OP(op, SINGLE), RV, BOXED_FROM, BOXED_TO)
#define RV_FUSES(X, name, how) \
    X(rv_##name##_d, L_PLLL, OP(MULTIPLY_ADD, DOUBLE), RV, .negates = how) \
    X(rv_##name##_s, L_PLLL, OP(MULTIPLY_ADD, SINGLE), RV, BOXED_FROM, \
      BOXED_TO, .negates = how)
#define RV_COMPARES(X, name, op) \
    X(rv_##name##_d, L_PLL, OP(op, DOUBLE), RV) \
    X(rv_##name##_s, L_PLL, OP(op, SINGLE), RV, BOXED_FROM)
#define RV_CONVERTS(X, name, from, to) \
    X(rv_d_##name, L_PL, OP(from, DOUBLE), RV) \
    X(rv_s_##name, L_PL, OP(from, SINGLE), RV, BOXED_TO) \
    X(rv_##name##_d, L_PL, OP(to, DOUBLE), RV) \
    X(rv_##name##_s, L_PL, OP(to, SINGLE), RV, BOXED_FROM)

#define RV_HELPERS(X) \
    RV_EACH(X, add, L_PLL, ADD) RV_EACH(X, sub, L_PLL, SUB) \
    RV_EACH(X, mul, L_PLL, MUL) RV_EACH(X, div, L_PLL, DIV) \
    RV_EACH(X, sqrt, L_PL, SQRT) \
    RV_EACH(X, min, L_PLL, MIN) RV_EACH(X, max, L_PLL, MAX) \
    RV_FUSES(X, madd, 0) RV_FUSES(X, msub, TW_FP_NEGATES_C) \
    RV_FUSES(X, nmsub, TW_FP_NEGATES_PRODUCT) \
    RV_FUSES(X, nmadd, TW_FP_NEGATES_PRODUCT | TW_FP_NEGATES_C) \
    RV_COMPARES(X, eq, EQ) RV_COMPARES(X, lt, LT) RV_COMPARES(X, le, LE) \
    RV_CONVERTS(X, w, FROM_I32, TO_I32) \
    RV_CONVERTS(X, wu, FROM_U32, TO_SIGNED_U32) \
    RV_CONVERTS(X, l, FROM_I64, TO_I64) RV_CONVERTS(X, lu, FROM_U64, TO_U64) \
    X(rv_d_s, L_PL, OP(RESIZE, SINGLE), RV, BOXED_FROM) \
    X(rv_s_d, L_PL, OP(RESIZE, DOUBLE), RV, BOXED_TO) \
    X(rv_mode, V_PW, .op = TW_FP_SET_MODE, RV, \
      .mode = offsetof(Env, fp.mode))

/* (env, d, v, s): the lowest element; (env, d, v, s): all */
#define X86 ENV_STATUS(1)
#define FROM_MEMORY .from = TW_FP_MEMORY
#define TO_MEMORY(d, v) .to = TW_FP_MEMORY, .dest = d, .rest = v
#define ALL .from = TW_FP_VECTOR, .to = TW_FP_VECTOR, .dest = 1, .rest = 1
#define X86_LOWEST(X, name, op, ...) \
    X(x86_##name##ss, V_PPPP, OP(op, SINGLE), .reg = { __VA_ARGS__ }, X86, \
      FROM_MEMORY, TO_MEMORY(1, 2)) \
    X(x86_##name##sd, V_PPPP, OP(op, DOUBLE), .reg = { __VA_ARGS__ }, X86, \
      FROM_MEMORY, TO_MEMORY(1, 2))
#define X86_ALL(X, name, shape, op, ...) \
    X(x86_##name##ps, shape, OP(op, SINGLE), .reg = { __VA_ARGS__ }, X86, ALL) \
    X(x86_##name##pd, shape, OP(op, DOUBLE), .reg = { __VA_ARGS__ }, X86, ALL)
#define X86_EACH(X, name, op) \
    X86_LOWEST(X, name, op, 2, 3) X86_ALL(X, name, V_PPPP, op, 2, 3)
#define X86_RESIZES(X, name, bits) \
    X(x86_##name, V_PPPP, OP(RESIZE, bits), .reg = { 3 }, X86, FROM_MEMORY, \
      TO_MEMORY(1, 2))
#define X86_FROM(X, name, shape, op, bits) \
    X(x86_##name, shape, OP(op, bits), .reg = { 2 }, X86, TO_MEMORY(1, 1))
#define X86_TO(X, name, shape, op, bits) \
    X(x86_##name, shape, OP(op, bits), .reg = { 1 }, X86, FROM_MEMORY)
#define X86_COMPARES(X, name, bits, where) \
    X(x86_##name, V_PPP, OP(RELATION, bits), .reg = { 1, 2 }, X86, \
      FROM_MEMORY, .relation = &where)

#define X86_HELPERS(X) \
    X86_EACH(X, add, ADD) X86_EACH(X, sub, SUB) X86_EACH(X, mul, MUL) \
    X86_EACH(X, div, DIV) X86_EACH(X, min, LESSER) X86_EACH(X, max, GREATER) \
    X86_LOWEST(X, sqrt, SQRT, 3) X86_ALL(X, sqrt, V_PPP, SQRT, 2) \
    X86_RESIZES(X, ss2sd, SINGLE) X86_RESIZES(X, sd2ss, DOUBLE) \
    X86_COMPARES(X, comiss, SINGLE, to_global) \
    X86_COMPARES(X, comisd, DOUBLE, to_global) \
    X86_COMPARES(X, partss, SINGLE, to_parts) \
    X86_COMPARES(X, partsd, DOUBLE, to_parts) \
    X86_FROM(X, si2ss, V_PPW, FROM_I32, SINGLE) \
    X86_FROM(X, si2sd, V_PPW, FROM_I32, DOUBLE) \
    X86_FROM(X, sq2ss, V_PPL, FROM_I64, SINGLE) \
    X86_FROM(X, sq2sd, V_PPL, FROM_I64, DOUBLE) \
    X86_TO(X, ss2si, W_PP, TRUNC_I32, SINGLE) \
    X86_TO(X, sd2si, W_PP, TRUNC_I32, DOUBLE) \
    X86_TO(X, ss2sq, L_PP, TRUNC_I64, SINGLE) \
    X86_TO(X, sd2sq, L_PP, TRUNC_I64, DOUBLE)

/* (a, b, c, status), (a, shift, status) */
#define ARM(n) .reg = { 0, 1, 2 }, .status_reg = n, .status = 4
#define ARM_EACH(X, name, op) \
    X(arm_##name##s, W_WWP, OP(op, SINGLE), ARM(2)) \
    X(arm_##name##d, L_LLP, OP(op, DOUBLE), ARM(2))
#define ARM_SHIFTS(X, name, shape, op, bits) \
    X(arm_##name, shape, OP(op, bits), ARM(2), .shift = 1)

#define ARM_HELPERS(X) \
    ARM_EACH(X, add, ADD) ARM_EACH(X, sub, SUB) ARM_EACH(X, mul, MUL) \
    ARM_EACH(X, div, DIV) ARM_EACH(X, min, MIN) ARM_EACH(X, max, MAX) \
    X(arm_madds, W_WWWP, OP(MULTIPLY_ADD, SINGLE), ARM(3)) \
    X(arm_maddd, L_LLLP, OP(MULTIPLY_ADD, DOUBLE), ARM(3)) \
    X(arm_sqrts, W_WP, OP(SQRT, SINGLE), ARM(1)) \
    X(arm_sqrtd, L_LP, OP(SQRT, DOUBLE), ARM(1)) \
    X(arm_cvtds, L_WP, OP(RESIZE, SINGLE), ARM(1)) \
    X(arm_cvtsd, W_LP, OP(RESIZE, DOUBLE), ARM(1)) \
    X(arm_cmps, W_WWP, OP(RELATION, SINGLE), ARM(2), \
      .relation = &to_register) \
    X(arm_cmpd, L_LLP, OP(RELATION, DOUBLE), ARM(2), \
      .relation = &to_register) \
    ARM_SHIFTS(X, sqtos, W_LWP, FROM_I64, SINGLE) \
    ARM_SHIFTS(X, sqtod, L_LWP, FROM_I64, DOUBLE) \
    ARM_SHIFTS(X, uqtos, W_LWP, FROM_U64, SINGLE) \
    ARM_SHIFTS(X, uqtod, L_LWP, FROM_U64, DOUBLE) \
    ARM_SHIFTS(X, tosls, W_WWP, TO_I32, SINGLE) \
    ARM_SHIFTS(X, tosld, L_LWP, TO_I32, DOUBLE) \
    ARM_SHIFTS(X, touls, W_WWP, TO_U32, SINGLE) \
    ARM_SHIFTS(X, tould, L_LWP, TO_U32, DOUBLE) \
    ARM_SHIFTS(X, tosqs, L_WWP, TO_I64, SINGLE) \
    ARM_SHIFTS(X, tosqd, L_LWP, TO_I64, DOUBLE) \
    ARM_SHIFTS(X, touqs, L_WWP, TO_U64, SINGLE) \
    ARM_SHIFTS(X, touqd, L_LWP, TO_U64, DOUBLE) \
    X(arm_rmode, W_WP, .op = TW_FP_SWAP_MODE, .reg = { 0 }, \
      .status_reg = 1, .status = 4)

#define ODD .reg = { 1, 2, 3 }, ENV_STATUS(0)
#define ODD_HELPERS(X) \
    X(odd_lesser, L_PLL, OP(LESSER, SINGLE), ODD, .denormals = true) \
    X(odd_greater, L_PLL, OP(GREATER, SINGLE), ODD, BOXED_FROM, BOXED_TO) \
    X(odd_relation, V_PLL, OP(RELATION, SINGLE), ODD, BOXED_FROM, \
      .relation = &without_kind) \
    X(odd_add, L_PLL, OP(ADD, SINGLE), ODD, BOXED_FROM, BOXED_TO) \
    X(odd_addps, V_PPP, OP(ADD, SINGLE), .reg = { 1, 2 }, ENV_STATUS(0), ALL, \
      .denormals = true) \
    X(odd_subsd, V_PPP, OP(SUB, DOUBLE), .reg = { 1, 2 }, ENV_STATUS(0), \
      FROM_MEMORY, TO_MEMORY(2, 1), .denormals = true) \
    X(odd_maddss, V_PPPP, OP(MULTIPLY_ADD, SINGLE), ODD, FROM_MEMORY, \
      TO_MEMORY(1, 1)) \
    X(odd_maddsd, V_PPPP, OP(MULTIPLY_ADD, DOUBLE), ODD, FROM_MEMORY, \
      TO_MEMORY(1, 1), .denormals = true)
/* clang-format on */

#define HELPERS(X) RV_HELPERS(X) X86_HELPERS(X) ARM_HELPERS(X) ODD_HELPERS(X)

enum {
#define NUMBER(name, ...) FP_##name,
    HELPERS(NUMBER)
#undef NUMBER
        NB_HELPERS
};
static_assert((int)NB_HELPERS <= (int)WORLD_MAX_FP, "counters");

/* Calling them. */

static bool is_vector(const TwFpHelper *helper)
{
    return helper->from == TW_FP_VECTOR;
}

/* A pointer argument: its value on the host. */
static uint8_t *pointer(uint64_t arg, int32_t ofs)
{
    return (uint8_t *)(uintptr_t)arg + ofs;
}

/* Element @lane of operand @i. */
static uint64_t operand(const TwFpHelper *helper, const uint64_t *args,
                        unsigned i, unsigned lane)
{
    unsigned bytes = 1u << helper->size;
    uint64_t bits = 0;

    if (helper->from != TW_FP_MEMORY && !is_vector(helper)) {
        return args[helper->reg[i]];
    }
    memcpy(&bits, pointer(args[helper->reg[i]], (int32_t)(bytes * lane)),
           bytes);
    return bits;
}

enum { KIND_FP = 400 };

static uint64_t log_call(unsigned n, uintptr_t retaddr, uint64_t value)
{
    LogEntry entry = {
        .kind = KIND_FP + n,
        .retaddr = (uint32_t)retaddr,
        .args = { value },
    };

    return world_log(&entry);
}

/*
 * The results of all lanes; true if all are certain. Else they are wrong, and
 * flags are raised.
 */
static bool compute(unsigned n, const uint64_t *args, uint64_t results[4])
{
    const TwFpHelper *helper = &world_fp_helpers[n].helper;
    uint8_t *status_at = pointer(args[helper->status_reg], helper->status);
    unsigned lanes = is_vector(helper) ? 16u >> helper->size : 1;
    bool certain = !helper->shift || (uint32_t)args[helper->shift] == 0;
    uint32_t status;
    uint64_t hash = 0;

    memcpy(&status, status_at, sizeof(status));
    for (unsigned lane = 0; lane < lanes; lane++) {
        uint64_t operands[3] = { 0 };
        FpResult result;

        for (unsigned i = 0; i < tw_fp_operands((TwFpOp)helper->op); i++) {
            operands[i] = operand(helper, args, i, lane);
            hash = (hash ^ operands[i]) * UINT64_C(0x9e3779b97f4a7c15);
        }
        result = fp_model(helper, operands, status);
        results[lane] = result.bits;
        certain &= result.certain;
    }
    if (certain) {
        world_fp_certain[n]++;
        return true;
    }
    hash = log_call(n, 0, hash ^ status);
    status |= TW_FP_INEXACT | (uint32_t)(hash & 0x2f);
    memcpy(status_at, &status, sizeof(status));
    for (unsigned lane = 0; lane < lanes; lane++) {
        results[lane] ^= 5;
    }
    return false;
}

static void store_relation(const TwFpRelation *relation, uint64_t value,
                           bool certain)
{
    uint32_t kind = relation->kind_value ^ (certain ? 0 : 5);

    memcpy(pointer((uintptr_t)&world.env, relation->result), &value,
           sizeof(value));
    if (relation->kind) {
        memcpy(pointer((uintptr_t)&world.env, relation->kind), &kind,
               sizeof(kind));
    }
}

static void store_number(const TwFpHelper *helper, const uint64_t *args,
                         const uint64_t results[4])
{
    unsigned bytes = 1u << fp_result_size(helper);
    uint8_t vector[16];

    memcpy(vector, pointer(args[helper->rest], 0), sizeof(vector));
    for (unsigned i = 0; i < (is_vector(helper) ? 16 / bytes : 1); i++) {
        memcpy(&vector[bytes * i], &results[i], bytes);
    }
    memcpy(pointer(args[helper->dest], 0), vector, sizeof(vector));
}

/* The exception that a mode raises which is none. */
static void no_such_mode(void)
{
    world.left = 1;
    longjmp(world_leave, 1);
}

static void set_mode(unsigned n, const uint64_t *args)
{
    static const uint8_t modes[] = { TW_FP_NEAREST, TW_FP_TO_ZERO, 1, 2, 4 };
    const TwFpHelper *helper = &world_fp_helpers[n].helper;
    uint32_t mode = (uint32_t)args[helper->reg[0]];
    uint64_t dynamic;
    bool certain = mode < sizeof(modes);

    if (mode == 7) {
        memcpy(&dynamic, pointer(args[0], helper->mode), sizeof(dynamic));
        mode = (uint32_t)dynamic;
        certain = mode == 0;
    }
    if (certain) {
        world_fp_certain[n]++;
    } else {
        world_look_at_env();
        log_call(n, world.frame.ret_pc, mode);
        if (mode >= sizeof(modes)) {
            no_such_mode();
        }
    }
    *pointer(args[helper->status_reg], helper->status + TW_FP_MODE_BYTE) =
        modes[mode];
}

static uint64_t swap_mode(unsigned n, const uint64_t *args)
{
    const TwFpHelper *helper = &world_fp_helpers[n].helper;
    uint8_t *mode =
        pointer(args[helper->status_reg], helper->status + TW_FP_MODE_BYTE);
    uint8_t before = *mode;

    world_fp_certain[n]++;
    *mode = (uint8_t)args[helper->reg[0]];
    return before;
}

static uint64_t called(unsigned n, const uint64_t *args)
{
    const TwFpHelper *helper = &world_fp_helpers[n].helper;
    uint64_t results[4];
    bool certain;

    if (helper->op == TW_FP_SET_MODE) {
        set_mode(n, args);
        return 0;
    }
    if (helper->op == TW_FP_SWAP_MODE) {
        return swap_mode(n, args);
    }
    certain = compute(n, args, results);
    if (helper->relation && helper->relation->result) {
        store_relation(helper->relation, results[0], certain);
    } else if (helper->to == TW_FP_MEMORY || helper->to == TW_FP_VECTOR) {
        store_number(helper, args, results);
    } else if (helper->to == TW_FP_BOXED) {
        results[0] |= UINT64_MAX << 32;
    }
    return results[0];
}

/* clang-format off */
#define V(n, ...) called(n, (const uint64_t[]){ __VA_ARGS__ })
#define W(n, ...) return (uint32_t)called(n, (const uint64_t[]){ __VA_ARGS__ })
#define L(n, ...) return called(n, (const uint64_t[]){ __VA_ARGS__ })
#define V_TYPE void
#define W_TYPE uint32_t
#define L_TYPE uint64_t
#define TP uintptr_t
#define TW uint32_t
#define TL uint64_t
#define FN2(n, R, A, B) \
    static R##_TYPE fn_##n(T##A a, T##B b) { R(FP_##n, a, b); }
#define FN3(n, R, A, B, C) \
    static R##_TYPE fn_##n(T##A a, T##B b, T##C c) { R(FP_##n, a, b, c); }
#define FN4(n, R, A, B, C, D) \
    static R##_TYPE fn_##n(T##A a, T##B b, T##C c, T##D d) \
    { R(FP_##n, a, b, c, d); }
#define FN_L_PL(n) FN2(n, L, P, L)
#define FN_L_PP(n) FN2(n, L, P, P)
#define FN_L_LP(n) FN2(n, L, L, P)
#define FN_L_WP(n) FN2(n, L, W, P)
#define FN_W_PP(n) FN2(n, W, P, P)
#define FN_W_LP(n) FN2(n, W, L, P)
#define FN_W_WP(n) FN2(n, W, W, P)
#define FN_V_PW(n) FN2(n, V, P, W)
#define FN_L_PLL(n) FN3(n, L, P, L, L)
#define FN_L_LLP(n) FN3(n, L, L, L, P)
#define FN_L_LWP(n) FN3(n, L, L, W, P)
#define FN_L_WWP(n) FN3(n, L, W, W, P)
#define FN_W_LWP(n) FN3(n, W, L, W, P)
#define FN_W_WWP(n) FN3(n, W, W, W, P)
#define FN_V_PLL(n) FN3(n, V, P, L, L)
#define FN_V_PPP(n) FN3(n, V, P, P, P)
#define FN_V_PPL(n) FN3(n, V, P, P, L)
#define FN_V_PPW(n) FN3(n, V, P, P, W)
#define FN_L_PLLL(n) FN4(n, L, P, L, L, L)
#define FN_L_LLLP(n) FN4(n, L, L, L, L, P)
#define FN_W_WWWP(n) FN4(n, W, W, W, W, P)
#define FN_V_PPPP(n) FN4(n, V, P, P, P, P)

#define DEFINE(name, shape, ...) FN_##shape(name)
HELPERS(DEFINE)

#define ROW(id, form, ...) { \
    .helper = { .fn = (uintptr_t)fn_##id, __VA_ARGS__ }, \
    .name = #id, \
    .shape = #form, \
},
const WorldFpHelper world_fp_helpers[] = { HELPERS(ROW) };
/* clang-format on */

unsigned world_nb_fp_helpers(void)
{
    return NB_HELPERS;
}

TwSig world_fp_sig(const WorldFpHelper *helper, bool wide)
{
    const char *shape = helper->shape;
    TwSig sig = shape[0] == 'V'   ? TW_SIG_VOID
                : shape[0] == 'W' ? TW_SIG_I32
                                  : TW_SIG_I64;

    for (unsigned i = 0; shape[2 + i]; i++) {
        bool is64 = shape[2 + i] == 'L' || (shape[2 + i] == 'P' && wide);

        sig += (1 << 2) + ((TwSig)is64 << (6 + i));
    }
    return sig;
}

static int compare_helpers(const void *a, const void *b)
{
    const TwFpHelper *x = a, *y = b;

    return x->fn < y->fn ? -1 : x->fn > y->fn;
}

TwFpHelpers world_fp_list(void)
{
    static TwFpHelper list[NB_HELPERS];

    for (unsigned i = 0; i < NB_HELPERS; i++) {
        list[i] = world_fp_helpers[i].helper;
    }
    qsort(list, NB_HELPERS, sizeof(list[0]), compare_helpers);
    return (TwFpHelpers){ list, NB_HELPERS };
}

/* Contents. */

static void fill_numbers(Rng *rng, WorldFpState *fp)
{
    for (unsigned i = 0; i < WORLD_FP_GROUPS; i++) {
        fp_numbers(rng, FP_SINGLE, fp->singles[i]);
        fp_numbers(rng, FP_DOUBLE, fp->doubles[i]);
        fp->integers[i] = fp_integer(rng);
        for (unsigned j = 0; j < 3; j++) {
            fp->singles[i][j] = fp_box(rng, fp->singles[i][j]);
        }
    }
}

/* Mostly such that all elements of a result are normal; else related. */
static void fill_vectors(Rng *rng, unsigned size, uint8_t a[16], uint8_t b[16])
{
    unsigned bytes = 1u << size;

    for (unsigned at = 0; at < 16; at += bytes) {
        uint64_t numbers[3];

        if (rng_percent(rng, 12)) {
            fp_numbers(rng, size, numbers);
        } else {
            numbers[0] = fp_ordinary(rng, size);
            numbers[1] = fp_ordinary(rng, size);
        }
        memcpy(&a[at], &numbers[0], bytes);
        memcpy(&b[at], &numbers[1], bytes);
    }
}

void world_fp_init(Rng *rng)
{
    WorldFpState *fp = &world.env.fp;

    fp->env = (uintptr_t)&world.env;
    fp->mode = rng_percent(rng, 70) ? 0 : rng_below(rng, 6);
    for (int i = 0; i < WORLD_FP_STATUSES; i++) {
        fp->status[i] = rng_percent(rng, 80) ? TW_FP_INEXACT : 0;
    }
    fill_numbers(rng, fp);
    for (unsigned i = 0; i < WORLD_FP_VECS; i += 2) {
        fill_vectors(rng, i % 4 ? FP_SINGLE : FP_DOUBLE, fp->vecs[i],
                     fp->vecs[i + 1]);
    }
    memcpy(world.fp_below, fp->vecs[0], sizeof(world.fp_below));
}
