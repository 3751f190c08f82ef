/*
 * Tier 1: TB bytecode to a WebAssembly module. This file is the whole, the
 * others of emit-*.c its parts. The pipeline:
 *
 *     verify each member                                        emit.c
 *     collect the types of its calls                            emit-module.c
 *     plan regions, if that is the shape                        region.c
 *     type, import, function, element sections                  emit-module.c
 *     code section; for each member a function of its code,
 *     or of its region's:                                       emit-function.c
 *         forward pass: targets, locals, needs                  emit-scan.c
 *         loops and ways to their labels                        emit-flow.c
 *         backward pass: liveness, chains into stores           emit-scan.c
 *         slots at labels, in regions                           emit-slot-flow.c
 *         one pass that writes the code                         emit-function.c
 *             labels and branches                               emit-flow.c
 *             registers                                         emit-regs.c
 *             env slots in locals, in regions                   emit-slots.c
 *             instructions  emit-{alu,wide,cond,mem,vec,leave,lookup}.c
 *
 * Nothing is kept between the passes but a few words per bytecode word and the
 * labels; nothing is allocated per instruction; there is no tree. What makes
 * the code tight for a stack machine are the tricks of emit-regs.c and the
 * chains: a store wants its address below the value, so where the value is made
 * by the instructions just before, the address is pushed first. An example,
 * "addi a0, a0, 1; beqz a1, ..." of a riscv64 guest:
 *
 *     lde64   r0, [env+80]     local.get 0    (chain: base of the ste64)
 *                              local.get 0
 *                              i64.load offset=80
 *     addi    r0, r0, 1        i64.const 1
 *                              i64.add
 *     ste64   r0, [env+80]     i64.store offset=80
 *     lde64   r1, [env+88]     local.get 0
 *                              i64.load offset=88
 *     bri.ne  r1, 0, ->0013    i64.const 0
 *                              i64.ne
 *                              br_if 0
 *
 * r0 and r1 are dead afterwards, so no local is ever written.
 *
 * Limits are those of the engines: a function body of 7.6 MB, a million
 * functions. Sizes are padded LEB128, so that nothing moves.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>

#include "emit-int.h"

enum {
    MAX_MODULE = 1 << 28,
    MAX_MEMBERS = 1000000,
    /* Regions: words of one; of all, in percent of the group's. */
    MAX_REGION_WORDS = 8000,
    REGIONS_PERCENT = 200,
    ACROSS_PERCENT = 125,
};

static const struct {
    const char *key;
    const char *meaning;
} refusals[TW_NB_REFUSALS] = {
#define COMPILE_REFUSAL(name, key, meaning) \
    [TW_REFUSED_##name] = { key, meaning },
#include "tiers/refusals.def"
};

const char *tw_refusal_key(TwRefusal why)
{
    return refusals[why].key;
}

const char *tw_refusal_meaning(TwRefusal why)
{
    return refusals[why].meaning;
}

void tw_buf_free(TwBuf *buf)
{
    free(buf->data);
    *buf = (TwBuf){ 0 };
}

bool tw_buf_need(TwBuf *buf, size_t n)
{
    size_t cap = buf->cap ? buf->cap : 4096;
    uint8_t *data;

    if (buf->cap - buf->len >= n) {
        return !buf->failed;
    }
    while (cap - buf->len < n) {
        cap *= 2;
    }
    data = realloc(buf->data, cap);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    return !buf->failed;
}

/*
 * Members.
 */

static int compare_members(const void *a, const void *b)
{
    const TwMember *x = a, *y = b;

    if (x->addr != y->addr) {
        return x->addr < y->addr ? -1 : 1;
    }
    return x->index < y->index ? -1 : x->index > y->index;
}

static void sort_members(TwEmit *e)
{
    for (size_t i = 0; i < e->ntbs; i++) {
        e->members[i] = (TwMember){ e->tbs[i].addr, (uint32_t)i };
    }
    qsort(e->members, e->ntbs, sizeof(e->members[0]), compare_members);
}

static bool find_member(const TwEmit *e, uint32_t addr, uint32_t *index)
{
    size_t low = 0, high = e->ntbs;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (e->members[mid].addr < addr) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    if (low == e->ntbs || e->members[low].addr != addr) {
        return false;
    }
    *index = e->members[low].index;
    return true;
}

bool tw_find_successor(const TwEmit *e, const TwTbRef *tb,
                       const uint64_t *words, uint32_t *member)
{
    TwInsn insn = tw_insn_at(words, 0);
    TwExpected unused;
    uint32_t addr = 0;

    if (insn.op == TW_OP_GOTO_TB) {
        addr = tb->succ[insn.a];
    } else if (insn.op == TW_OP_GOTO_PTR || insn.op == TW_OP_LOOKUP) {
        addr = (uint32_t)insn.imm;
    }
    return addr && find_member(e, addr, member) &&
           (insn.op != TW_OP_LOOKUP ||
            tw_lookup_expects(e, words, addr, &unused));
}

/*
 * The module.
 */

static TwRefusal emit_module(TwEmit *e)
{
    size_t start = e->out->len;
    size_t section;

    if (!tw_buf_need(e->out, 20 * (size_t)e->ntypes + 8 * e->ntbs + ROOM)) {
        return TW_REFUSED_NO_MEMORY;
    }
    section = tw_put_head(e);
    for (size_t i = 0; i < e->ntbs; i++) {
        TwRefusal why = tw_emit_function(e, (uint32_t)i);

        if (why != TW_REFUSED_NONE) {
            return why;
        }
        if (e->out->len - start > MAX_MODULE) {
            return TW_REFUSED_TOO_LARGE;
        }
    }
    patch_size(e, section);
    if (e->options->names && !tw_put_names(e)) {
        return TW_REFUSED_NO_MEMORY;
    }
    return TW_REFUSED_NONE;
}

/* Check the members; how much working memory does the largest need? */
static TwRefusal check(TwEmit *e, uint32_t *max_words)
{
    *max_words = 1;
    if (e->ntbs > MAX_MEMBERS) {
        return TW_REFUSED_TOO_LARGE;
    }
    for (size_t i = 0; i < e->ntbs; i++) {
        const TwTbRef *tb = &e->tbs[i];
        TwRefusal why;

        if (tb->nwords > TW_MAX_WORDS) {
            return TW_REFUSED_TOO_LARGE;
        }
        if (!tw_verify(tb->code, tb->nwords, NULL, 0)) {
            return TW_REFUSED_BAD_BYTECODE;
        }
        why = tw_collect_types(e, tb);
        if (why != TW_REFUSED_NONE) {
            return why;
        }
        if (tb->nwords > *max_words) {
            *max_words = tb->nwords;
        }
    }
    return TW_REFUSED_NONE;
}

/* Find the edges of a member; a TB has at most one jump by a hint that matters. */
static void find_edges(TwEmit *e, uint32_t member)
{
    const TwTbRef *tb = &e->tbs[member];
    TwRegionNode *node = &e->nodes[member];

    *node = (TwRegionNode){
        tb->nwords,
        { TW_NO_MEMBER, TW_NO_MEMBER, TW_NO_MEMBER },
    };
    for (uint32_t at = 0, to; at < tb->nwords;) {
        TwInsn insn = tw_insn_at(tb->code, at);

        if (tw_find_successor(e, tb, &tb->code[at], &to)) {
            node->succ[insn.op == TW_OP_GOTO_TB ? insn.a : TW_REGION_GOTO_PTR] =
                to;
        }
        at += tw_op_words(insn.op);
    }
}

static uint32_t region_words(const TwEmit *e, uint32_t head)
{
    uint32_t words = 0;

    for (uint32_t i = 0; i < e->plan.count[head]; i++) {
        words += e->nodes[e->plan.members[e->plan.start[head] + i]].words;
    }
    return words;
}

/* Plan the regions; *@max_words is raised to what the longest has. */
static bool plan_regions(TwEmit *e, uint32_t *max_words)
{
    uint32_t n = (uint32_t)e->ntbs;
    TwRegionLimits limits = { .region_words = MAX_REGION_WORDS };
    uint64_t words = 0;

    e->nodes = malloc((n + 1) * sizeof(e->nodes[0]));
    if (!e->nodes) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        find_edges(e, i);
        words += e->nodes[i].words;
    }
    limits.total_words = words * REGIONS_PERCENT / 100;
    limits.across_words = words * ACROSS_PERCENT / 100;
    if (!tw_region_plan(e->nodes, n, &limits, &e->plan)) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        words = region_words(e, i);
        *max_words = words > *max_words ? (uint32_t)words : *max_words;
    }
    return true;
}

