/*
 * In a region, a GOTO_TB, GOTO_PTR or LOOKUP whose hint is a TB with a segment
 * is a branch to that segment.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plan-scan.h"

#include "emit-layout.h"
#include "plan-slots.h"

/* An access to env at @ofs needs TW_NEG if @ofs is negative. */
static void note_env(TwPlanner *p, int32_t ofs)
{
    if (ofs < 0) {
        tw_plan_need(p, TW_NEG);
        p->plan.neg_ofs = ofs < p->plan.neg_ofs ? ofs : p->plan.neg_ofs;
    }
}

/* The probe of the jump cache, and the exit after it: emit-lookup.c */
static void note_lookup(TwPlanner *p)
{
    const TwJumpCache *cache = p->plan.group->target->jump_cache;

    tw_plan_need(p, TW_T0);
    tw_plan_need(p, TW_T1);
    tw_plan_need(p, TW_S0);
    if (cache) {
        note_env(p, cache->ptr);
        note_env(p, cache->busy);
    }
}

/* The TLB lookup of a guest access: emit-mem.c */
static void note_tlb(TwPlanner *p, TwInsn insn)
{
    int32_t desc = p->plan.group->target->tlb_desc_ofs + insn.c * DESC_SIZE;

    tw_plan_need(p, TW_T0);
    note_env(p, desc + DESC_TABLE);
    note_env(p, desc + DESC_MASK);
}

/* Vector operations that emit-vec.c makes of several instructions. */
static bool vec_needs_scratch(TwInsn insn)
{
    unsigned op = tw_vop_op(insn.imm);

    return (op == TW_VEC_SSADD || op == TW_VEC_SSSUB || op == TW_VEC_USADD) &&
           tw_vop_size(insn.imm) > 1;
}

/* The fast path of a helper: emit-fp.c */
static void note_call(TwPlanner *p, uint32_t at)
{
    const TwFpHelper *helper =
        tw_fp_find(&p->plan.group->target->fp, (uintptr_t)p->plan.code[at + 1]);
    TwScratch result;

    if (!helper) {
        return;
    }
    for (int i = 0; i <= 5 && helper->op == TW_FP_MULTIPLY_ADD; i++) {
        tw_plan_need(p, TW_D0 + i);
    }
    result = helper->from == TW_FP_VECTOR ? TW_VS0 : TW_S0;
    tw_plan_need(p, result);
    if (helper->from == TW_FP_MEMORY || helper->from == TW_FP_VECTOR) {
        for (unsigned i = 1; i <= tw_fp_operands((TwFpOp)helper->op); i++) {
            tw_plan_need(p, result + i);
        }
    }
}

/* The scratch locals that the code of one instruction may use. */
static void note_scratch(TwPlanner *p, uint32_t at, TwInsn insn)
{
    switch (tw_op_format(insn.op)) {
    case TW_FMT_ENTRY:
        if (p->plan.group->options->counts == TW_COUNTS_SAMPLED) {
            tw_plan_need(p, TW_T0);
        }
        break;
    case TW_FMT_GOTO_TB:
    case TW_FMT_R:
        tw_plan_need(p, TW_T0);
        tw_plan_need(p, TW_T1);
        break;
    case TW_FMT_CALL:
        note_call(p, at);
        break;
    case TW_FMT_LOOKUP:
        note_lookup(p);
        break;
    case TW_FMT_QMEM:
        note_tlb(p, insn);
        break;
    case TW_FMT_LDE:
    case TW_FMT_STE:
    case TW_FMT_STEI:
    case TW_FMT_EB:
        note_env(p, insn.imm);
        break;
    case TW_FMT_LD:
    case TW_FMT_ST:
    case TW_FMT_VLD:
    case TW_FMT_VST:
        if (insn.b == TW_REG_ENV) {
            note_env(p, insn.imm);
        }
        break;
    case TW_FMT_VOP:
        if (vec_needs_scratch(insn)) {
            tw_plan_need(p, TW_VS0);
        }
        break;
    case TW_FMT_R4:
        for (int i = TW_S0; i <= TW_S4; i++) {
            tw_plan_need(p, i);
        }
        break;
    case TW_FMT_R6:
        tw_plan_need(p, TW_S0);
        break;
    case TW_FMT_RR:
        if (insn.op == TW_OP_BSWAP16 || insn.op == TW_OP_BSWAP32) {
            tw_plan_need(p, TW_T0);
        } else if (insn.op == TW_OP_BSWAP64) {
            tw_plan_need(p, TW_S0);
        }
        break;
    default:
        break;
    }
}

