/*
 * The body of one function, from its plan.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_EMIT_FUNCTION_H
#define TW_EMIT_FUNCTION_H

#include "emit-refusal.h"
#include "emit-write.h"

/*
 * Make @e ready to write functions of up to @max_words words to @out. False if
 * memory is short. tw_emit_free() in either case.
 */
bool tw_emit_init(TwEmit *e, const TwGroup *group, const TwTypes *types,
                  TwBuf *out, uint32_t max_words);
void tw_emit_free(TwEmit *e);

/*
 * Write the function that @plan describes, its size in front.
 * TW_REFUSED_NO_MEMORY, or TW_REFUSED_TOO_LARGE for what engines do not take.
 */
TwRefusal tw_emit_function(TwEmit *e, const TwPlan *plan);

#endif
