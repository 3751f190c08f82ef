/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Patterns of floating point: 64-bit numbers, results that are not exact,
 * rounded to nearest, as programs have them.
 */
#include "mechanisms.h"

#if defined(__x86_64__)
#define NUMBER "x"
#elif defined(__i386__)
#define NUMBER "t"
#elif defined(__aarch64__)
#define NUMBER "w"
#else
#define NUMBER "f"
#endif

/* Keeps the compiler from fusing or leaving out what made the number. */
#define KEEP(number) __asm__("" : "+" NUMBER(number))

enum { PER_PASS = 16 };

/* Each result is the next one's operand: x = x * 0.75 + 0.7 tends to 2.8. */
static bool near_limit(double x)
{
    unsigned long got = (unsigned long)(x * 1000);

    return got == 2800 || got == 2799 || wrong("limit", got, 2800);
}

static Measured measure_to_limit(Work *work, const Options *options)
{
    double x = 1;
    Measured measured = measure(work, &x, PER_PASS, 16, options);

    return near_limit(x) ? measured : (Measured){ 0, 0 };
}

static bool multiply_add(void *state, unsigned long passes)
{
    double x = *(const double *)state;

    for (; passes; passes--) {
        for (int i = 0; i < PER_PASS / 2; i++) {
            x *= 0.75;
            KEEP(x);
            x += 0.7;
            KEEP(x);
        }
    }
    *(double *)state = x;
    return true;
}

Measured measure_floats(const Pattern *pattern, const Options *options)
{
    (void)pattern;
    return measure_to_limit(multiply_add, options);
}

static bool fuse(void *state, unsigned long passes)
{
    double x = *(const double *)state;

    for (; passes; passes--) {
        for (int i = 0; i < PER_PASS; i++) {
            x = x * 0.75 + 0.7; /* fused where the architecture can */
            KEEP(x);
        }
    }
    *(double *)state = x;
    return true;
}

Measured measure_fused(const Pattern *pattern, const Options *options)
{
    (void)pattern;
    return measure_to_limit(fuse, options);
}

/* To a number, compared, and back to an integer. */
static bool convert(void *state, unsigned long passes)
{
    unsigned long *sum = state;

    for (; passes; passes--) {
        for (int i = 0; i < PER_PASS; i++) {
            double x = (double)i;

            KEEP(x);
            x *= 1.5;
            *sum += x > 10.0 ? 1000 : (unsigned long)(long)x;
        }
    }
    return true;
}

Measured measure_conversions(const Pattern *pattern, const Options *options)
{
    /* 0 1 3 4 6 7 9, and 9 numbers that are larger than 10 */
    enum { SUM = 30 + 9 * 1000 };
    unsigned long sum = 0;
    Measured measured = measure(convert, &sum, PER_PASS, 16, options);

    (void)pattern;
    return sum % SUM == 0 || wrong("sum of conversions", sum % SUM, 0)
               ? measured
               : (Measured){ 0, 0 };
}
