/*
 * Instruction selection: each file writes the instructions of one kind. False
 * if the instruction at hand is of another kind; then nothing was written.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_EMIT_INSNS_H
#define TW_EMIT_INSNS_H

#include "emit-write.h"

bool tw_emit_alu(TwEmit *e); /* emit-alu.c */
bool tw_emit_wide(TwEmit *e); /* emit-wide.c */
bool tw_emit_cond(TwEmit *e); /* emit-cond.c */
bool tw_emit_mem(TwEmit *e); /* emit-mem.c */
bool tw_emit_vec(TwEmit *e); /* emit-vec.c */
bool tw_emit_leave(TwEmit *e); /* emit-leave.c */

#endif
