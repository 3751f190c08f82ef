/*
 * Inside the generator: its state, and the pieces that TBs are made of.
 *
 * A seed gives the same code with every compiler and pointer size. So there is
 * at most one random number per expression: C leaves open in which order the
 * arguments of a call are evaluated. What addresses of the host the code holds
 * is said at GenTb.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_TESTS_GEN_INT_H
#define TW_TESTS_GEN_INT_H

#include "gen.h"

typedef struct Label {
    bool bound;
    uint32_t at;
} Label;

typedef struct Fix {
    uint32_t at;
    uint32_t label;
} Fix;

typedef struct Gen {
    Rng *rng;
    GenTb *tb;
    uint32_t id;
    uint8_t regs[TW_REG_ENV];   /* the ones in use */
    unsigned nregs;
    unsigned nvregs;            /* the first ones are in use */
    Label labels[GEN_MAX_LABELS];
    unsigned nlabels;
    Fix fixes[GEN_MAX_WORDS];
    unsigned nfixes;
    bool used_exit[2];
} Gen;

/* Offset from env. */
#define ENV(field) ((int32_t)offsetof(Env, field))

/* From this offset on, the frame is TwFrame.spill on every host. */
enum { GEN_FRAME_OFS = 16, GEN_FRAME_SIZE = 120 * 8 };
static_assert(offsetof(TwFrame, spill) <= GEN_FRAME_OFS, "frame");

/* gen-code.c: instructions, operands */
void gen_put(Gen *g, TwInsn insn);
void gen_ins(Gen *g, TwOp op, unsigned a, unsigned b, unsigned c, int32_t imm);
void gen_word(Gen *g, uint64_t v);
unsigned gen_reg(Gen *g);
/* A register to read: now and then one of the read-only ones. */
unsigned gen_any_reg(Gen *g);
int32_t gen_imm32(Gen *g);
/* An offset from env at which @size bytes are free for all. */
int32_t gen_mem_ofs(Gen *g, unsigned size);

/* gen-vec.c */
void gen_choose_vregs(Gen *g);
void gen_load_vregs(Gen *g);
void gen_dump_vregs(Gen *g, bool all);
void gen_item_vec(Gen *g, TwOp op);
void gen_item_vecs(Gen *g);

/* gen-items.c: accesses at addresses near each other */
void gen_item_near(Gen *g);

/* gen-code.c: labels */
bool gen_room_for_labels(const Gen *g);
unsigned gen_forward_label(Gen *g);
unsigned gen_new_label(Gen *g);
void gen_bind(Gen *g, unsigned label);
void gen_bind_some(Gen *g);
void gen_branch_to(Gen *g, unsigned label, TwOp op, unsigned a, int32_t imm);
void gen_set_rel(Gen *g, uint32_t at, uint32_t target);
void gen_fix_branches(Gen *g);

/* gen-code.c: leaving */
/* Registers to env: all, or (so that some are dead) a part. */
void gen_dump(Gen *g, bool all);
void gen_exit_tb(Gen *g);
void gen_goto_tb(Gen *g, unsigned n);
void gen_goto_ptr(Gen *g);
void gen_lookup(Gen *g);
void gen_call(Gen *g, bool returns);

/* gen-items.c: a base and an offset for an access to @size bytes */
unsigned gen_base(Gen *g, unsigned size, int32_t *ofs);

/* gen-items.c: a random item with @op, and some that resemble guest code */
void gen_item(Gen *g, TwOp op);
void gen_exit_goto_tb(Gen *g, unsigned n); /* on a condition */
void gen_item_chain(Gen *g);
void gen_item_globals(Gen *g);

/* gen-fp.c: calls of helpers of floating point */
void gen_item_fp(Gen *g);

#endif
