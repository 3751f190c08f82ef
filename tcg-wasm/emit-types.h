/*
 * The function types of a module: type 0 is that of TB functions, the others
 * are those of helpers that the members call.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_EMIT_TYPES_H
#define TW_EMIT_TYPES_H

#include "emit-given.h"
#include "emit-refusal.h"

/* Zero-initialise. */
typedef struct TwTypes {
    TwSig *sigs;
    uint32_t n;
    uint32_t cap;
} TwTypes;

/* The type of TwLookupFn in the emitted program. */
enum { TW_LOOKUP_SIG = TW_SIG_I32 | 2 << 2 };

/* The type of the slow path of a guest access. */
TwSig tw_qmem_sig(TwInsn insn);

/*
 * Add the types that the code of @tb needs. TW_REFUSED_NO_MEMORY, or
 * TW_REFUSED_BAD_BYTECODE for a call that Wasm has no type for.
 */
TwRefusal tw_types_collect(TwTypes *types, const TwTbRef *tb);

/* The index of a type that was collected. */
uint32_t tw_type_index(const TwTypes *types, TwSig sig);

void tw_types_free(TwTypes *types);

#endif
