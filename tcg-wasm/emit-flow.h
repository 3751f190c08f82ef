/*
 * Blocks, loops, and jumps to labels, as plan-loops.h plans them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_EMIT_FLOW_H
#define TW_EMIT_FLOW_H

#include "emit-write.h"

/* Start a function: open the blocks of labels that are in no loop. */
void tw_flow_open(TwEmit *e);

/*
 * At each instruction: close the scopes that end here, and open what starts
 * here. *@dead: is the code here unreachable? Cleared at a label.
 */
void tw_flow_reach(TwEmit *e, bool *dead);

/*
 * End the function. Its result is what the last instruction has pushed, if that
 * never continues and ended at @ended of the buffer; all else is unreachable.
 */
void tw_flow_close(TwEmit *e, size_t ended);

/* The label that this instruction branches to. */
const TwLabel *tw_taken_label(const TwEmit *e);

/*
 * Go there, after tw_slots_settle(): always; or if the i32 on the stack is not
 * 0.
 */
void tw_flow_jump(TwEmit *e);
void tw_flow_jump_if(TwEmit *e);

#endif
