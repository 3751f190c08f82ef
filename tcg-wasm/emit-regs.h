/*
 * Registers: i64 locals whose traffic is cut down as the code is written.
 *
 *  - A constant, or an address derived from env or frame, is only remembered
 *    (known, pending) and pushed where it is used. Its local gets the value at
 *    a branch or label beyond which the register may be read.
 *  - local.set r, local.get r becomes local.tee r, or nothing if r is dead
 *    afterwards (bytecode that TCG makes is full of this), and then an
 *    i64.extend_i32 before and an i32.wrap_i64 after vanish together.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_EMIT_REGS_H
#define TW_EMIT_REGS_H

#include "emit-write.h"

/* Start a function: nothing is known of registers but env and frame. */
void tw_regs_start(TwEmit *e);

/* Start the instruction at e->at. */
void tw_regs_insn(TwEmit *e);

/* At a label: what was known on one way to it is forgotten. */
void tw_regs_label(TwEmit *e);

/*
 * Push a register. tw_read() is for an operand's only read in the code of an
 * instruction: the value may be taken from the stack, where it was just made.
 * tw_peek() is for operands that the code reads again. The forms for 32 bits
 * push an i32, the low half.
 */
void tw_read(TwEmit *e, unsigned reg);
void tw_peek(TwEmit *e, unsigned reg);
void tw_read32(TwEmit *e, unsigned reg);
void tw_peek32(TwEmit *e, unsigned reg);

/* Pop a register's new value: an i64 (or v128), or an i32 to zero-extend. */
void tw_write(TwEmit *e, unsigned reg);
void tw_write_u32(TwEmit *e, unsigned reg);

/* Give a register a value that is known; writes no code. */
void tw_write_known(TwEmit *e, unsigned reg, TwKind kind, int64_t value);

/* Is the register's value a known constant? If so, *@value is the constant. */
bool tw_is_const(const TwEmit *e, unsigned reg, int64_t *value);

/* Was the last thing written the local.set of @reg? Then reading it is free. */
bool tw_just_set(const TwEmit *e, unsigned reg);

/* Write pending constants of the set @regs to their locals. */
void tw_flush(TwEmit *e, uint32_t regs);

/*
 * Push a base for an access at offset @ofs from env, or from what @reg holds;
 * returns the offset for the load or store that goes with the base.
 */
uint32_t tw_push_env(TwEmit *e, int32_t ofs);
uint32_t tw_push_base(TwEmit *e, unsigned reg, int32_t ofs);

/* The offset that tw_push_env() returns; pushes nothing. */
uint32_t tw_env_offset(const TwEmit *e, int32_t ofs);

#endif
