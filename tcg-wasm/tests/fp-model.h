/*
 * A model of QEMU's helpers of floating point: what an operation gives, and
 * whether fp.h promises that the helper gives just that and changes nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_TESTS_FP_MODEL_H
#define TW_TESTS_FP_MODEL_H

#include "../fp.h"

enum { FP_SINGLE = 2, FP_DOUBLE = 3 };

typedef struct FpResult {
    uint64_t bits; /* a number's, an integer, or one of TwFpRelation's values */
    /*
     * No flag is raised that is not raised already, and the result is that of
     * IEEE 754, rounded to nearest (integers: to zero).
     */
    bool certain;
} FpResult;

/* Log2 of the bytes of the result, if it is a number. */
unsigned fp_result_size(const TwFpHelper *helper);

/*
 * @helper's operation; of vectors, that of one lane. Operands are as they are
 * in registers. @status: the first 32 bits of float_status. Not for SET_MODE
 * and SWAP_MODE.
 */
FpResult fp_model(const TwFpHelper *helper, const uint64_t operands[3],
                  uint32_t status);

#endif
