/*
 * Numbering locals.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plan-locals.h"

/* Give locals from @local on to the scratch [from, to) that is used. */
static unsigned give_scratch(TwPlan *plan, int from, int to, unsigned local)
{
    for (int i = from; i < to; i++) {
        if (plan->scratch_used >> i & 1) {
            plan->scratch[i] = (uint8_t)local++;
        }
    }
    return local;
}

static unsigned give_regs(TwPlan *plan, int from, int to, unsigned local)
{
    for (int i = from; i < to; i++) {
        if (plan->regs_used >> i & 1) {
            plan->local[i] = (uint8_t)local++;
        }
    }
    return local;
}

void tw_plan_locals(TwPlanner *p)
{
    TwPlan *plan = &p->plan;
    unsigned i64, v128, f64, end;

    i64 = give_scratch(plan, 0, TW_FIRST_I64, NB_PARAMS);
    v128 = give_scratch(plan, TW_FIRST_I64, TW_FIRST_V128, i64);
    v128 = give_regs(plan, 0, TW_REG_ENV, v128);
    for (uint32_t i = 0; i < plan->nslots; i++) {
        plan->slots[i].local = (uint8_t)v128++;
    }
    f64 = give_scratch(plan, TW_FIRST_V128, TW_FIRST_F64, v128);
    f64 = give_regs(plan, TW_REG_V0, TW_NB_ALL_REGS, f64);
    end = give_scratch(plan, TW_FIRST_F64, TW_NB_SCRATCH, f64);
    plan->nlocals[0] = (uint8_t)(i64 - NB_PARAMS);
    plan->nlocals[1] = (uint8_t)(v128 - i64);
    plan->nlocals[2] = (uint8_t)(f64 - v128);
    plan->nlocals[3] = (uint8_t)(end - f64);
}
