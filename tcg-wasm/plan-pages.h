/*
 * Guest accesses that are likely to be on the page of one before.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_PLAN_PAGES_H
#define TW_PLAN_PAGES_H

#include "planner.h"

/* Mark them by INFO_PAGE_USED, and the ones before by INFO_PAGE_KEPT. */
void tw_plan_pages(TwPlanner *p);

#endif
