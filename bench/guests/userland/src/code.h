/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes guest code at run time: the same few operations for each architecture,
 * so that a pattern of blocks has the same shape everywhere. One file for each
 * architecture, code-ARCH.c, has the encodings.
 *
 * The code computes with these registers:
 *
 *   sum      32 bits, the checked result
 *   count    passes that are left
 *   node     a Node in memory
 *   next     the next element of a table of addresses; `first` is its start
 *
 * An operation that writes n instructions adds n to `insns`. Each of them is
 * executed whenever control comes through, so a pattern knows exactly how many
 * instructions a pass executes.
 */
#ifndef TIERLAB_CODE_H
#define TIERLAB_CODE_H

#include "sys.h"

enum {
    CODE_SLOT = 16,      /* bytes; room for a step and a jump */
    CODE_STEP_MAX = 2048 /* the constant of a step is below this */
};

typedef struct Code {
    unsigned char *at; /* where the next instruction goes */
    unsigned long insns;
} Code;

/* An element of a linked list in the guest's memory. */
typedef struct Node {
    struct Node *next;
#if __SIZEOF_POINTER__ == 4
    uint32_t zero;
#endif
    uint32_t value;
    uint32_t seen; /* the sum after this node */
} Node;

/* An element of a table of addresses. */
typedef struct Target {
    unsigned char *to;
#if __SIZEOF_POINTER__ == 4
    uint32_t zero;
#endif
} Target;

/* The first and the last operation: from C, and back to C. */
void code_begin(Code *code);
void code_end(Code *code);

/* sum = 3 * sum + k */
void code_step(Code *code, uint32_t k);

/* sum = 3 * sum + node->value; node->seen = sum; node = node->next */
void code_visit(Code *code);

void code_jump(Code *code, const unsigned char *to);

/* count = count - 1; jump unless count is 0 */
void code_loop(Code *code, const unsigned char *to);

/* Call a function that has only steps and code_return(). */
void code_call(Code *code, const unsigned char *to);
void code_return(Code *code);

/* Jump to *next, and set `next` to the element behind it. */
void code_dispatch(Code *code);

/* next = first */
void code_restart(Code *code);

/* Change the constant of the step that begins at `step`. */
void code_patch(unsigned char *step, uint32_t k);

/* Let the CPU see code that was written. */
void code_flush(const unsigned char *begin, const unsigned char *end);

/* Run from code_begin() to code_end(); gives the sum. */
uint32_t code_run(const unsigned char *code, uint32_t sum, unsigned long count,
                  Node *node, const Target *first);

#endif
