/*
 * The last pass: which Wasm local is what.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_PLAN_LOCALS_H
#define TW_PLAN_LOCALS_H

#include "planner.h"

/* Number the locals that the function uses; locals of a type are neighbours. */
void tw_plan_locals(TwPlanner *p);

#endif
