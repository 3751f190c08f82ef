/*
 * Golden digests: the emitter writes the bytes that it wrote when the digests
 * were taken.
 *
 * The digests in golden.c are of modules of random groups, under each shape and
 * option. Who changes what the emitter writes takes new ones:
 *
 *     difftest --golden print
 *
 * and says in the commit why the bytes changed. Whoever restructures the
 * emitter need not: then no digest may change.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_TESTS_GOLDEN_H
#define TW_TESTS_GOLDEN_H

#include <stdbool.h>
#include <stdint.h>

/* Compare with the golden digests; each that differs is reported on stderr. */
bool golden_check(void);

/*
 * Print the lines of golden.c's table, made of the groups of seeds 0 to
 * @seeds - 1; 0 means as many as the table has.
 */
void golden_print(uint64_t seeds);

#endif
