/*
 * Analysis of a function's code before it is written: which words start
 * instructions, what branches where, which locals are needed, which registers
 * are live after each instruction (backward branches inside a TB: assume all;
 * between TBs: none, as TCG's temporaries end with their TB), which values go
 * straight into a store, and which env accesses are slots.
 *
 * The code is that of one TB, or in a region the code of several one behind the
 * other (segments). There, a GOTO_TB (and a GOTO_PTR, if it is likely) to another
 * segment is a branch like others.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-int.h"

static const uint32_t all_regs =
    ~(UINT32_C(1) << TW_REG_ENV | UINT32_C(1) << TW_REG_FRAME);

void tw_enter_segment(TwEmit *e, uint32_t at)
{
    e->segment = at == 0 ? 0 : e->segment + 1;
    e->tb = e->segments[e->segment].tb;
    e->base = e->segments[e->segment].start;
}

/* Address of the header at word @start. */
uint32_t tw_segment_address(const TwEmit *e, uint32_t start)
{
    uint32_t low = 0, high = e->nsegments;

    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;

        if (e->segments[mid].start <= start) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return e->segments[low].tb->addr;
}

static void need(TwEmit *e, TwScratch scratch)
{
    e->scratch_used |= 1u << scratch;
}

void tw_note_env(TwEmit *e, int32_t ofs)
{
    if (ofs < 0) {
        need(e, TW_NEG);
        e->neg_ofs = ofs < e->neg_ofs ? ofs : e->neg_ofs;
    }
}

/* Locals that the code of one instruction may use. */
static void note_scratch(TwEmit *e, TwInsn insn)
{
    switch (tw_op_format(insn.op)) {
    case TW_FMT_ENTRY:
        if (e->options->counts == TW_COUNTS_SAMPLED) {
            need(e, TW_T0);
        }
        break;
    case TW_FMT_GOTO_TB:
        need(e, TW_T0);
        need(e, TW_T1);
        break;
    case TW_FMT_LOOKUP:
        tw_lookup_note(e);
        break;
    case TW_FMT_R:
        need(e, TW_T0);
        need(e, TW_T1);
        break;
    case TW_FMT_QMEM:
        need(e, TW_T0);
        tw_note_env(e,
                    e->target->tlb_desc_ofs + insn.c * DESC_SIZE + DESC_TABLE);
        tw_note_env(e,
                    e->target->tlb_desc_ofs + insn.c * DESC_SIZE + DESC_MASK);
        break;
    case TW_FMT_LDE:
    case TW_FMT_STE:
    case TW_FMT_STEI:
    case TW_FMT_EB:
        tw_note_env(e, insn.imm);
        break;
    case TW_FMT_LD:
    case TW_FMT_ST:
    case TW_FMT_VLD:
    case TW_FMT_VST:
        if (insn.b == TW_REG_ENV) {
            tw_note_env(e, insn.imm);
        }
        break;
    case TW_FMT_VOP:
        if (tw_vec_needs_scratch(insn)) {
            need(e, TW_VS0);
        }
        break;
    case TW_FMT_R4:
        for (int i = TW_S0; i <= TW_S4; i++) {
            need(e, i);
        }
        break;
    case TW_FMT_R6:
        need(e, TW_S0);
        break;
    case TW_FMT_RR:
        if (insn.op == TW_OP_BSWAP16 || insn.op == TW_OP_BSWAP32) {
            need(e, TW_T0);
        } else if (insn.op == TW_OP_BSWAP64) {
            need(e, TW_S0);
        }
        break;
    default:
        break;
    }
}

static void note_regs(TwEmit *e, uint32_t at, TwInsn insn)
{
    TwWord *word = &e->words[at];
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
    e->regs_used |= word->reads | word->writes;
}

/* The word that the instruction at @at branches to, if it does. */
static uint32_t branch_target(const TwEmit *e, uint32_t at, TwInsn insn)
{
    uint32_t member;

    if (tw_format_branches(tw_op_format(insn.op))) {
        return at + (uint32_t)(int32_t)insn.rel;
    }
    return tw_find_successor(e, e->tb, &e->code[at], &member)
               ? e->start_of[member]
               : NO_TARGET;
}

static bool makes_constant(TwInsn insn)
{
    return insn.op == TW_OP_MOVI || insn.op == TW_OP_MOVI64;
}

