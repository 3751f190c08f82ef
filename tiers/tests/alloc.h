/*
 * An allocator that counts, and fails on request. Tests that use it are linked
 * with --wrap for each of its functions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_TESTS_ALLOC_H
#define TIER_TESTS_ALLOC_H

typedef struct Alloc {
    int blocks;                 /* allocated and not freed */
    int calls;                  /* of allocating functions */
    int fail_at;                /* this call fails; 0: none */
} Alloc;

/* Zero it before each test. */
extern Alloc alloc;

#endif
