/*
 * Memory: every width, signed and unsigned, at every offset in and across a
 * page, compared with accesses byte by byte.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../metal.h"

enum { PAGE = 4096, AROUND = 24, SIZE = 2 * PAGE };

static uint8_t area[SIZE] __attribute__((aligned(PAGE)));

static uint64_t by_bytes(const volatile uint8_t *p, unsigned width)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < width; i++) {
        value |= (uint64_t)p[i] << (8 * i);
    }
    return value;
}

/* A packed struct tells the compiler that the access may be unaligned. */
#define ACCESS(type, name) \
    typedef struct { \
        type v; \
    } __attribute__((packed, may_alias)) Packed_##name; \
    static __attribute__((noinline)) type load_##name(const void *p) \
    { \
        type v; \
        METAL_LOAD_##name(v, p); \
        return v; \
    } \
    static __attribute__((noinline)) void store_##name(void *p, type v) \
    { \
        METAL_STORE_##name(v, p); \
    }

/* One instruction each: the compiler must not split unaligned accesses. */
#if defined(__riscv)
#define LOAD(op, v, p) __asm__ volatile(op " %0, 0(%1)" : "=r"(v) : "r"(p))
#define STORE(op, v, p) \
    __asm__ volatile(op " %0, 0(%1)" ::"r"(v), "r"(p) : "memory")
#define METAL_LOAD_u16(v, p) LOAD("lhu", v, p)
#define METAL_LOAD_s16(v, p) LOAD("lh", v, p)
#define METAL_LOAD_u32(v, p) LOAD("lwu", v, p)
#define METAL_LOAD_s32(v, p) LOAD("lw", v, p)
#define METAL_LOAD_u64(v, p) LOAD("ld", v, p)
#define METAL_STORE_u16(v, p) STORE("sh", v, p)
#define METAL_STORE_s16(v, p) STORE("sh", v, p)
#define METAL_STORE_u32(v, p) STORE("sw", v, p)
#define METAL_STORE_s32(v, p) STORE("sw", v, p)
#define METAL_STORE_u64(v, p) STORE("sd", v, p)
#else
#define METAL_LOAD_u16(v, p) v = ((const Packed_u16 *)p)->v
#define METAL_LOAD_s16(v, p) v = ((const Packed_s16 *)p)->v
#define METAL_LOAD_u32(v, p) v = ((const Packed_u32 *)p)->v
#define METAL_LOAD_s32(v, p) v = ((const Packed_s32 *)p)->v
#define METAL_LOAD_u64(v, p) v = ((const Packed_u64 *)p)->v
#define METAL_STORE_u16(v, p) ((Packed_u16 *)p)->v = v
#define METAL_STORE_s16(v, p) ((Packed_s16 *)p)->v = v
#define METAL_STORE_u32(v, p) ((Packed_u32 *)p)->v = v
#define METAL_STORE_s32(v, p) ((Packed_s32 *)p)->v = v
#define METAL_STORE_u64(v, p) ((Packed_u64 *)p)->v = v
#endif

ACCESS(uint16_t, u16)
ACCESS(int16_t, s16)
ACCESS(uint32_t, u32)
ACCESS(int32_t, s32)
ACCESS(uint64_t, u64)

static uint64_t at(uint8_t *p, uint64_t value)
{
    store_u64(p, value);
    EXPECT(by_bytes(p, 8) == value && load_u64(p) == value);
    EXPECT(load_u32(p) == (uint32_t)value && load_s32(p) == (int32_t)value);
    EXPECT((int64_t)load_s32(p) == (int32_t)value);
    EXPECT(load_u16(p) == (uint16_t)value && load_s16(p) == (int16_t)value);
    store_u32(p + 1, (uint32_t)~value);
    EXPECT(by_bytes(p + 1, 4) == (uint32_t)~value && p[0] == (uint8_t)value);
    store_s32(p + 2, (int32_t)value);
    EXPECT(by_bytes(p + 2, 4) == (uint32_t)value);
    store_u16(p + 3, (uint16_t)(value >> 7));
    EXPECT(by_bytes(p + 3, 2) == (uint16_t)(value >> 7));
    store_s16(p + 5, (int16_t)(value >> 9));
    EXPECT(by_bytes(p + 5, 2) == (uint16_t)(value >> 9));
    EXPECT(p[7] == value >> 56);
    return load_u64(p);
}

uint64_t check_memory(void)
{
    uint64_t state = 0xa4093822299f31d0, digest = 0;

    for (int round = 0; round < 100; round++) {
        for (unsigned i = 0; i < 2 * AROUND; i++) {
            uint8_t *p = area + PAGE - AROUND + i;

            digest = metal_mix(digest, at(p, metal_random(&state)));
        }
    }
    for (unsigned i = 0; i < SIZE; i++) {
        area[i] = (uint8_t)metal_random(&state);
    }
    for (unsigned i = 0; i + 8 <= SIZE; i += 3) {
        EXPECT(load_u64(area + i) == by_bytes(area + i, 8));
        digest = metal_mix(digest, load_s16(area + i));
    }
    return digest;
}
