/*
 * Emitted code taken apart again, for tests that look at what it does.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_TESTS_WASM_WALK_H
#define TW_TESTS_WASM_WALK_H

#include "../emit.h"
#include "../wasm-ops.h"

typedef struct WasmInsn {
    uint8_t op;
    uint32_t imm;       /* local, depth, function; bits of a constant */
    uint32_t ofs;       /* of a load or store */
    uint32_t end;       /* block, loop, if, else: index of its end */
    uint32_t other;     /* if: index of its else, or of its end */
} WasmInsn;

typedef struct WasmCode {
    WasmInsn *insns;
    uint32_t n;
} WasmCode;

/* The code of the module's function @index. */
WasmCode wasm_decode(const TwBuf *module, uint32_t index);
void wasm_free(WasmCode *code);

/* How many instructions are @op? */
unsigned wasm_count(const WasmCode *code, unsigned op);

/* What one path through the code did. */
typedef struct WasmPath {
    bool returned; /* to where it started; else it left, or loops inside */
    unsigned loads; /* from offsets at and above the limit */
    unsigned stores;
    unsigned branch_tables;
} WasmPath;

/*
 * Follow the frequent path from the @nth'th loop's start (from 0) until it is
 * back there or leaves: TLB hits, exits chained to where they were expected to
 * lead, all other branches not taken. Counts accesses at offsets of @limit and
 * more.
 */
WasmPath wasm_follow(const WasmCode *code, unsigned nth, uint32_t limit);

#endif
