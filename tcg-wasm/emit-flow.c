/*
 * Control flow inside a TB.
 *
 * A branch target gets a `block` that ends at it (branches from before), a
 * `loop` that starts at it (branches from behind), or both. Blocks are opened
 * together at the start of the function or of the innermost loop around their
 * target, the one that ends first innermost, so that each branch is one `br`:
 *
 *     0004  bri.eq r1, 0, ->0009     block block    (ends 0012, 0009)
 *     0005  ...                        br_if 0
 *     0006  br ->0012                  br 1
 *     0009  ...                      end
 *     0012  ...                      end
 *
 * A loop reaches from its target to its last backward branch, or further where
 * loops overlap. What does not nest is a jump into the middle of a loop. Then
 * all backward branches go through one loop and a br_table ("dispatch"), around
 * the same blocks; forward branches stay direct.
 *
 * The analysis before that: which words start instructions, which are targets,
 * which registers are live after each instruction (backward branches: assume
 * all), which locals are needed, and which values go straight into a store.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-int.h"

enum { FUNCTION_END = UINT32_MAX };

static const uint32_t all_regs = (UINT32_C(1) << TW_REG_ENV) - 1;

static uint32_t branch_target(uint32_t at, TwInsn insn)
{
    return at + (uint32_t)(int32_t)insn.rel;
}

static void need(TwEmit *e, TwScratch scratch)
{
    e->scratch_used |= 1u << scratch;
}

static void note_env(TwEmit *e, int32_t ofs)
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
    case TW_FMT_GOTO_TB:
        e->self_loop |= e->tb->succ[insn.a] == e->tb->addr;
        need(e, TW_T0);
        need(e, TW_T1);
        break;
    case TW_FMT_R:
        need(e, TW_T0);
        need(e, TW_T1);
        break;
    case TW_FMT_QMEM:
        need(e, TW_T0);
        note_env(e, e->target->tlb_desc_ofs + insn.c * DESC_SIZE + DESC_TABLE);
        note_env(e, e->target->tlb_desc_ofs + insn.c * DESC_SIZE + DESC_MASK);
        break;
    case TW_FMT_LDE:
    case TW_FMT_STE:
    case TW_FMT_STEI:
    case TW_FMT_EB:
        note_env(e, insn.imm);
        break;
    case TW_FMT_LD:
    case TW_FMT_ST:
        if (insn.b == TW_REG_ENV) {
            note_env(e, insn.imm);
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

/* Pass 1, forward: starts, targets, needs. */
static void scan(TwEmit *e)
{
    memset(e->words, 0, e->nwords * sizeof(e->words[0]));
    for (uint32_t at = 0; at < e->nwords;) {
        TwInsn insn = tw_insn_at(e->code, at);

        e->words[at].info |= INFO_START;
        if (tw_format_branches(tw_op_format(insn.op))) {
            e->branches[e->nbranches++] = at;
            e->words[branch_target(at, insn)].info |= INFO_TARGET;
        }
        note_regs(e, at, insn);
        note_scratch(e, insn);
        at += tw_op_words(insn.op);
    }
}

static void make_labels(TwEmit *e)
{
    for (uint32_t at = 0; at < e->nwords; at++) {
        if (e->words[at].info & INFO_TARGET) {
            TwLabel *label = &e->labels[e->nlabels];

            *label = (TwLabel){ .word = at, .first_src = UINT32_MAX };
            e->words[at].label = e->nlabels++;
        }
    }
    for (uint32_t i = 0; i < e->nbranches; i++) {
        uint32_t at = e->branches[i];
        uint32_t target = branch_target(at, tw_insn_at(e->code, at));
        TwLabel *label = &e->labels[e->words[target].label];

        if (target > at) {
            label->first_src = at < label->first_src ? at : label->first_src;
        } else {
            label->loop_end = at + 1;   /* branches come in order */
        }
    }
}

/* Nest the loops and find each label's place; false if that cannot be done. */
static bool nest(TwEmit *e)
{
    uint32_t loop = NO_LABEL;
    bool ok = true;

    for (uint32_t i = 0; i < e->nlabels; i++) {
        TwLabel *label = &e->labels[i];

        while (loop != NO_LABEL && e->labels[loop].loop_end <= label->word) {
            loop = e->labels[loop].owner;
        }
        label->owner = loop;
        if (loop != NO_LABEL && label->first_src < e->labels[loop].word) {
            ok = false;
        }
        if (label->loop_end) {
            for (uint32_t j = i + 1;
                 j < e->nlabels && e->labels[j].word < label->loop_end; j++) {
                if (e->labels[j].loop_end > label->loop_end) {
                    label->loop_end = e->labels[j].loop_end;
                }
            }
            loop = i;
        }
    }
    return ok;
}

/* The store that takes @reg's value as soon as it is made. */
static bool stores(TwInsn insn, unsigned reg)
{
    TwFormat format = tw_op_format(insn.op);

    return insn.a == reg && (format == TW_FMT_STE ||
                             (format == TW_FMT_ST && insn.b >= TW_REG_ENV));
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

static uint32_t live_at_target(const TwEmit *e, uint32_t at, TwInsn insn)
{
    uint32_t target = branch_target(at, insn);

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
        if (tw_format_branches(tw_op_format(insn.op))) {
            live |= live_at_target(e, at, insn);
        } else if (chains(e, at, next)) {
            word->info |= INFO_CHAIN;
        }
        word->info |= live;
        live = ((live & ~word->writes) | word->reads) & all_regs;
        if (word->info & INFO_TARGET) {
            e->labels[word->label].live = live;
        }
        next = at;
    }
}

