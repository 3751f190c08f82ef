/*
 * Which guest accesses need no TLB lookup of their own.
 *
 * Functions save registers one beside the other, and read fields of one object:
 * such accesses have the same base, and offsets that differ little. The first
 * one's lookup is kept: its page, and what leads from guest to host addresses.
 * Those after it compare their page with that one; if it is another, or if the
 * first one had missed, they take the slow path.
 *
 * Bases are compared by numbering values: two registers with the same number
 * have the same value, but for a constant. What was loaded from a place in env,
 * or stored to it, has its number until something else is stored there.
 *
 * What is kept ends at labels, and at calls of helpers that might change the
 * TLB. Between these nothing changes it: other vCPUs ask this one to do so, and
 * that happens when the code has been left. An entry of the TLB that is
 * replaced by the slow path stays right.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plan-pages.h"

#include <string.h>

#include "plan-slots.h"

enum {
    NB_PLACES = 16,
    NEAR = 256, /* bytes: farther ones are on another page too often */
};

/* What a register holds: a number's value plus @ofs; number 0: not known. */
typedef struct Value {
    uint32_t number;
    int64_t ofs;
} Value;

/* 64 bits of env with a known value. */
typedef struct Place {
    int32_t ofs;
    Value value; /* number 0: the place is unused */
} Place;

/* The lookup that is kept, of loads or of stores. */
typedef struct Kept {
    Value address; /* number 0: none */
    uint32_t at;
    unsigned mmu_idx;
} Kept;

typedef struct Walk {
    TwPlanner *planner;
    Value regs[TW_NB_ALL_REGS];
    Place places[NB_PLACES];
    unsigned next_place;
    uint32_t last_number;
    Kept kept[2]; /* by tw_qmem_is_store() */
} Walk;

static void forget_places(Walk *walk)
{
    memset(walk->places, 0, sizeof(walk->places));
}

static void forget_kept(Walk *walk)
{
    memset(walk->kept, 0, sizeof(walk->kept));
}

static Value value_of(Walk *walk, unsigned reg)
{
    if (!walk->regs[reg].number) {
        walk->regs[reg] = (Value){ ++walk->last_number, 0 };
    }
    return walk->regs[reg];
}

static void remember_place(Walk *walk, int32_t ofs, Value value)
{
    walk->places[walk->next_place] = (Place){ ofs, value };
    walk->next_place = (walk->next_place + 1) % NB_PLACES;
}

static Value load_place(Walk *walk, int32_t ofs)
{
    Value value;

    for (unsigned i = 0; i < NB_PLACES; i++) {
        if (walk->places[i].value.number && walk->places[i].ofs == ofs) {
            return walk->places[i].value;
        }
    }
    value = (Value){ ++walk->last_number, 0 };
    remember_place(walk, ofs, value);
    return value;
}

static void forget_overlapping(Walk *walk, const TwEnvAccess *access)
{
    for (unsigned i = 0; i < NB_PLACES; i++) {
        Place *place = &walk->places[i];

        if (place->ofs < (int64_t)access->ofs + (1 << access->size) &&
            access->ofs < (int64_t)place->ofs + 8) {
            place->value.number = 0;
        }
    }
}

static void walk_store(Walk *walk, TwInsn insn)
{
    TwEnvAccess access;

    if (!tw_env_access(insn, &access)) {
        forget_places(walk);
        return;
    }
    forget_overlapping(walk, &access);
    if (insn.op == TW_OP_STE64) {
        remember_place(walk, insn.imm, value_of(walk, insn.a));
    }
}

static void walk_call(Walk *walk, uint32_t at, TwInsn insn)
{
    const TwTarget *target = walk->planner->plan.group->target;
    const uint64_t *words = &walk->planner->plan.code[at];
    bool computes = tw_fp_find(&target->fp, (uintptr_t)words[1]) ||
                    (insn.c & TW_CALL_NO_SIDE_EFFECTS);

    if (!computes) {
        forget_kept(walk);
    }
    /* Helpers of floating point write to memory in env that is no global. */
    forget_places(walk);
}

static void walk_guest(Walk *walk, uint32_t at, TwInsn insn)
{
    TwPlanner *p = walk->planner;
    bool stores = tw_qmem_is_store(insn.op);
    Kept *kept = &walk->kept[stores];
    Value address = value_of(walk, insn.b);
    int64_t distance = address.ofs - kept->address.ofs;

    if (insn.op == TW_OP_QLDX || insn.op == TW_OP_QSTX) {
        return;
    }
    if (kept->address.number == address.number && kept->mmu_idx == insn.c &&
        distance >= -NEAR && distance <= NEAR) {
        p->words[kept->at].info |= INFO_PAGE_KEPT;
        p->words[at].info |= INFO_PAGE_USED;
        tw_plan_need(p, stores ? TW_STORE_PAGE : TW_LOAD_PAGE);
        tw_plan_need(p, stores ? TW_STORE_ADDEND : TW_LOAD_ADDEND);
    } else {
        *kept = (Kept){ address, at, insn.c };
    }
}

static void forget_written(Walk *walk, TwInsn insn)
{
    TwInsnRegs regs;

    tw_insn_regs(insn, &regs);
    for (unsigned i = 0; i < regs.nwrites; i++) {
        walk->regs[regs.writes[i]].number = 0;
    }
}

static void walk_insn(Walk *walk, uint32_t at, TwInsn insn)
{
    Value result = { 0, 0 };

    switch (tw_op_format(insn.op)) {
    case TW_FMT_RR:
        if (insn.op == TW_OP_MOV) {
            result = value_of(walk, insn.b);
        }
        break;
    case TW_FMT_RRI:
        if (insn.op == TW_OP_ADDI) {
            result = value_of(walk, insn.b);
            result.ofs += insn.imm;
        }
        break;
    case TW_FMT_LDE:
        if (insn.op == TW_OP_LDE64) {
            result = load_place(walk, insn.imm);
        }
        break;
    case TW_FMT_ST:
    case TW_FMT_STE:
    case TW_FMT_STEI:
    case TW_FMT_VST:
        walk_store(walk, insn);
        return;
    case TW_FMT_CALL:
        walk_call(walk, at, insn);
        break;
    case TW_FMT_QMEM:
        walk_guest(walk, at, insn);
        break;
    default:
        break;
    }
    forget_written(walk, insn);
    if (result.number) {
        walk->regs[insn.a] = result;
    }
}

void tw_plan_pages(TwPlanner *p)
{
    Walk walk = { .planner = p };

    for (uint32_t at = 0; at < p->plan.nwords;) {
        TwInsn insn = tw_insn_at(p->plan.code, at);

        if (p->words[at].info & INFO_TARGET) {
            walk = (Walk){ .planner = p };
        }
        walk_insn(&walk, at, insn);
        at += tw_op_words(insn.op);
    }
}
