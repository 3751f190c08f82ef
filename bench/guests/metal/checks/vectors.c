/*
 * Vectors of 128 bits, in the compiler's own notation, which becomes SSE2, NEON
 * or, in images built for it, the riscv64 vector extension.  Each operation is
 * compared with the same operation element by element.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../metal.h"

enum { ROUNDS = 1500 };

/* The compiler may assume nothing of the memory that has the elements. */
#define FOR_EACH(type, n, holds) \
    do { \
        volatile type *vx = (volatile type *)&x, *vy = (volatile type *)&y; \
        volatile type *vz = (volatile type *)&z; \
        for (unsigned i = 0; i < n; i++) { \
            type ex = vx[i], ey = vy[i], ez = vz[i]; \
            (void)ey; \
            EXPECT(holds); \
            digest = metal_mix(digest, (uint64_t)(int64_t)ez); \
        } \
    } while (0)

#define INTEGERS(type, n, name) \
    typedef type name##_v __attribute__((vector_size(16), may_alias)); \
    static __attribute__((noinline)) uint64_t name(const uint64_t *seed) \
    { \
        name##_v x = *(const name##_v *)seed; \
        name##_v y = *(const name##_v *)(seed + 2), z; \
        uint64_t digest = 0; \
\
        z = x + y; \
        FOR_EACH(type, n, ez == (type)(ex + ey)); \
        z = x - y; \
        FOR_EACH(type, n, ez == (type)(ex - ey)); \
        z = (x & y) | (x ^ ~y); \
        FOR_EACH(type, n, ez == (type)((ex & ey) | (ex ^ ~ey))); \
        z = x * y; \
        FOR_EACH(type, n, ez == (type)(ex * ey)); \
        z = (name##_v)(x > y); \
        FOR_EACH(type, n, ez == (type) - (ex > ey)); \
        z = (name##_v)(x == y); \
        FOR_EACH(type, n, ez == (type) - (ex == ey)); \
        z = x << 3; \
        FOR_EACH(type, n, ez == (type)(ex << 3)); \
        z = x >> 5; \
        FOR_EACH(type, n, ez == (type)(ex >> 5)); \
        z = (x & (name##_v)(x > y)) | (y & (name##_v)(x <= y)); \
        FOR_EACH(type, n, ez == (ex > ey ? ex : ey)); \
        return digest; \
    }

INTEGERS(uint8_t, 16, u8)
INTEGERS(int8_t, 16, s8)
INTEGERS(uint16_t, 8, u16)
INTEGERS(int16_t, 8, s16)
INTEGERS(uint32_t, 4, u32)
INTEGERS(int32_t, 4, s32)
INTEGERS(uint64_t, 2, u64)
INTEGERS(int64_t, 2, s64)

#define FLOATS(type, n, name) \
    typedef type name##_v __attribute__((vector_size(16), may_alias)); \
    static __attribute__((noinline)) uint64_t name(const uint64_t *seed) \
    { \
        name##_v x, y, z; \
        uint64_t digest = 0; \
\
        for (unsigned i = 0; i < n; i++) { \
            x[i] = (type)(int32_t)(seed[i / 2] >> (i % 2 * 32)); \
            y[i] = (type)(int32_t)(seed[2 + i / 2] >> (i % 2 * 32) | 1); \
        } \
        z = x + y; \
        FOR_EACH(type, n, ez == ex + ey); \
        z = x - y; \
        FOR_EACH(type, n, ez == ex - ey); \
        z = x * y / 4294967296; \
        FOR_EACH(type, n, ez == (type)(ex * ey) / 4294967296); \
        z = x / y; \
        FOR_EACH(type, n, ez == ex / ey); \
        return digest; \
    }

FLOATS(float, 4, f32)
FLOATS(double, 2, f64)

/* Shuffles such as digests use. */
static __attribute__((noinline)) uint64_t shuffles(const uint64_t *seed)
{
    typedef uint8_t V __attribute__((vector_size(16), may_alias));
    V x = *(const V *)seed, y = *(const V *)(seed + 2);
    V reversed = __builtin_shuffle(
        x, (V){ 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0 });
    V woven = __builtin_shuffle(
        x, y, (V){ 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23 });
    const volatile uint8_t *vx = (const volatile uint8_t *)seed;
    uint64_t digest = 0;

    for (unsigned i = 0; i < 16; i++) {
        EXPECT(((volatile uint8_t *)&reversed)[i] == vx[15 - i]);
        EXPECT(((volatile uint8_t *)&woven)[i] == vx[i / 2 + i % 2 * 16]);
        digest = metal_mix(digest, ((volatile uint8_t *)&woven)[i]);
    }
    return digest;
}

uint64_t check_vectors(void)
{
    static uint64_t seed[4] __attribute__((aligned(16)));
    static uint64_t (*const kinds[])(const uint64_t *) = {
        u8, s8, u16, s16, u32, s32, u64, s64, f32, f64, shuffles,
    };
    uint64_t state = 0x9216d5d98979fb1b, digest = 0;

    for (int i = 0; i < ROUNDS; i++) {
        for (int j = 0; j < 4; j++) {
            seed[j] = metal_random(&state);
        }
        digest = metal_mix(digest, kinds[i % 11](seed));
    }
    return digest;
}
