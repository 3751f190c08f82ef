/*
 * Control flow: a jump table, calls through pointers, recursion, loops in
 * loops, and a loop that is entered in its middle.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../metal.h"

enum { ROUNDS = 20000 };

static uint64_t step(unsigned what, uint64_t a)
{
    switch (what) {
    case 0:
        return a + 1;
    case 1:
        return a ^ 0x55;
    case 2:
        return a << 3 | a >> 61;
    case 3:
        return a - 77;
    case 4:
        return ~a;
    case 5:
        return a * 5;
    case 6:
        return a >> 1;
    case 7:
        return a | 1;
    default:
        return 0;
    }
}

static uint64_t f0(uint64_t a)
{
    return a + 1;
}
static uint64_t f1(uint64_t a)
{
    return a ^ 0x55;
}
static uint64_t f2(uint64_t a)
{
    return a << 3 | a >> 61;
}
static uint64_t f3(uint64_t a)
{
    return a - 77;
}
static uint64_t f4(uint64_t a)
{
    return ~a;
}
static uint64_t f5(uint64_t a)
{
    return a * 5;
}
static uint64_t f6(uint64_t a)
{
    return a >> 1;
}
static uint64_t f7(uint64_t a)
{
    return a | 1;
}

static uint64_t (*const volatile functions[])(uint64_t) = {
    f0, f1, f2, f3, f4, f5, f6, f7,
};

static __attribute__((noinline)) unsigned fibonacci(unsigned n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static __attribute__((noinline)) unsigned ackermann(unsigned m, unsigned n)
{
    if (m == 0) {
        return n + 1;
    }
    return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

/* Counts n down by two kinds of steps; the loop has two entries. */
static __attribute__((noinline)) unsigned two_entries(unsigned n, bool second)
{
    unsigned steps = 0;

    if (second) {
        goto middle;
    }
start:
    steps += 3;
    __asm__ volatile("" : "+r"(steps));
middle:
    steps += 5;
    __asm__ volatile("" : "+r"(steps));
    if (n-- > 1) {
        goto start;
    }
    return steps;
}

static unsigned primes_below(unsigned n)
{
    unsigned found = 0;

    for (unsigned i = 2; i < n; i++) {
        bool prime = true;

        for (unsigned j = 2; j * j <= i; j++) {
            if (i % j == 0) {
                prime = false;
                break;
            }
        }
        found += prime;
    }
    return found;
}

uint64_t check_branches(void)
{
    uint64_t state = 0x13198a2e03707344, a = 1, b = 1;

    for (int i = 0; i < ROUNDS; i++) {
        unsigned what = metal_random(&state) & 7;

        a = step(what, a);
        b = functions[what](b);
        EXPECT(a == b);
    }
    EXPECT(fibonacci(17) == 1597);
    EXPECT(ackermann(2, 9) == 21);
    EXPECT(two_entries(1000, false) == 8000);
    EXPECT(two_entries(1000, true) == 7997);
    EXPECT(primes_below(3000) == 430);
    return metal_mix(ROUNDS, a);
}
