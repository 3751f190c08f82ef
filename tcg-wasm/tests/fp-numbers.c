/*
 * As in the generator, there is at most one random number per expression.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fp-numbers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fp-model.h"

typedef struct Format {
    unsigned size;
    int digits; /* of the fraction */
    int limit; /* of the exponent: the largest one, and the bias */
} Format;

static Format format_of(unsigned size)
{
    return size == FP_DOUBLE ? (Format){ FP_DOUBLE, 52, 1023 }
                             : (Format){ FP_SINGLE, 23, 127 };
}

static uint64_t ones(int n)
{
    return (UINT64_C(1) << n) - 1;
}

static uint64_t with_sign(Rng *rng, Format f, uint64_t bits)
{
    return bits | (uint64_t)rng_below(rng, 2) << ((8 << f.size) - 1);
}

static uint64_t negative(Format f, uint64_t bits)
{
    return bits ^ UINT64_C(1) << ((8 << f.size) - 1);
}

/* 2^@exponent * 1.@fraction; denormal or infinite if need be. */
static uint64_t number(Format f, int exponent, uint64_t fraction)
{
    int biased = exponent + f.limit;

    fraction &= ones(f.digits);
    if (biased > 2 * f.limit) {
        return (uint64_t)(2 * f.limit + 1) << f.digits;
    }
    if (biased <= 0) {
        fraction |= UINT64_C(1) << f.digits;
        return 1 - biased > f.digits ? 1 : fraction >> (1 - biased);
    }
    return (uint64_t)biased << f.digits | fraction;
}

/* Some digits only, or one bits: often results are exact or ties. */
static uint64_t fraction(Rng *rng, Format f)
{
    uint64_t digits = rng_next(rng);

    switch (rng_below(rng, 6)) {
    case 0:
        return 0;
    case 1:
        return rng_below(rng, 4);
    case 2:
        return ones(f.digits) - rng_below(rng, 4);
    case 3:
        return digits & (ones(f.digits) ^ ones(f.digits / 2));
    default:
        return digits & ones(f.digits);
    }
}

static int exponent(Rng *rng, int range)
{
    return (int)rng_below(rng, 2 * (uint32_t)range + 1) - range;
}

/* Up to two steps away, if that does not change the sign. */
static uint64_t neighbour(Rng *rng, Format f, uint64_t bits)
{
    uint64_t sign = UINT64_C(1) << ((8 << f.size) - 1);
    uint64_t step = rng_below(rng, 5);
    uint64_t moved = (bits & ~sign) + step - 2;

    return moved < sign ? moved | (bits & sign) : bits;
}

uint64_t fp_ordinary(Rng *rng, unsigned size)
{
    Format f = format_of(size);
    int e = exponent(rng, 8);

    return with_sign(rng, f, number(f, e, fraction(rng, f)));
}

static uint64_t special(Rng *rng, Format f)
{
    uint64_t infinity = (uint64_t)(2 * f.limit + 1) << f.digits;

    switch (rng_below(rng, 8)) {
    case 0:
        return 0;
    case 1:
        return infinity;
    case 2:
        return infinity | UINT64_C(1) << (f.digits - 1); /* quiet */
    case 3:
        return infinity | 1; /* signaling */
    case 4:
        return 1 + rng_below(rng, 3);
    case 5:
        return rng_next(rng) & ones(f.digits); /* denormal */
    case 6:
        return number(f, 1 - f.limit, 0); /* the smallest normal one */
    default:
        return infinity - 1;
    }
}

static uint64_t any(Rng *rng, Format f)
{
    static const uint8_t integers[] = { 31, 32, 63, 64, 0, 24, 53 };
    uint64_t bits;
    int e;

    switch (rng_below(rng, 8)) {
    case 0:
    case 1:
        bits = special(rng, f);
        break;
    case 2: /* near the limits of integers */
        e = integers[rng_below(rng, sizeof(integers))];
        bits = neighbour(rng, f, number(f, e, 0));
        break;
    case 3: /* small integers, and halves */
        bits = number(f, (int)rng_below(rng, 34) - 1,
                      UINT64_C(1) << (f.digits - 1));
        break;
    case 4:
        bits = number(f, exponent(rng, f.limit), 0);
        bits = neighbour(rng, f, bits);
        break;
    case 5:
        bits = rng_next(rng) & ones(f.digits + 9);
        break;
    default:
        return fp_ordinary(rng, f.size);
    }
    return with_sign(rng, f, bits);
}

/* The product's bits; or those of @a, if it is no number. */
static uint64_t product(Format f, uint64_t a, uint64_t b)
{
    double x, y, wide;
    float u, v, narrow;

    if (f.size == FP_DOUBLE) {
        memcpy(&x, &a, sizeof(x));
        memcpy(&y, &b, sizeof(y));
        wide = x * y;
        if (!isnan(wide)) {
            memcpy(&a, &wide, sizeof(a));
        }
        return a;
    }
    memcpy(&u, &(uint32_t){ (uint32_t)a }, sizeof(u));
    memcpy(&v, &(uint32_t){ (uint32_t)b }, sizeof(v));
    narrow = u * v;
    if (!isnan(narrow)) {
        uint32_t low;

        memcpy(&low, &narrow, sizeof(low));
        a = low;
    }
    return a;
}

