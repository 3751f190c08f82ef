/*
 * Liveness and chains.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plan-live.h"

static const uint32_t all_regs =
    ~(UINT32_C(1) << TW_REG_ENV | UINT32_C(1) << TW_REG_FRAME);

/* Does @insn store @reg to an address that is known before @reg's value? */
static bool stores(TwInsn insn, unsigned reg)
{
    TwFormat format = tw_op_format(insn.op);

    return insn.a == reg && (format == TW_FMT_STE ||
                             ((format == TW_FMT_ST || format == TW_FMT_VST) &&
                              insn.b >= TW_REG_ENV));
}

/* The register that the code of @insn pushes first, or TW_NO_REG. */
static unsigned first_operand(TwInsn insn)
{
    switch (tw_op_format(insn.op)) {
    case TW_FMT_RR:
    case TW_FMT_RRR:
    case TW_FMT_RRI:
    case TW_FMT_FIELD:
    case TW_FMT_DEPOSIT:
    case TW_FMT_LD:
    case TW_FMT_QMEM:
    case TW_FMT_VLD:
    case TW_FMT_VOP:
        return insn.b;
    case TW_FMT_MOVCOND:
        return (uint32_t)insn.imm & 0xff;
    default:
        return TW_NO_REG;
    }
}

/* Is the instruction at @at, before @next, part of a chain into a store? */
static bool chains(const TwPlanner *p, uint32_t at, uint32_t next)
{
    uint32_t writes = p->words[at].writes;
    unsigned reg;
    TwInsn next_insn;

    if (!writes || (writes & (writes - 1)) || next >= p->plan.nwords ||
        (p->words[next].info & INFO_TARGET)) {
        return false;
    }
    reg = (unsigned)__builtin_ctz(writes);
    next_insn = tw_insn_at(p->plan.code, next);
    return stores(next_insn, reg) || ((p->words[next].info & INFO_CHAIN) &&
                                      first_operand(next_insn) == reg);
}

uint32_t tw_live_at_target(const TwPlan *plan, uint32_t at)
{
    uint32_t target = plan->words[at].target;

    if (tw_insn_at(plan->code, target).op == TW_OP_ENTRY) {
        return 0;
    }
    return target > at ? plan->labels[plan->words[target].label].live
                       : all_regs;
}

void tw_plan_live(TwPlanner *p)
{
    uint32_t live = 0, next = p->plan.nwords;

    for (uint32_t at = p->plan.nwords; at-- > 0;) {
        TwWord *word = &p->words[at];
        TwInsn insn;

        if (!(word->info & INFO_START)) {
            continue;
        }
        insn = tw_insn_at(p->plan.code, at);
        if (tw_insn_ends(insn)) {
            live = 0;
        }
        if (word->target != NO_TARGET) {
            live |= tw_live_at_target(&p->plan, at);
        } else if (chains(p, at, next)) {
            word->info |= INFO_CHAIN;
        }
        word->live = live;
        live = ((live & ~word->writes) | word->reads) & all_regs;
        if (insn.op == TW_OP_ENTRY) {
            live = 0;
        }
        if (word->info & INFO_TARGET) {
            p->labels[word->label].live = live;
        }
        next = at;
    }
}
