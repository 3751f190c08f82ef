/*
 * Tier 1: TB bytecode to a WebAssembly module.
 *
 * The uniform ABI of every module:
 *   - imports: "e"."m", the shared memory; "e"."t", the funcref table. No more.
 *   - one type for TB functions: (env i32, frame i32, header i32) -> i32, as
 *     TwTbFn; others only for helper calls by call_indirect.
 *   - one active element segment puts function i of the group at table index
 *     @table_base + i when the module is instantiated.
 *
 * A TB's registers are i64 locals. Guest state stays in env, but for TCG globals
 * inside a region. Other memory that other code may change is read each time.
 *
 * The emitter writes bytes only; it knows neither QEMU nor emscripten.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_EMIT_H
#define TW_EMIT_H

#include "bytecode.h"

/* One member of the group. Addresses are those of the program that runs it. */
typedef struct TwTbRef {
    const uint64_t *code;   /* the header word, verified bytecode */
    uint32_t nwords;
    uint32_t addr;          /* address of code[0] in linear memory */
    /*
     * Headers' addresses that exits 0 and 1 are chained to now, or 0: a hint
     * for direct transfers inside the group. GOTO_TB's target still decides.
     */
    uint32_t succ[2];
    uint64_t pc; /* guest address: for names only */
} TwTbRef;

/* A TCG global that lives in env. */
typedef struct TwGlobal {
    int32_t ofs;
    uint8_t size;               /* bytes: 1, 2, 4 or 8 */
} TwGlobal;

/* What a jump cache has for a TB that may be found; see TwJumpCache. */
typedef struct TwExpected {
    uint32_t tag;
    uint32_t valid_at;
    uint32_t valid;
} TwExpected;

/*
 * The host's jump cache, where a LOOKUP that has a hint looks by itself: by
 * guest pc (64 bits), direct-mapped, with a tag in each entry that names a TB.
 * As QEMU's CPUJumpCache: with s = page_bits - 6, x = pc ^ pc >> s, the index is
 * (x >> s & 0xfc0) | (x & 0x3f).
 */
typedef struct TwJumpCache {
    int32_t ptr;                /* env-relative: 32 bits, points at it */
    uint32_t entries;           /* offset of the first entry in it */
    uint32_t entry_bits;        /* size of an entry, log2 */
    uint32_t tag;               /* offsets in an entry: 32 bits */
    uint32_t pc;                /* ... 64 bits */
    int32_t env_pc;             /* env-relative: 64 bits */
    int32_t busy; /* env-relative: 32 bits; lookups only if not 0 */
    /*
     * Is the TB with @header one that @own (word 2) may find? If so, what the tag
     * is then, and the 32 bits at address @valid_at are @valid as long as it is.
     */
    bool (*expect)(uint64_t own, uint32_t header, TwExpected *expected);
} TwJumpCache;

/* Facts about the program that modules are made for. */
typedef struct TwTarget {
    int32_t tlb_desc_ofs; /* env-relative offset of TwTlbDesc[0] */
    uint32_t page_bits; /* guest page size, log2 */
    /* Table indices of slow paths, as QEMU's helper_ld*_mmu / st*_mmu:
     *   load:  (env i32, addr i64, oi i32, retaddr i32) -> i64 (8, 16, 32, 64
     *          bits, zero-extended; the emitter extends signed loads)
     *   store: (env i32, addr i64, val, oi i32, retaddr i32), val i32 or i64
     */
    uint32_t fn_ld[4];
    uint32_t fn_st[4];
    /*
     * By @ofs. What a region may keep in a local: nobody reads or writes these
     * but the code, helpers as their TCG_CALL_* flags allow, slow paths (which
     * read only), and whoever runs when the function has left.
     */
    const TwGlobal *globals;
    uint32_t nglobals;
    const TwJumpCache *jump_cache; /* or NULL: LOOKUP always calls */
    uint32_t mem_min_pages; /* of the imported memory's declaration */
    uint32_t mem_max_pages;
} TwTarget;

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
     * As above, but the functions of some members hold what is reachable from
     * these inside the group, as structured control flow; see region.h.
     */
    TW_SHAPE_REGIONS,
} TwShape;

typedef struct TwEmitOptions {
    const TwTarget *target;
    uint32_t table_base;
    TwChaining chaining;
    TwCounts counts;
    uint32_t sample_period; /* for TW_COUNTS_SAMPLED: at least 1 */
    TwShape shape;
    bool names; /* a name section, for profilers: tb:PC, region:PC */
} TwEmitOptions;

/* Why a group was not compiled; one typed reason per refusal, counted. */
typedef enum TwRefusal {
#define COMPILE_REFUSAL(name, key, meaning) TW_REFUSED_##name,
#include "tiers/refusals.def"
    TW_NB_REFUSALS
} TwRefusal;

const char *tw_refusal_key(TwRefusal why);
const char *tw_refusal_meaning(TwRefusal why);

/* A growing byte buffer; zero-initialise, reuse by setting len = 0. */
typedef struct TwBuf {
    uint8_t *data;
    size_t len;
    size_t cap;
    bool failed; /* out of memory: contents are incomplete */
} TwBuf;

void tw_buf_free(TwBuf *buf);

/*
 * Append one module with the functions of @tbs[0..n) to @out.
 * TW_REFUSED_NONE, or the reason; then @out's length is as before.
 * Deterministic: equal inputs give equal bytes.
 */
TwRefusal tw_emit_module(const TwEmitOptions *options, const TwTbRef *tbs,
                         size_t n, TwBuf *out);

#endif
