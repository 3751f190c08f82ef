/*
 * Planning a function, pass by pass.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_PLAN_FUNCTION_H
#define TW_PLAN_FUNCTION_H

#include "planner.h"

/*
 * Allocate for functions of up to @max_words words. @regions: or NULL, if each
 * function is one TB's. False if memory is short. tw_planner_free() in either
 * case.
 */
bool tw_planner_init(TwPlanner *p, const TwGroup *group,
                     const TwRegions *regions, uint32_t max_words);
void tw_planner_free(TwPlanner *p);

/*
 * Plan the function of @member: its own code, or its region's. The plan is the
 * planner's, until the next one is made.
 */
const TwPlan *tw_plan_function(TwPlanner *p, uint32_t member);

#endif
