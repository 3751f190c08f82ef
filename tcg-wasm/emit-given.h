/*
 * What the emitter is given: the TBs of a group, facts about the program that
 * modules are made for, and how to compile. Plain data.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_EMIT_GIVEN_H
#define TW_EMIT_GIVEN_H

#include "bytecode.h"
#include "fp.h"

/* One member of the group. Addresses are those of the program that runs it. */
typedef struct TwTbRef {
    const uint64_t *code; /* the header word, verified bytecode */
    uint32_t nwords; /* of @code, the header's included */
    uint32_t addr; /* address of code[0] in linear memory */
    /*
     * Addresses of the headers that exits 0 and 1 are chained to now, or 0: a
     * hint for direct jumps inside the group. Compiled code still reads where
     * GOTO_TB leads each time, and takes the direct jump only if the hint
     * holds.
     */
    uint32_t succ[2];
    uint64_t pc; /* guest address: for names only */
} TwTbRef;

/* A TCG global that lives in env. */
typedef struct TwGlobal {
    int32_t ofs; /* from env */
    uint8_t size; /* bytes: 1, 2, 4 or 8 */
} TwGlobal;

/*
 * What the jump cache holds for a TB: the entry's tag is @tag, and the TB may
 * be entered as long as the 32 bits at address @valid_at are @valid.
 */
typedef struct TwExpected {
    uint32_t tag;
    uint32_t valid_at;
    uint32_t valid;
} TwExpected;

/*
 * The host's jump cache, in which compiled code looks a LOOKUP's target up if
 * the LOOKUP has a hint. Its key is the guest's pc (64 bits); it is
 * direct-mapped, and each entry has a tag that names a TB. As QEMU's
 * CPUJumpCache: with s = page_bits - 6, x = pc ^ pc >> s, the index is
 * (x >> s & 0xfc0) | (x & 0x3f).
 */
typedef struct TwJumpCache {
    int32_t ptr; /* offset from env: 32 bits, the cache's address */
    uint32_t entries; /* offset of the first entry in the cache */
    uint32_t entry_bits; /* size of an entry in bytes, log2 */
    uint32_t tag; /* offset in an entry: 32 bits */
    uint32_t pc; /* offset in an entry: 64 bits */
    int32_t env_pc; /* offset from env: the guest's pc, 64 bits */
    /* Offset from env: 32 bits. If not 0, compiled code calls the host. */
    int32_t busy;
    /*
     * May a LOOKUP whose word 2 is @own find the TB with @header? If so,
     * *@expected is what the cache then holds for the TB.
     */
    bool (*expect)(uint64_t own, uint32_t header, TwExpected *expected);
} TwJumpCache;

/* Facts about the program that modules are made for. */
typedef struct TwTarget {
    int32_t tlb_desc_ofs; /* offset of TwTlbDesc[0] from env */
    uint32_t page_bits; /* guest page size in bytes, log2 */
    /*
     * Table indices of the slow paths of guest accesses of 8, 16, 32, 64 bits,
     * as QEMU's helper_ld*_mmu and helper_st*_mmu:
     *   load:  (env i32, addr i64, oi i32, retaddr i32) -> i64, zero-extended;
     *          the emitter extends signed loads
     *   store: (env i32, addr i64, val, oi i32, retaddr i32), val i32 or i64
     */
    uint32_t fn_ld[4];
    uint32_t fn_st[4];
    /*
     * What a region function may keep in locals, sorted by @ofs. Nobody reads
     * or writes these globals but the code itself, helpers as their TCG_CALL_*
     * flags allow, slow paths (which only read), and whoever runs when the
     * function has been left.
     */
    const TwGlobal *globals;
    uint32_t nglobals;
    const TwJumpCache *jump_cache; /* or NULL: LOOKUP always calls the host */
    TwFpHelpers fp; /* helpers with a fast path; none: each is called */
    uint32_t mem_min_pages; /* as the imported memory is declared, */
    uint32_t mem_max_pages; /* in pages of 64 KiB */
} TwTarget;

/*
 * The TCG_CALL_* flags of the CALL at @words. Helpers of floating point have
 * others than QEMU says: they look at no globals, and write none but where
 * their TwFpRelation says.
 */
static inline unsigned tw_call_flags(const TwTarget *target,
                                     const uint64_t *words)
{
    unsigned flags = words[0] >> 24 & 0xff;

    return tw_fp_find(&target->fp, (uintptr_t)words[1])
               ? flags | TW_CALL_NO_READ_GLOBALS | TW_CALL_NO_WRITE_GLOBALS
               : flags;
}

typedef enum TwChaining {
    TW_CHAIN_DISPATCH, /* return to the dispatcher */
    TW_CHAIN_TAIL, /* return_call_indirect across modules */
} TwChaining;

typedef enum TwCounts {
    TW_COUNTS_OFF,
    /* Each @sample_period'th execution of any TB: tier1_count += period. */
    TW_COUNTS_SAMPLED,
    TW_COUNTS_EXACT, /* header.tier1_count += 1 per execution */
} TwCounts;

typedef enum TwShape {
    TW_SHAPE_FUNCTIONS, /* one function per TB, with direct jumps */
    /*
     * One function per TB as well, but functions of some TBs are regions: they
     * also hold the TBs of the group that are reachable, as structured control
     * flow; see region.h.
     */
    TW_SHAPE_REGIONS,
} TwShape;

typedef struct TwEmitOptions {
    const TwTarget *target;
    uint32_t table_base; /* table index of the first member's function */
    TwChaining chaining;
    TwCounts counts;
    uint32_t sample_period; /* for TW_COUNTS_SAMPLED: at least 1 */
    TwShape shape;
    bool keeps_pages; /* one TLB lookup for accesses that share a page */
    bool names; /* a name section, for profilers: tb:PC, region:PC */
} TwEmitOptions;

#endif
