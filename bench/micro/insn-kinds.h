/*
 * TBs that execute one kind of instruction again and again, to say what the
 * interpreter needs for it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MICRO_INSN_KINDS_H
#define MICRO_INSN_KINDS_H

#include "code.h"

enum {
    KIND_PER_TB = 399,          /* instructions of the kind in a TB */
    KIND_MAX_WORDS = 1024,
};

typedef struct Kind {
    const char *name;
    const char *meaning;
    /* Write the kind's instructions @n times. */
    void (*body)(Code *c, uint32_t n);
    /*
     * instructions that one of the kind consists of: 1, or 3
     */
    uint32_t insns;
} Kind;

extern const Kind kinds[];
extern const uint32_t nb_kinds;

/*
 * Make @kind's TB at @words: it goes to itself until env.fuel has run out.
 * @fused: with superinstructions.
 */
void kind_make(const Kind *kind, uint64_t *words, bool fused);

/*
 * Make a ring of @n TBs that do nothing but go to the next, by goto_ptr or
 * goto_tb; the first also counts. @code: where each is to stand, CHAIN_WORDS
 * words long.
 */
enum { CHAIN_WORDS = 16 };
void kind_make_chain(uint64_t **code, uint32_t n, bool by_pointer);

#endif
