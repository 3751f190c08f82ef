/*
 * Atomic operations of each width, compared with plain ones.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../metal.h"

enum { ROUNDS = 2000 };

#define ATOMICS(type, name) \
    static uint64_t name(uint64_t seed) \
    { \
        static type shared; \
        type plain = (type)seed, old, v = (type)(seed >> 17); \
\
        __atomic_store_n(&shared, plain, __ATOMIC_SEQ_CST); \
        old = __atomic_fetch_add(&shared, v, __ATOMIC_SEQ_CST); \
        EXPECT(old == plain); \
        plain = (type)(plain + v); \
        old = __atomic_fetch_and(&shared, (type)~v, __ATOMIC_ACQ_REL); \
        EXPECT(old == plain); \
        plain = (type)(plain & ~v); \
        old = __atomic_fetch_or(&shared, (type)(v >> 1), __ATOMIC_RELAXED); \
        EXPECT(old == plain); \
        plain = (type)(plain | (type)(v >> 1)); \
        old = __atomic_fetch_xor(&shared, (type)(v * 3), __ATOMIC_SEQ_CST); \
        EXPECT(old == plain); \
        plain = (type)(plain ^ (type)(v * 3)); \
        old = __atomic_exchange_n(&shared, v, __ATOMIC_SEQ_CST); \
        EXPECT(old == plain); \
        old = (type)(v + 1); \
        EXPECT(!__atomic_compare_exchange_n( \
            &shared, &old, plain, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)); \
        EXPECT(old == v); \
        EXPECT(__atomic_compare_exchange_n( \
            &shared, &old, plain, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)); \
        EXPECT(__atomic_load_n(&shared, __ATOMIC_SEQ_CST) == plain); \
        return plain; \
    }

ATOMICS(uint8_t, bytes)
ATOMICS(uint16_t, halves)
ATOMICS(uint32_t, words)
ATOMICS(uint64_t, doubles)

uint64_t check_atomics(void)
{
    uint64_t state = 0xc0ac29b7c97c50dd, digest = 0;

    for (int i = 0; i < ROUNDS; i++) {
        uint64_t seed = metal_random(&state);

        digest = metal_mix(digest, bytes(seed));
        digest = metal_mix(digest, halves(seed));
        digest = metal_mix(digest, words(seed));
        digest = metal_mix(digest, doubles(seed));
    }
    return digest;
}
