/*
 * FNV-1a; see hash.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hash.h"

#define FNV_PRIME UINT64_C(0x100000001b3)

uint64_t tier_fnv1a64(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * FNV_PRIME;
    }
    return hash;
}
