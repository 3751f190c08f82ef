/*
 * Random TBs: well-formed, terminating, every opcode, edge values.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_TESTS_GEN_H
#define TW_TESTS_GEN_H

#include "../insn.h"
#include "world.h"

enum {
    GEN_MAX_WORDS = 2048,
    GEN_MAX_LABELS = 64,
};

/*
 * Code stays where it is made: instructions contain addresses in it. Addresses
 * of the host are word 1 of CALL, LOOKUP and GOTO_TB; helpers that take env
 * have a signature in which pointers have the host's width.
 */
typedef struct GenTb {
    uint64_t code[GEN_MAX_WORDS];
    uint32_t nwords;
    uint32_t target[2]; /* word 1 of GOTO_TB n, or 0 if there is none */
} GenTb;

extern GenTb gen_tbs[WORLD_MAX_TBS];

/* How often each opcode byte was generated. */
extern uint32_t gen_coverage[TW_NB_CODES];

/*
 * How often each operation of VOP was generated, by element size, and each kind
 * of VLD.
 */
extern uint32_t gen_vec_coverage[TW_NB_VEC_OPS][4];
extern uint32_t gen_vld_coverage[TW_NB_VEC_LOADS];

/*
 * Fill gen_tbs[id] with about @items random pieces of code, of which
 * @extra_percent call helpers of floating point; if that is not 0, some others
 * access memory at addresses near each other.
 */
void gen_tb(Rng *rng, uint32_t id, unsigned items, unsigned extra_percent);

#endif
