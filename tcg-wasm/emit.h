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
 * A TB's registers are i64 locals. Guest state stays in env, but a region keeps
 * TCG globals in locals. Memory that other code may change is read each time.
 *
 * The emitter writes bytes only; it knows neither QEMU nor emscripten.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_EMIT_H
#define TW_EMIT_H

#include "emit-buf.h"
#include "emit-given.h"
#include "emit-refusal.h"

/*
 * Append one module with the functions of @tbs[0..n) to @out. Returns
 * TW_REFUSED_NONE; or the reason, and then @out has the length that it had.
 * Deterministic: equal inputs give equal bytes.
 */
TwRefusal tw_emit_module(const TwEmitOptions *options, const TwTbRef *tbs,
                         size_t n, TwBuf *out);

#endif
