/*
 * Single instructions of floating point on difficult operands: zeros,
 * infinities, NaNs, denormal numbers, neighbours, sums that cancel. Each runs
 * with flags clear or raised and in several rounding modes; results and flags
 * go into the digest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../metal.h"

enum { ROUNDS = 150 };

typedef union Number {
    uint64_t u;
    double d;
    uint32_t u32[2];
    float f[2];
} Number;

/* clang-format off */

#if defined(__riscv)

/* fcsr: flags NV DZ OF UF NX from bit 4 down, frm from bit 5 */
static const uint64_t states[] = {
    0, 0x01, 0x1f, 0x20, 0x21, 0x41, 0x61, 0x81
};

static void set_state(uint64_t state)
{
    __asm__ volatile("fscsr %0" : : "r"(state));
}

static uint64_t get_state(void)
{
    uint64_t state;

    __asm__ volatile("frcsr %0" : "=r"(state));
    return state;
}

/* X(name, instruction, class): FFF a number of three, RF an integer of one */
#define PER_SIZE(X, s) \
    X(FF, "fadd." #s " %0, %1, %2") X(FF, "fsub." #s " %0, %1, %2") \
    X(FF, "fmul." #s " %0, %1, %2") X(FF, "fdiv." #s " %0, %1, %2") \
    X(FF, "fmin." #s " %0, %1, %2") X(FF, "fmax." #s " %0, %1, %2") \
    X(FF, "fsqrt." #s " %0, %1") X(FF, "fadd." #s " %0, %1, %2, rtz") \
    X(FFF, "fmadd." #s " %0, %1, %2, %3") \
    X(FFF, "fmsub." #s " %0, %1, %2, %3") \
    X(FFF, "fnmadd." #s " %0, %1, %2, %3") \
    X(FFF, "fnmsub." #s " %0, %1, %2, %3") X(RF, "feq." #s " %0, %1, %2") \
    X(RF, "flt." #s " %0, %1, %2") X(RF, "fle." #s " %0, %1, %2") \
    X(RF, "fcvt.w." #s " %0, %1, rtz") X(RF, "fcvt.wu." #s " %0, %1, rtz") \
    X(RF, "fcvt.l." #s " %0, %1, rtz") X(RF, "fcvt.lu." #s " %0, %1, rtz") \
    X(RF, "fcvt.w." #s " %0, %1") X(RF, "fcvt.l." #s " %0, %1") \
    X(FR, "fcvt." #s ".w %0, %1") X(FR, "fcvt." #s ".wu %0, %1") \
    X(FR, "fcvt." #s ".l %0, %1") X(FR, "fcvt." #s ".lu %0, %1")
#define SINGLES(X) \
    PER_SIZE(X, s) X(FF, "fcvt.d.s %0, %1")
#define DOUBLES(X) \
    PER_SIZE(X, d) X(FF, "fcvt.s.d %0, %1")
#define NUMBER "f"

#elif defined(__aarch64__)

/* FPSR in the low half, FPCR in the high one: rounding from bit 22, FZ 24 */
#define STATE(flags, mode, flush) \
    ((flags) | (uint64_t)(mode) << 54 | (uint64_t)(flush) << 56)
static const uint64_t states[] = {
    STATE(0, 0, 0),    STATE(0x10, 0, 0), STATE(0x9f, 0, 0), STATE(0x10, 1, 0),
    STATE(0x10, 3, 0), STATE(0, 3, 0),    STATE(0x10, 0, 1), STATE(0, 0, 1),
};

static void set_state(uint64_t state)
{
    __asm__ volatile("msr fpsr, %0\n\tmsr fpcr, %1"
                     :
                     : "r"(state & UINT32_MAX), "r"(state >> 32));
}

static uint64_t get_state(void)
{
    uint64_t state;

    __asm__ volatile("mrs %0, fpsr" : "=r"(state));
    return state;
}

#define PER_SIZE(X, s) \
    X(FF, "fadd %" #s "0, %" #s "1, %" #s "2") \
    X(FF, "fsub %" #s "0, %" #s "1, %" #s "2") \
    X(FF, "fmul %" #s "0, %" #s "1, %" #s "2") \
    X(FF, "fdiv %" #s "0, %" #s "1, %" #s "2") \
    X(FF, "fmin %" #s "0, %" #s "1, %" #s "2") \
    X(FF, "fmax %" #s "0, %" #s "1, %" #s "2") \
    X(FF, "fminnm %" #s "0, %" #s "1, %" #s "2") \
    X(FF, "fmaxnm %" #s "0, %" #s "1, %" #s "2") \
    X(FF, "fsqrt %" #s "0, %" #s "1") \
    X(FFF, "fmadd %" #s "0, %" #s "1, %" #s "2, %" #s "3") \
    X(FFF, "fmsub %" #s "0, %" #s "1, %" #s "2, %" #s "3") \
    X(FFF, "fnmadd %" #s "0, %" #s "1, %" #s "2, %" #s "3") \
    X(FFF, "fnmsub %" #s "0, %" #s "1, %" #s "2, %" #s "3") \
    X(RF, "fcmp %" #s "1, %" #s "2\n\tmrs %0, nzcv") \
    X(RF, "fcmpe %" #s "1, %" #s "2\n\tmrs %0, nzcv") \
    X(RF, "fcvtzs %w0, %" #s "1") X(RF, "fcvtzu %w0, %" #s "1") \
    X(RF, "fcvtzs %x0, %" #s "1") X(RF, "fcvtzu %x0, %" #s "1") \
    X(RF, "fcvtns %x0, %" #s "1") X(FR, "scvtf %" #s "0, %w1") \
    X(FR, "ucvtf %" #s "0, %w1") X(FR, "scvtf %" #s "0, %x1") \
    X(FR, "ucvtf %" #s "0, %x1") X(FF, "frintz %" #s "0, %" #s "1") \
    X(FF, "frinti %" #s "0, %" #s "1")
#define SINGLES(X) \
    PER_SIZE(X, s) X(FF, "fcvt %d0, %s1")
#define DOUBLES(X) \
    PER_SIZE(X, d) X(FF, "fcvt %s0, %d1") X(FF, "fadd %0.2d, %1.2d, %2.2d") \
    X(FF, "fmul %0.4s, %1.4s, %2.4s")
#define NUMBER "w"

#else

/* MXCSR: flags IE DE ZE OE UE PE from bit 0, DAZ 6, masks 7 to 12, RC, FZ 15 */
static const uint64_t states[] = { 0x1f80, 0x1fa0, 0x1fbf, 0x3fa0,
                                   0x7fa0, 0x7f80, 0x9fe0, 0x9fc0 };

static void set_state(uint64_t state)
{
    uint32_t word = (uint32_t)state;

    __asm__ volatile("ldmxcsr %0" : : "m"(word));
}

static uint64_t get_state(void)
{
    uint32_t word;

    __asm__ volatile("stmxcsr %0" : "=m"(word));
    return word;
}

#define COMPARED "\n\tlahf\n\tmovzbl %%ah, %%eax\n\tmovq %%rax, %0"
#define PER_SIZE(X, s) \
    X(FF, "movaps %1, %0\n\tadd" #s " %2, %0") \
    X(FF, "movaps %1, %0\n\tsub" #s " %2, %0") \
    X(FF, "movaps %1, %0\n\tmul" #s " %2, %0") \
    X(FF, "movaps %1, %0\n\tdiv" #s " %2, %0") \
    X(FF, "movaps %1, %0\n\tmin" #s " %2, %0") \
    X(FF, "movaps %1, %0\n\tmax" #s " %2, %0") \
    X(FF, "movaps %2, %0\n\tsqrt" #s " %1, %0")
#define SINGLES(X) \
    PER_SIZE(X, ss) PER_SIZE(X, ps) X(FF, "movaps %2, %0\n\tcvtss2sd %1, %0") \
    X(RF, "ucomiss %2, %1" COMPARED) X(RF, "comiss %2, %1" COMPARED) \
    X(RF, "cvttss2si %1, %k0") X(RF, "cvttss2si %1, %q0") \
    X(RF, "cvtss2si %1, %q0") X(FR, "xorps %0, %0\n\tcvtsi2ss %k1, %0") \
    X(FR, "xorps %0, %0\n\tcvtsi2ss %q1, %0")
#define DOUBLES(X) \
    PER_SIZE(X, sd) PER_SIZE(X, pd) X(FF, "movaps %2, %0\n\tcvtsd2ss %1, %0") \
    X(RF, "ucomisd %2, %1" COMPARED) X(RF, "comisd %2, %1" COMPARED) \
    X(RF, "cvttsd2si %1, %k0") X(RF, "cvttsd2si %1, %q0") \
    X(RF, "cvtsd2si %1, %q0") X(FR, "xorps %0, %0\n\tcvtsi2sd %k1, %0") \
    X(FR, "xorps %0, %0\n\tcvtsi2sd %q1, %0")
#define NUMBER "x"

#endif
/* clang-format on */

/* One instruction, between setting the state and reading it. */
#if defined(__x86_64__)
#define CLOBBERED "rax", "cc"
#define FRESH "=&"
#else
#define CLOBBERED "cc"
#define FRESH "=&"
#endif
#define FF(text) \
    __asm__ volatile(text : FRESH NUMBER(r.d) : NUMBER(a.d), NUMBER(b.d))
#define FFF(text) \
    __asm__ volatile(text \
                     : FRESH NUMBER(r.d) \
                     : NUMBER(a.d), NUMBER(b.d), NUMBER(c.d))
#define RF(text) \
    __asm__ volatile(text \
                     : FRESH "r"(r.u) \
                     : NUMBER(a.d), NUMBER(b.d) \
                     : CLOBBERED)
#define FR(text) __asm__ volatile(text : FRESH NUMBER(r.d) : "r"(a.u))

#define RUN(kind, text) \
    set_state(state); \
    kind(text); \
    digest = metal_mix(digest, r.u); \
    digest = metal_mix(digest, get_state());

static __attribute__((noinline)) uint64_t doubles(Number a, Number b, Number c,
                                                  uint64_t state)
{
    uint64_t digest = 0;
    Number r = { 0 };

    (void)c;
    DOUBLES(RUN)
    return digest;
}

static __attribute__((noinline)) uint64_t singles(Number a, Number b, Number c,
                                                  uint64_t state)
{
    uint64_t digest = 0;
    Number r = { 0 };

    (void)c;
    SINGLES(RUN)
    return digest;
}

static uint64_t number(uint64_t *state)
{
    static const uint64_t special[] = {
        0,
        0x3ff0000000000000,
        0x3fe0000000000000,
        0x4008000000000000,
        0x7ff0000000000000, /* infinity */
        0x7ff8000000000000, /* NaNs */
        0x7ff0000000000001,
        0x7fffffffffffffff,
        1, /* denormal */
        0x000fffffffffffff,
        0x0010000000000000, /* the smallest normal one, and its neighbour */
        0x0010000000000001,
        0x7fefffffffffffff, /* the largest */
        0x41dfffffffc00000, /* 2^31 - 1, 2^31, 2^32, 2^63, 2^64 */
        0x41e0000000000000,
        0x41f0000000000000,
        0x43e0000000000000,
        0x43f0000000000000,
        0x36a0000000000000, /* as 32 bits: denormal, the smallest, largest */
        0x3810000000000000,
        0x380fffffe0000000,
        0x47efffffe0000000,
        0x47efffffefffffff,
    };
    uint64_t random = metal_random(state), kind = random % 7;
    uint64_t bits = metal_random(state), sign = bits & UINT64_C(1) << 63;

    switch (kind) {
    case 0:
        return special[bits % (sizeof(special) / sizeof(special[0]))] | sign;
    case 1: /* any bits */
        return bits;
    case 2: /* few digits */
        return (bits & UINT64_C(0x801f800000000000)) + 0x3f00000000000000;
    case 3: /* a 32-bit number, or the middle of two */
        return (bits & ~UINT64_C(0x700000000fffffff)) | UINT64_C(3) << 60;
    case 4: /* as 64-bit operands of 32-bit instructions may be */
        return bits | UINT64_C(0xffffffff) << 32;
    default: /* between a millionth and a million */
        return sign |
               (0x3eb0000000000000 + (bits & UINT64_C(0x007fffffffffffff)) * 2);
    }
}

uint64_t check_rounding(void)
{
    uint64_t random = 0x2545f4914f6cdd1d, digest = 0;

    for (int i = 0; i < ROUNDS; i++) {
        Number a = { .u = number(&random) };
        Number b = { .u = number(&random) };
        Number c = { .u = number(&random) };
        Number a32, b32, c32;

        if (i % 4 == 0) {
            b.u = a.u ^ UINT64_C(1) << 63 ^ i / 4 % 4; /* sums cancel */
        } else if (i % 4 == 1) {
            c.d = -(a.d * b.d);
        }
        a32.u = (UINT64_C(0xffffffff) << 32) |
                (Number){ .f = { (float)a.d } }.u32[0];
        b32.u = (UINT64_C(0xffffffff) << 32) |
                (Number){ .f = { (float)b.d } }.u32[0];
        c32.u = (UINT64_C(0xffffffff) << 32) |
                (Number){ .f = { (float)c.d } }.u32[0];
        for (unsigned s = 0; s < sizeof(states) / sizeof(states[0]); s++) {
            digest = metal_mix(digest, doubles(a, b, c, states[s]));
            digest = metal_mix(digest, singles(a32, b32, c32, states[s]));
            digest = metal_mix(digest, singles(a, b32, c, states[s]));
        }
        set_state(states[0]);
    }
    return digest;
}
