/*
 * Integer arithmetic, compared with other ways to compute it: multiplication by
 * shifting and adding, division by multiplying back, flags by wider numbers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../metal.h"

enum { ROUNDS = 3000 };

typedef unsigned __int128 Wide;

static Wide multiply(uint64_t a, uint64_t b)
{
    Wide sum = 0, term = a;

    for (; b; b >>= 1, term <<= 1) {
        if (b & 1) {
            sum += term;
        }
        __asm__ volatile("" : "+r"(b)); /* hides the idiom */
    }
    return sum;
}

static unsigned count_bits(uint64_t a)
{
    unsigned n = 0;

    for (; a; a &= a - 1) {
        n++;
    }
    return n;
}

static uint64_t signs(int64_t a, int64_t b)
{
    int64_t sum, difference, product;
    int32_t narrow;
    bool over_sum = __builtin_add_overflow(a, b, &sum);
    bool over_difference = __builtin_sub_overflow(a, b, &difference);
    bool over_product = __builtin_mul_overflow(a >> 20, b >> 20, &product);
    bool over_narrow = __builtin_add_overflow((int32_t)a, (int32_t)b, &narrow);

    EXPECT(over_sum == (((a ^ sum) & (b ^ sum)) < 0));
    EXPECT(over_difference == (((a ^ b) & (a ^ difference)) < 0));
    EXPECT(over_product == ((__int128)(a >> 20) * (b >> 20) != product));
    EXPECT(over_narrow == ((int64_t)(int32_t)a + (int32_t)b != narrow));
    EXPECT((a < b) ==
           ((uint64_t)a + (1ull << 63) < (uint64_t)b + (1ull << 63)));
    return metal_mix(over_sum + 2 * over_difference + 4 * over_product, sum);
}

static uint64_t division(uint64_t a, uint64_t b)
{
    int64_t sa = a, sb = b;
    uint32_t na = a, nb = (uint32_t)b | 1;

    b |= 1;
    EXPECT(a / b * b + a % b == a && a % b < b);
    sb |= 1;
    EXPECT(sa / sb * sb + sa % sb == sa);
    EXPECT(sa % sb == 0 || (sa % sb < 0) == (sa < 0));
    EXPECT(na / nb * nb + na % nb == na && na % nb < nb);
    return metal_mix(a / b, sa % sb) + na / nb;
}

static uint64_t shifts(uint64_t a, unsigned n)
{
    uint64_t rotated = a << (n & 63) | a >> (-n & 63);
    uint32_t narrow = (uint32_t)a << (n & 31) | (uint32_t)a >> (-n & 31);
    int64_t arithmetic = (int64_t)a >> (n & 63);

    EXPECT(count_bits(rotated) == count_bits(a));
    EXPECT(count_bits(narrow) == count_bits((uint32_t)a));
    EXPECT((a >> (n & 63)) + (n & 63 ? arithmetic - (a >> (n & 63)) : 0) ==
               (uint64_t)arithmetic ||
           n % 64 == 0);
    EXPECT(a == 0 || a >> (63 - __builtin_clzll(a)) == 1);
    EXPECT(a == 0 || (a >> __builtin_ctzll(a) & 1));
    EXPECT(__builtin_bswap64(__builtin_bswap64(a)) == a);
    return metal_mix(rotated, arithmetic) ^ narrow;
}

uint64_t check_integer(void)
{
    uint64_t state = 0x243f6a8885a308d3, digest = 0;

    for (int i = 0; i < ROUNDS; i++) {
        uint64_t a = metal_random(&state) >> (i % 64);
        uint64_t b = metal_random(&state) >> (i * 7 % 64);
        Wide product = multiply(a, b);

        EXPECT((uint64_t)product == a * b);
        EXPECT((Wide)a * b == product);
        EXPECT((__int128)(int64_t)a * (int64_t)b ==
               (__int128)(product - ((int64_t)a < 0 ? (Wide)b << 64 : 0) -
                          ((int64_t)b < 0 ? (Wide)a << 64 : 0)));
        digest = metal_mix(digest, product >> 64);
        digest = metal_mix(digest, signs(a, b));
        digest = metal_mix(digest, signs(-a, b));
        digest = metal_mix(digest, division(a, b));
        digest = metal_mix(digest, shifts(a, b & 127));
    }
    return digest;
}
