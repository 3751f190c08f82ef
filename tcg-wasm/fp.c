/*
 * Finding a helper of floating point.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fp.h"

const TwFpHelper *tw_fp_find(const TwFpHelpers *helpers, uintptr_t fn)
{
    size_t low = 0, high = helpers->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (helpers->list[middle].fn < fn) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < helpers->n && helpers->list[low].fn == fn ? &helpers->list[low]
                                                           : NULL;
}

unsigned tw_fp_operands(TwFpOp op)
{
    switch (op) {
    case TW_FP_ADD:
    case TW_FP_SUB:
    case TW_FP_MUL:
    case TW_FP_DIV:
    case TW_FP_MIN:
    case TW_FP_MAX:
    case TW_FP_LESSER:
    case TW_FP_GREATER:
    case TW_FP_EQ:
    case TW_FP_LT:
    case TW_FP_LE:
    case TW_FP_RELATION:
        return 2;
    case TW_FP_MULTIPLY_ADD:
        return 3;
    default:
        return 1;
    }
}
