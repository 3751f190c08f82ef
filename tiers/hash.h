/*
 * FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/. Each byte is
 * XORed into the hash, which is then multiplied by the FNV prime.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_HASH_H
#define TIER_HASH_H

#include <stddef.h>
#include <stdint.h>

/* The offset basis: the hash of no bytes. */
#define TIER_FNV1A64_EMPTY UINT64_C(0xcbf29ce484222325)

/*
 * The hash of what @hash is the hash of, followed by @size bytes at @data.
 * Hashing in pieces gives the hash of the whole.
 */
uint64_t tier_fnv1a64(uint64_t hash, const void *data, size_t size);

#endif