static void note_slot(TwEmit *e, TwWord *word, TwInsn insn, TwInsn before)
{
    TwEnvAccess access;

    if (insn.op == TW_OP_LOOKUP && word->target != NO_TARGET) {
        access = tw_lookup_access(e);
    } else if (!tw_env_access(insn, &access) || access.is_vector) {
        return;
    }
    word->slot = (uint8_t)tw_slot_for(e, &access);
    if (tw_op_format(insn.op) == TW_FMT_STEI ||
        (makes_constant(before) && before.a == insn.a)) {
        word->info |= INFO_CONST;
    }
}

/* Pass 1, forward: starts, targets, needs. */
static void scan(TwEmit *e)
{
    TwInsn before = { 0 };

    memset(e->words, 0, e->nwords * sizeof(e->words[0]));
    for (uint32_t at = 0; at < e->nwords;) {
        TwInsn insn = tw_insn_at(e->code, at);
        TwWord *word = &e->words[at];

        if (insn.op == TW_OP_ENTRY) {
            tw_enter_segment(e, at);
        }
        word->info |= INFO_START;
        word->target = branch_target(e, at, insn);
        word->slot = NO_SLOT;
        if (word->target != NO_TARGET) {
            e->branches[e->nbranches++] = at;
            e->words[word->target].info |= INFO_TARGET;
        }
        note_regs(e, at, insn);
        note_scratch(e, insn);
        if (e->caching) {
            note_slot(e, word, insn, before);
        }
        before = insn;
        at += tw_op_words(insn.op);
    }
}

static void make_labels(TwEmit *e)
{
    for (uint32_t at = 0; at < e->nwords; at++) {
        if (e->words[at].info & INFO_TARGET) {
            e->labels[e->nlabels] = (TwLabel){
                .word = at,
                .first_src = UINT32_MAX,
                .saved = NOT_SAVED,
            };
            e->words[at].label = e->nlabels++;
        }
    }
}

/* The store that takes @reg's value as soon as it is made. */
static bool stores(TwInsn insn, unsigned reg)
{
    TwFormat format = tw_op_format(insn.op);

    return insn.a == reg && (format == TW_FMT_STE ||
                             ((format == TW_FMT_ST || format == TW_FMT_VST) &&
                              insn.b >= TW_REG_ENV));
}

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
static bool chains(const TwEmit *e, uint32_t at, uint32_t next)
{
    uint32_t writes = e->words[at].writes;
    unsigned reg;
    TwInsn next_insn;

    if (!writes || (writes & (writes - 1)) || next >= e->nwords ||
        (e->words[next].info & INFO_TARGET)) {
        return false;
    }
    reg = (unsigned)__builtin_ctz(writes);
    next_insn = tw_insn_at(e->code, next);
    return stores(next_insn, reg) || ((e->words[next].info & INFO_CHAIN) &&
                                      first_operand(next_insn) == reg);
}

uint32_t tw_live_at_target(const TwEmit *e, uint32_t at)
{
    uint32_t target = e->words[at].target;

    if (tw_insn_at(e->code, target).op == TW_OP_ENTRY) {
        return 0;
    }
    return target > at ? e->labels[e->words[target].label].live : all_regs;
}

/* Pass 2, backward: liveness and chains. */
static void find_live(TwEmit *e)
{
    uint32_t live = 0, next = e->nwords;

    for (uint32_t at = e->nwords; at-- > 0;) {
        TwWord *word = &e->words[at];
        TwInsn insn;

        if (!(word->info & INFO_START)) {
            continue;
        }
        insn = tw_insn_at(e->code, at);
        if (tw_insn_ends(insn)) {
            live = 0;
        }
        if (word->target != NO_TARGET) {
            live |= tw_live_at_target(e, at);
        } else if (chains(e, at, next)) {
            word->info |= INFO_CHAIN;
        }
        word->live = live;
        live = ((live & ~word->writes) | word->reads) & all_regs;
        if (insn.op == TW_OP_ENTRY) {
            live = 0;
        }
        if (word->info & INFO_TARGET) {
            e->labels[word->label].live = live;
        }
        next = at;
    }
}

static void forget_slots(TwEmit *e)
{
    for (uint32_t i = 0; i < e->nslots; i++) {
        e->slot_of[e->slots[i].global] = NO_SLOT;
    }
    e->nslots = 0;
}

void tw_scan(TwEmit *e)
{
    e->nlabels = 0;
    e->nbranches = 0;
    e->nedges = 0;
    e->nsaved = 0;
    e->regs_used = 0;
    e->scratch_used = 0;
    e->neg_ofs = 0;
    forget_slots(e);
    scan(e);
    make_labels(e);
    tw_flow_nest(e);
    find_live(e);
    if (e->nslots) {
        tw_slots_analyse(e);
    }
}