static void note_regs(TwPlanner *p, TwWord *word, TwInsn insn)
{
    TwInsnRegs regs;
    uint32_t twice = 0;

    tw_insn_regs(insn, &regs);
    for (unsigned i = 0; i < regs.nreads; i++) {
        uint32_t bit = UINT32_C(1) << regs.reads[i];

        twice |= word->reads & bit;
        word->reads |= bit;
    }
    for (unsigned i = 0; i < regs.nwrites; i++) {
        word->writes |= UINT32_C(1) << regs.writes[i];
    }
    word->reads_once = word->reads & ~twice;
    p->plan.regs_used |= word->reads | word->writes;
}

/* The word that the instruction at @at branches to, or NO_TARGET. */
static uint32_t branch_target(const TwPlanner *p, const TwPlace *place,
                              uint32_t at, TwInsn insn)
{
    uint32_t member;

    if (tw_format_branches(tw_op_format(insn.op))) {
        return at + (uint32_t)(int32_t)insn.rel;
    }
    return tw_find_successor(p->plan.group, place->tb, &p->plan.code[at],
                             &member)
               ? p->start_of[member]
               : NO_TARGET;
}

static bool makes_constant(TwInsn insn)
{
    return insn.op == TW_OP_MOVI || insn.op == TW_OP_MOVI64;
}

/* The slot of the instruction's access; @before is the instruction before. */
static void note_slot(TwPlanner *p, TwWord *word, TwInsn insn, TwInsn before)
{
    TwEnvAccess access;

    if (insn.op == TW_OP_LOOKUP && word->target != NO_TARGET) {
        access = tw_lookup_access(p->plan.group->target);
    } else if (!tw_env_access(insn, &access) || access.is_vector) {
        return;
    }
    word->slot = tw_plan_slot(p, &access);
    if (tw_op_format(insn.op) == TW_FMT_STEI ||
        (makes_constant(before) && before.a == insn.a)) {
        word->info |= INFO_CONST;
    }
}

static void scan(TwPlanner *p)
{
    TwPlace place = { 0 };
    TwInsn before = { 0 };

    memset(p->words, 0, p->plan.nwords * sizeof(p->words[0]));
    for (uint32_t at = 0; at < p->plan.nwords;) {
        TwInsn insn = tw_insn_at(p->plan.code, at);
        TwWord *word = &p->words[at];

        if (insn.op == TW_OP_ENTRY) {
            tw_enter_segment(&place, &p->plan, at);
        }
        word->info |= INFO_START;
        word->target = branch_target(p, &place, at, insn);
        word->slot = NO_SLOT;
        if (word->target != NO_TARGET) {
            p->branches[p->nbranches++] = at;
            p->words[word->target].info |= INFO_TARGET;
        }
        note_regs(p, word, insn);
        note_scratch(p, at, insn);
        if (p->plan.caching) {
            note_slot(p, word, insn, before);
        }
        before = insn;
        at += tw_op_words(insn.op);
    }
}

static void make_labels(TwPlanner *p)
{
    for (uint32_t at = 0; at < p->plan.nwords; at++) {
        if (p->words[at].info & INFO_TARGET) {
            p->labels[p->plan.nlabels] = (TwLabel){
                .word = at,
                .first_src = UINT32_MAX,
            };
            p->words[at].label = p->plan.nlabels++;
        }
    }
}

void tw_plan_scan(TwPlanner *p)
{
    p->plan.nlabels = 0;
    p->plan.regs_used = 0;
    p->plan.scratch_used = 0;
    p->plan.neg_ofs = 0;
    p->nbranches = 0;
    tw_plan_no_slots(p);
    scan(p);
    make_labels(p);
}
