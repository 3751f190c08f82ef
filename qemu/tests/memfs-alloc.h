/*
 * The allocator of the memfs tests: it can refuse one allocation, and it counts
 * the blocks that nobody has freed yet.
 *
 * The linker puts these functions in the place of malloc() and its relatives
 * (-Wl,--wrap=...), in memfs and in the tests alike.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MEMFS_ALLOC_H
#define MEMFS_ALLOC_H

#include <stdbool.h>

/* From here on the allocation number @n fails, counted from 1. */
void alloc_fail_at(long n);

/* No allocation fails any more. Returns whether one did. */
bool alloc_failed(void);

/* How many blocks are allocated. */
long alloc_live(void);

#endif
