/*
 * Execution counts of an earlier run, by hash of the guest code. The file:
 *
 *     tierlab-profile 1
 *     0123456789abcdef 150000
 *     ...
 *
 * one line for each hash (16 lower-case hexadecimal digits, not all 0, each
 * once) and its executions (decimal), the most executed first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_PROFILE_H
#define TIER_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TIER_PROFILE_MAX = 1 << 22 };    /* lines that are read at most */

typedef struct TierProfileEntry {
    uint64_t hash;              /* 0: empty */
    uint64_t executions;
} TierProfileEntry;

typedef struct TierProfile {
    TierProfileEntry *table;    /* hash table */
    uint32_t size;              /* a power of 2, or 0: an empty profile */
    uint32_t n;
} TierProfile;

/*
 * Read the file at @path. Lines of less than @least executions, which are the
 * last ones, are checked but not kept. False with one line in @err.
 */
bool tier_profile_read(TierProfile *profile, const char *path, uint64_t least,
                       char *err, size_t errsize);
void tier_profile_free(TierProfile *profile);

/* Executions of code with @hash; 0 if it is not known, or @hash is 0. */
uint64_t tier_profile_executions(const TierProfile *profile, uint64_t hash);

#endif
