/*
 * What compiled code and the interpreter must know about the softmmu TLB: the
 * shapes of QEMU's structures, mirrored so that tcg-wasm builds without QEMU.
 * The QEMU backend asserts that mirror and original agree.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_LAYOUT_H
#define TW_LAYOUT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* QEMU's CPUTLBEntry: addresses are 64 bits on every host. */
typedef struct TwTlbEntry {
    uint64_t addr_read;
    uint64_t addr_write;
    uint64_t addr_code;
    uintptr_t addend;       /* host address - guest address */
} TwTlbEntry;

enum { TW_TLB_ENTRY_BITS = 5 };
static_assert(sizeof(TwTlbEntry) == 1 << TW_TLB_ENTRY_BITS, "TLB entry size");

/* QEMU's CPUTLBDescFast, one per MMU index, an array at a fixed env offset. */
typedef struct TwTlbDesc {
    uintptr_t mask;         /* (entries - 1) << TW_TLB_ENTRY_BITS */
    TwTlbEntry *table;
} TwTlbDesc;

/*
 * A MemOpIdx is MemOp << 4 | MMU index; the MemOp bits used here: size (log2)
 * in bits 0-2, sign in bit 3, byte swap in bit 4, alignment in bits 5-7 (0:
 * none, n: 1 << n bytes, 7: natural).
 */
#define TW_MEMOP_SIZE(oi) (((oi) >> 4) & 7)
#define TW_MEMOP_SIGN 0x80      /* ... of a MemOpIdx */

#endif
