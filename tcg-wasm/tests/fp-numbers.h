/*
 * Numbers that are difficult to compute with.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_TESTS_FP_NUMBERS_H
#define TW_TESTS_FP_NUMBERS_H

#include "../rng.h"

/*
 * Bits of three numbers of 1 << @size bytes, often related: a - b, a * b + c
 * and others cancel, are near the middle of two numbers or at the limits of the
 * exponents.
 */
void fp_numbers(Rng *rng, unsigned size, uint64_t numbers[3]);

/* Bits of a number whose sums, products and quotients are normal. */
uint64_t fp_ordinary(Rng *rng, unsigned size);

/* 32 bits with RISC-V's box around, now and then a wrong one. */
uint64_t fp_box(Rng *rng, uint64_t bits);

/* An integer, often in the middle of two numbers. */
uint64_t fp_integer(Rng *rng);

#endif
