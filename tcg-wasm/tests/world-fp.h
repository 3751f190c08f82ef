/*
 * Helpers of floating point for the world of the tests.
 *
 * A helper gives what compiled code gives, and changes nothing, where fp.h
 * promises so. Else it gives something else, raises flags, and logs the call:
 * compiled code that did not call it differs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_TESTS_WORLD_FP_H
#define TW_TESTS_WORLD_FP_H

#include "world.h"

enum { WORLD_MAX_FP = 160 };

typedef struct WorldFpHelper {
    TwFpHelper helper;
    const char *name;
    /*
     * Its signature: the result, an underscore, and the arguments.
     * V: void, W: 32 bits, L: 64 bits, P: a pointer.
     */
    const char *shape;
} WorldFpHelper;

extern const WorldFpHelper world_fp_helpers[];
unsigned world_nb_fp_helpers(void);

/* @wide: pointers have 64 bits, as is the case on this host or not. */
TwSig world_fp_sig(const WorldFpHelper *helper, bool wide);

/* The helpers as TwTarget takes them. */
TwFpHelpers world_fp_list(void);

/*
 * By helper: calls, since somebody set this to 0, whose result fp.h promises,
 * so that a fast path may take their place.
 */
extern uint64_t world_fp_certain[WORLD_MAX_FP];

/* Fill env.fp and fp_below. */
void world_fp_init(Rng *rng);

#endif
