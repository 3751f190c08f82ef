/*
 * Choosing slots.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plan-slots.h"

bool tw_env_access(TwInsn insn, TwEnvAccess *access)
{
    TwFormat format = tw_op_format(insn.op);

    access->ofs = insn.imm;
    access->is_store = true;
    access->is_vector = false;
    switch (format) {
    case TW_FMT_LD:
    case TW_FMT_LDE:
        access->is_store = false;
        access->size =
            (uint8_t)((insn.op -
                       (format == TW_FMT_LD ? TW_OP_LD8U : TW_OP_LDE8U)) /
                      2);
        break;
    case TW_FMT_ST:
        access->size = (uint8_t)(insn.op - TW_OP_ST8);
        break;
    case TW_FMT_STE:
        access->size = (uint8_t)(insn.op - TW_OP_STE8);
        break;
    case TW_FMT_STEI:
        access->size = (uint8_t)(insn.op - TW_OP_STEI8);
        break;
    case TW_FMT_VLD:
        access->is_store = false;
        access->is_vector = true;
        access->size = (uint8_t)tw_vld_size(insn.c);
        break;
    case TW_FMT_VST:
        access->is_vector = true;
        access->size = insn.c;
        break;
    default:
        return false;
    }
    return format == TW_FMT_LDE || format == TW_FMT_STE ||
           format == TW_FMT_STEI || insn.b == TW_REG_ENV;
}

TwEnvAccess tw_lookup_access(const TwTarget *target)
{
    return (TwEnvAccess){ .ofs = target->jump_cache->env_pc, .size = 3 };
}

unsigned tw_fp_stores(const TwTarget *target, const uint64_t *words,
                      TwEnvAccess accesses[2])
{
    const TwFpHelper *helper = tw_fp_find(&target->fp, (uintptr_t)words[1]);

    if (!helper || !helper->relation || !helper->relation->result) {
        return 0;
    }
    accesses[0] = (TwEnvAccess){
        .ofs = helper->relation->result,
        .size = 3,
        .is_store = true,
    };
    if (!helper->relation->kind) {
        return 1;
    }
    accesses[1] = (TwEnvAccess){
        .ofs = helper->relation->kind,
        .size = 2,
        .is_store = true,
    };
    return 2;
}

/* The first global at or above @ofs. */
static uint32_t find_global(const TwTarget *target, int32_t ofs)
{
    uint32_t low = 0, high = target->nglobals;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (target->globals[mid].ofs < ofs) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

uint64_t tw_slots_overlapping(const TwPlan *plan, const TwEnvAccess *access)
{
    const TwTarget *target = plan->group->target;
    int64_t end = (int64_t)access->ofs + (1 << access->size);
    uint64_t set = 0;

    if (!plan->nslots || access->ofs < INT32_MIN + 8) {
        return 0;
    }
    for (uint32_t i = find_global(target, access->ofs - 7);
         i < target->nglobals && target->globals[i].ofs < end; i++) {
        if (plan->slot_of[i] != NO_SLOT &&
            target->globals[i].ofs + target->globals[i].size > access->ofs) {
            set |= UINT64_C(1) << plan->slot_of[i];
        }
    }
    return set;
}

uint8_t tw_plan_slot(TwPlanner *p, const TwEnvAccess *access)
{
    const TwTarget *target = p->plan.group->target;
    uint32_t i = find_global(target, access->ofs);

    if (i == target->nglobals || target->globals[i].ofs != access->ofs ||
        target->globals[i].size != 1 << access->size) {
        return NO_SLOT;
    }
    if (p->slot_of[i] == NO_SLOT && p->plan.nslots < MAX_SLOTS &&
        !tw_slots_overlapping(&p->plan, access)) {
        p->plan.slots[p->plan.nslots] = (TwSlot){
            .ofs = access->ofs,
            .global = i,
            .size = access->size,
        };
        p->slot_of[i] = (uint8_t)p->plan.nslots++;
    }
    return p->slot_of[i];
}

void tw_plan_no_slots(TwPlanner *p)
{
    for (uint32_t i = 0; i < p->plan.nslots; i++) {
        p->slot_of[p->plan.slots[i].global] = NO_SLOT;
    }
    p->plan.nslots = 0;
}
