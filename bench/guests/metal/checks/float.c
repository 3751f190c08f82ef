/*
 * Floating point: results whose bits are known, exact identities, conversions,
 * infinities and NaNs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../metal.h"

enum { ROUNDS = 3000 };

static uint64_t bits(double d)
{
    union {
        double d;
        uint64_t u;
    } both = { .d = d };

    return both.u;
}

static uint32_t bits32(float f)
{
    union {
        float f;
        uint32_t u;
    } both = { .f = f };

    return both.u;
}

static double root(double d)
{
#if defined(__riscv)
    __asm__("fsqrt.d %0, %0" : "+f"(d));
#elif defined(__aarch64__)
    __asm__("fsqrt %d0, %d0" : "+w"(d));
#else
    __asm__("sqrtsd %0, %0" : "+x"(d));
#endif
    return d;
}

static void known(void)
{
    volatile double one = 1, three = 3, ten = 10, zero = 0, big = 1e308;
    volatile float third = 3;

    EXPECT(bits(one / three) == 0x3fd5555555555555);
    EXPECT(bits(one / ten) == 0x3fb999999999999a);
    EXPECT(bits(one / ten + one / ten + one / ten) == 0x3fd3333333333334);
    EXPECT(bits(root(one + one)) == 0x3ff6a09e667f3bcd);
    EXPECT(bits32(1 / third) == 0x3eaaaaab);
    EXPECT(bits(one / zero) == 0x7ff0000000000000);
    EXPECT(bits(-one / zero) == 0xfff0000000000000);
    EXPECT(bits(big * ten) == 0x7ff0000000000000);
    EXPECT(bits(-zero) == 0x8000000000000000);
    EXPECT(zero / zero != zero / zero);
    EXPECT(!(zero / zero < one) && !(zero / zero >= one));
    EXPECT(bits(5e-324 * one) == 1 && 5e-324 * one / (one + one) == 0);
}

/* Harmonic numbers by single and double precision, a Newton iteration. */
static uint64_t series(void)
{
    volatile double sum = 0;
    volatile float narrow = 0;
    double x = 1;

    for (int i = 1; i <= 1000; i++) {
        sum += 1.0 / i;
        narrow += 1.0f / (float)i;
    }
    for (int i = 0; i < 10; i++) {
        volatile double next = (x + 2 / x) / 2;

        x = next;
    }
    EXPECT(bits(x) == bits(root(2)) || bits(x) + 1 == bits(root(2)) ||
           bits(x) == bits(root(2)) + 1);
    EXPECT(sum > 7.485470 && sum < 7.485471);
    return metal_mix(bits(sum), bits32(narrow));
}

uint64_t check_float(void)
{
    uint64_t state = 0x3f84d5b5b5470917, digest = 0;

    known();
    for (int i = 0; i < ROUNDS; i++) {
        int64_t a = (int64_t)metal_random(&state) >> (12 + i % 40);
        int64_t b = (int64_t)metal_random(&state) >> (40 + i % 20);
        volatile double x = (double)a, y = (double)b;
        volatile double product = x * y;
        volatile float narrow = (float)x;

        /* Numbers below 2^53 are exact. */
        EXPECT((int64_t)x == a && (int64_t)y == b);
        EXPECT((x < y) == (a < b) && (x == y) == (a == b));
        EXPECT((int64_t)(x / 2 + y / 2) == (a / 2) + (b / 2) ||
               ((a | b) & 1) != 0);
        EXPECT(x * y == y * x);
        digest = metal_mix(digest, bits(product));
        digest = metal_mix(digest, bits(b ? x / y : y));
        digest = metal_mix(digest, bits(root(x < 0 ? -x : x)));
        digest = metal_mix(digest, bits32(narrow));
        digest = metal_mix(digest, (int32_t)(narrow / 1e12f));
    }
    return metal_mix(digest, series());
}
