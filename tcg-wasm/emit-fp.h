/*
 * Floating point: calls of the helpers that fp.h lists, with the fast path in
 * front.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_EMIT_FP_H
#define TW_EMIT_FP_H

#include "emit-write.h"

/*
 * The instruction, if it calls a helper of floating point whose operands'
 * places are known, and takes a result where the helper gives one. False, and
 * nothing is written, if it does not.
 */
bool tw_emit_fp(TwEmit *e);

#endif
