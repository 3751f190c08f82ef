/*
 * Offsets in the memory of the program that modules are made for. It has 32-bit
 * pointers; the program that emits may have others.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_EMIT_LAYOUT_H
#define TW_EMIT_LAYOUT_H

#include "bytecode.h"
#include "layout.h"

enum {
    HEADER_FN = offsetof(TwHeader, fn),
    HEADER_TIER1_COUNT = offsetof(TwHeader, tier1_count),
    FRAME_RET_PC = offsetof(TwFrame, ret_pc),
    FRAME_SAMPLE_LEFT = sizeof(uint32_t),
    TLB_READ = offsetof(TwTlbEntry, addr_read),
    TLB_WRITE = offsetof(TwTlbEntry, addr_write),
    TLB_ADDEND = offsetof(TwTlbEntry, addend),
    DESC_MASK = 0,
    DESC_TABLE = 4,
    DESC_SIZE = 8,
};

#if UINTPTR_MAX == UINT32_MAX
static_assert(offsetof(TwFrame, sample_left) == FRAME_SAMPLE_LEFT, "frame");
static_assert(offsetof(TwTlbDesc, mask) == DESC_MASK, "TLB descriptor");
static_assert(offsetof(TwTlbDesc, table) == DESC_TABLE, "TLB descriptor");
static_assert(sizeof(TwTlbDesc) == DESC_SIZE, "TLB descriptor");
#endif

#endif
