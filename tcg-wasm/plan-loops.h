/*
 * How labels become Wasm's structured control flow.
 *
 * A label gets a `block` that ends at it (for branches from before), a `loop`
 * that starts at it (for branches from behind), or both. Blocks are opened
 * together at the start of the function or of the innermost loop around their
 * label, the one that ends first innermost, so that each branch is one `br`:
 *
 *     0004  bri.eq r1, 0, ->0009     block block    (ends 0012, 0009)
 *     0005  ...                        br_if 0
 *     0006  br ->0012                  br 1
 *     0009  ...                      end
 *     0012  ...                      end
 *
 * A loop reaches from its label to the last branch back to the label, or
 * further where loops overlap. In a region, region.c orders the members so that
 * the loops of reducible code nest.
 *
 * What remains is a jump from before a loop into its middle. The label that
 * such a jump leads to gets a *number*. The jump leaves the number in TW_PC and
 * goes to the start of the outermost loop that it would enter. A loop that is
 * entered so has a *dispatcher* at its start, a br_table by TW_PC: 0 is the
 * ordinary way in; any other number leads to the label, or to the inner loop
 * that has it:
 *
 *     loop
 *       block block               (ends: the label with number 1; number 0)
 *         br_table TW_PC: 0 1
 *       end
 *       ...
 *     end
 *     TW_PC = 0                   (at the label: TW_PC is only a number on the
 *                                 way to the label, else 0)
 *     ...
 *
 * Loops inside or around it that are entered at their start alone have none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_PLAN_LOOPS_H
#define TW_PLAN_LOOPS_H

#include "planner.h"

/* After the scan: fills in the labels' loops, owners, sources and numbers. */
void tw_plan_loops(TwPlanner *p);

/* The outermost loop around @label that starts behind @at, or NO_LABEL. */
uint32_t tw_entered_loop(const TwPlan *plan, const TwLabel *label, uint32_t at);

#endif