void tw_flow_analyse(TwEmit *e)
{
    e->nlabels = 0;
    e->nbranches = 0;
    e->regs_used = 0;
    e->scratch_used = 0;
    e->neg_ofs = 0;
    e->self_loop = false;
    scan(e);
    make_labels(e);
    e->dispatch = !nest(e);
    if (e->dispatch) {
        need(e, TW_PC);
    }
    find_live(e);
}

static void open_scope(TwEmit *e, unsigned op, uint32_t end)
{
    put_byte(e, op);
    put_byte(e, W_TYPE_VOID);
    e->scopes[e->depth++] = end;
}

/* Open the blocks of labels [from, to) that belong to the loop @owner. */
static void open_blocks(TwEmit *e, uint32_t owner, uint32_t from, uint32_t to)
{
    if (!tw_buf_need(e->out, 2 * (to - from) + ROOM)) {
        return;
    }
    for (uint32_t i = to; i-- > from;) {
        TwLabel *label = &e->labels[i];

        if (e->dispatch ||
            (label->owner == owner && label->first_src != UINT32_MAX)) {
            label->block_depth = e->depth;
            open_scope(e, W_BLOCK, label->word);
        }
    }
}

/*
 * Number the targets of backward branches and jump to the one in TW_PC. Number
 * 0 is the entry, in a block of its own, as all others innermost first.
 */
static void open_dispatch(TwEmit *e)
{
    uint32_t count = 1;

    for (uint32_t i = 0; i < e->nlabels; i++) {
        if (e->labels[i].loop_end) {
            e->labels[i].number = count++;
        }
    }
    if (!tw_buf_need(e->out, 6 * (size_t)count + ROOM)) {
        return;
    }
    put_byte(e, W_BLOCK);
    put_byte(e, W_TYPE_VOID);
    put_get(e, e->scratch[TW_PC]);
    put_byte(e, W_BR_TABLE);
    put_u32(e, count);
    put_u32(e, 0);
    for (uint32_t i = 0; i < e->nlabels; i++) {
        if (e->labels[i].loop_end) {
            put_u32(e, e->depth - e->labels[i].block_depth);
        }
    }
    put_u32(e, 0);
    put_byte(e, W_END);
}

void tw_flow_open(TwEmit *e)
{
    e->depth = 0;
    if (e->neg_ofs) {
        put_get(e, LOCAL_ENV);
        put_i32(e, (uint32_t)e->neg_ofs);
        put_byte(e, W_I32_ADD);
        put_set(e, e->scratch[TW_NEG]);
    }
    if (e->self_loop || e->dispatch) {
        open_scope(e, W_LOOP, FUNCTION_END);
    }
    open_blocks(e, NO_LABEL, 0, e->nlabels);
    if (e->dispatch && !e->out->failed) {
        open_dispatch(e);
    }
}

void tw_flow_reach(TwEmit *e, bool *dead)
{
    bool target = e->words[e->at].info & INFO_TARGET;
    TwLabel *label = &e->labels[e->words[e->at].label];

    if (target && !*dead) {
        tw_flush(e, label->live);
    }
    while (e->depth && e->scopes[e->depth - 1] == e->at) {
        put_byte(e, W_END);
        e->depth--;
        if (!tw_buf_need(e->out, ROOM)) {
            return;
        }
    }
    if (!target) {
        return;
    }
    *dead = false;
    tw_regs_label(e);
    if (label->loop_end && !e->dispatch) {
        uint32_t i = e->words[e->at].label;
        uint32_t end = i;

        while (end < e->nlabels && e->labels[end].word < label->loop_end) {
            end++;
        }
        label->loop_depth = e->depth;
        open_scope(e, W_LOOP, label->loop_end);
        open_blocks(e, i, i + 1, end);
    }
}

/*
 * End the function. Unless the last thing written was an instruction that ends
 * (at @ended), its result is still wanted on the stack.
 */
void tw_flow_close(TwEmit *e, size_t ended)
{
    if (!tw_buf_need(e->out, e->depth + ROOM)) {
        return;
    }
    for (; e->depth; e->depth--) {
        put_byte(e, W_END);
    }
    if (e->out->len != ended) {
        put_byte(e, W_UNREACHABLE);
    }
    put_byte(e, W_END);
}

void tw_flow_branch(TwEmit *e)
{
    uint32_t target = branch_target(e->at, e->insn);
    const TwLabel *label = &e->labels[e->words[target].label];
    uint32_t outer;

    tw_flush(e, live_at_target(e, e->at, e->insn));
    if (target > e->at) {
        outer = label->block_depth;
    } else if (e->dispatch) {
        put_i32(e, label->number);
        put_set(e, e->scratch[TW_PC]);
        outer = 0;
    } else {
        outer = label->loop_depth;
    }
    if (e->insn.op == TW_OP_BR) {
        put_byte(e, W_BR);
    } else {
        tw_emit_condition(e);
        put_byte(e, W_BR_IF);
    }
    put_u32(e, e->depth - 1 - outer);
}

void tw_flow_restart(TwEmit *e)
{
    if (e->dispatch) {
        put_i32(e, 0);
        put_set(e, e->scratch[TW_PC]);
    }
    put_byte(e, W_BR_IF);
    put_u32(e, e->depth - 1);
}