/* a * b is almost a power of 2, to which c's last digit is near. */
static void almost_tie(Rng *rng, Format f, uint64_t numbers[3])
{
    int a = exponent(rng, 20), b = exponent(rng, 20);
    uint64_t steps = rng_below(rng, 4);
    int c = a + b + f.digits + 2 - (int)rng_below(rng, 4);

    numbers[0] = number(f, a, steps);
    /* just below 1 the steps are half as large */
    numbers[1] = rng_percent(rng, 50) ? number(f, b - 1, -2 * steps)
                                      : number(f, b, rng_below(rng, 3));
    numbers[2] = with_sign(rng, f, number(f, c, rng_below(rng, 4)));
}

/* About 2^@e. */
static uint64_t near_power(Rng *rng, Format f, int e, int range)
{
    e += exponent(rng, range);
    return number(f, e, fraction(rng, f));
}

/* a * b is near 2^@limit. */
static void product_near(Rng *rng, Format f, int limit, uint64_t numbers[3])
{
    int a = limit / 2;

    if (rng_percent(rng, 60)) {
        a += exponent(rng, f.limit / 4);
    }
    if (rng_percent(rng, 30)) {
        numbers[0] = number(f, a, 0);
        numbers[1] = neighbour(rng, f, number(f, limit - a, 0));
    } else {
        numbers[0] = near_power(rng, f, a, 0);
        numbers[1] = near_power(rng, f, limit - a, 1);
    }
    numbers[1] = with_sign(rng, f, numbers[1]);
    switch (rng_below(rng, 4)) {
    case 0:
        numbers[2] = product(f, numbers[0], numbers[1]);
        numbers[2] = neighbour(rng, f, numbers[2]);
        break;
    case 1: /* about the last digit of the product */
        numbers[2] = near_power(rng, f, limit - f.digits, 2);
        break;
    default:
        numbers[2] = any(rng, f);
        break;
    }
    numbers[2] = with_sign(rng, f, numbers[2]);
}

void fp_numbers(Rng *rng, unsigned size, uint64_t numbers[3])
{
    Format f = format_of(size);

    for (int i = 0; i < 3; i++) {
        numbers[i] = fp_ordinary(rng, size);
    }
    switch (rng_below(rng, 11)) {
    case 0: /* a and b cancel, to a denormal number if they are small */
        if (rng_percent(rng, 40)) {
            numbers[0] = near_power(rng, f, 2 - f.limit, 1);
            numbers[0] = with_sign(rng, f, numbers[0]);
        }
        numbers[1] = negative(f, neighbour(rng, f, numbers[0]));
        break;
    case 1: /* or are the same */
        numbers[1] = neighbour(rng, f, numbers[0]);
        break;
    case 2: /* a * b and c cancel */
        numbers[2] = product(f, numbers[0], numbers[1]);
        numbers[2] = negative(f, neighbour(rng, f, numbers[2]));
        break;
    case 3:
        almost_tie(rng, f, numbers);
        break;
    case 4:
        product_near(rng, f, 1 - f.limit, numbers);
        break;
    case 5:
        product_near(rng, f, f.limit, numbers);
        break;
    case 6: /* where the error of a 64-bit product would not be exact */
        product_near(rng, f, f.limit * -800 / 1023, numbers);
        break;
    case 7:
    case 8:
        for (int i = 0; i < 3; i++) {
            numbers[i] = any(rng, f);
        }
        break;
    case 9: /* zeros, which are equal, but not the same */
        if (rng_percent(rng, 40)) {
            numbers[0] = with_sign(rng, f, 0);
            numbers[1] = with_sign(rng, f, 0);
        }
        break;
    default:
        break;
    }
}

uint64_t fp_box(Rng *rng, uint64_t bits)
{
    uint64_t low = bits & UINT32_MAX;

    switch (rng_below(rng, 16)) {
    case 0:
        return low;
    case 1:
        return low | rng_next(rng) << 32;
    default:
        return low | UINT64_MAX << 32;
    }
}

uint64_t fp_integer(Rng *rng)
{
    int top = 23 + (int)rng_below(rng, 41);
    uint64_t v = UINT64_C(1) << top;

    switch (rng_below(rng, 4)) {
    case 0:
        return rng_value(rng);
    case 1:
        return v - 2 + rng_below(rng, 5);
    default:
        /* The digit behind the last one that a number has, and less. */
        v |= v >> (rng_percent(rng, 50) ? 24 : 53);
        v += rng_below(rng, 3) - 1;
        return rng_percent(rng, 50) ? v : -v;
    }
}
