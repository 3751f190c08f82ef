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
 * A TB's registers are i64 locals. Guest state stays in env. Memory that other
 * code may change is read each time: nothing is cached over a call.
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
} TwTbRef;

/* Facts about the program that modules are made for. */
typedef struct TwTarget {
    int32_t tlb_desc_ofs;       /* env-relative offset of TwTlbDesc[0] */
    uint32_t page_bits;         /* guest page size, log2 */
    /* Table indices of slow paths, as QEMU's helper_ld*_mmu / st*_mmu:
     *   load:  (env i32, addr i64, oi i32, retaddr i32) -> i64 (8, 16, 32, 64
     *          bits, zero-extended; the emitter extends signed loads)
     *   store: (env i32, addr i64, val, oi i32, retaddr i32), val i32 or i64
     */
    uint32_t fn_ld[4];
    uint32_t fn_st[4];
    uint32_t mem_min_pages;     /* of the imported memory's declaration */
    uint32_t mem_max_pages;
} TwTarget;

typedef enum TwChaining {
    TW_CHAIN_DISPATCH,          /* return to the dispatcher */
    TW_CHAIN_TAIL,              /* return_call_indirect across modules */
} TwChaining;

typedef enum TwCounts {
    TW_COUNTS_OFF,
    TW_COUNTS_EXACT,            /* header.tier1_count += 1 per execution */
} TwCounts;

typedef struct TwEmitOptions {
    const TwTarget *target;
    uint32_t table_base;
    TwChaining chaining;
    TwCounts counts;
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
    bool failed;                /* out of memory: contents are incomplete */
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
