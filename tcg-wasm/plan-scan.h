/*
 * The forward pass: which words start instructions, what branches where, which
 * registers and scratch locals are needed, and which env accesses are slots.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_PLAN_SCAN_H
#define TW_PLAN_SCAN_H

#include "planner.h"

/* Fills in words (but liveness, chains), labels' places, branches, slots. */
void tw_plan_scan(TwPlanner *p);

#endif