static bool allocate_members(TwEmit *e)
{
    e->members = malloc((e->ntbs + 1) * sizeof(e->members[0]));
    e->segments = malloc((e->ntbs + 1) * sizeof(e->segments[0]));
    e->start_of = malloc((e->ntbs + 1) * sizeof(e->start_of[0]));
    e->slot_of = malloc(e->target->nglobals + 1);
    if (!e->members || !e->segments || !e->start_of || !e->slot_of) {
        return false;
    }
    memset(e->start_of, 0xff, e->ntbs * sizeof(e->start_of[0]));
    memset(e->slot_of, NO_SLOT, e->target->nglobals);
    sort_members(e);
    return true;
}

static bool allocate(TwEmit *e, uint32_t words)
{
    bool regions = e->options->shape == TW_SHAPE_REGIONS;

    if (!allocate_members(e) || (regions && !plan_regions(e, &words))) {
        return false;
    }
    e->words = malloc(words * sizeof(e->words[0]));
    e->labels = malloc(words * sizeof(e->labels[0]));
    /* Each label may be a block and a loop. */
    e->scopes = malloc(2 * (size_t)words * sizeof(e->scopes[0]));
    e->branches = malloc(words * sizeof(e->branches[0]));
    if (regions) {
        e->joined = malloc(words * sizeof(e->joined[0]));
        /* A word may be a branch, and be fallen into. */
        e->edges = malloc(2 * (size_t)words * sizeof(e->edges[0]));
        if (!e->joined || !e->edges) {
            return false;
        }
    }
    return e->words && e->labels && e->scopes && e->branches;
}

static void release(TwEmit *e)
{
    tw_region_plan_free(&e->plan);
    free(e->nodes);
    free(e->members);
    free(e->segments);
    free(e->start_of);
    free(e->slot_of);
    free(e->words);
    free(e->labels);
    free(e->scopes);
    free(e->branches);
    free(e->joined);
    free(e->edges);
    free(e->saved);
    free(e->types);
}

TwRefusal tw_emit_module(const TwEmitOptions *options, const TwTbRef *tbs,
                         size_t n, TwBuf *out)
{
    TwEmit e = {
        .options = options,
        .target = options->target,
        .tbs = tbs,
        .ntbs = n,
        .out = out,
    };
    size_t len = out->len;
    uint32_t max_words;
    TwRefusal why = check(&e, &max_words);

    if (why == TW_REFUSED_NONE) {
        why = allocate(&e, max_words) ? emit_module(&e) : TW_REFUSED_NO_MEMORY;
    }
    release(&e);
    if (why != TW_REFUSED_NONE) {
        out->len = len;
        out->failed = false;
    }
    return why;
}
