/*
 * The guest's helpers of floating point that compiled code has a fast path for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_WASM_FP_H
#define TCG_WASM_FP_H

#include "lib/fp.h"

/* The helpers of this guest's CPU, sorted; none where @cpu has other rules. */
TwFpHelpers tw_fp_helpers(CPUState *cpu);

#endif
