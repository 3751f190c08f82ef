/*
 * Which slots are in their locals, and which of these are dirty (env may hold
 * an older value), at each label; and which stores to slots leave env as it is.
 *
 * Any choice is right for labels, as each way to a label is made to agree with
 * the label's sets where the code is written. This choice is to cost little,
 * most of all in loops. One walk over the code notes, for each edge (a branch,
 * or the falling into a label), what happens to the slots between the start of
 * its block and there. Then sets of slots flow along the edges until nothing
 * changes:
 *
 *   wanted, backward: read before being overwritten or forgotten.
 *   valid, dirty, forward. At a label inside straight code, valid is what is
 *     valid on each way there, and dirty what is dirty on any. At a loop's
 *     start, valid is what each way back has, if it is wanted, or dirty on one
 *     of them, so that nothing is loaded or written on the way back; before the
 *     loop, what is wanted is loaded, and what the loop does not make dirty is
 *     written.
 *
 * A store to a slot *waits* (it only changes the local) in loops, where it may
 * be repeated, and if it stores a constant, which mostly the next one replaces.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_PLAN_SLOT_FLOW_H
#define TW_PLAN_SLOT_FLOW_H

#include "planner.h"

/* After tw_plan_loops(): fills in the labels' sets of slots, and INFO_WAITS. */
void tw_plan_slot_flow(TwPlanner *p);

#endif
