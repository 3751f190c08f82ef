/*
 * The backward pass: which registers are live after each instruction, and which
 * values go straight into a store.
 *
 * Live at a branch back inside a TB: all registers, to need one pass only. Live
 * at a branch between TBs: none, as TCG's temporaries end with their TB.
 *
 * A *chain* is a run of instructions each of which makes the first operand of
 * the next, the last of which is a store. Wasm wants the address of a store
 * below its value, so that the base is pushed at the start of the chain, and
 * the value is never written to a local.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_PLAN_LIVE_H
#define TW_PLAN_LIVE_H

#include "planner.h"

/* After the scan: fills in @live of words and labels, and INFO_CHAIN. */
void tw_plan_live(TwPlanner *p);

/* The registers that are live where the branch at word @at leads. */
uint32_t tw_live_at_target(const TwPlan *plan, uint32_t at);

#endif
