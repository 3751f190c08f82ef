/*
 * Tier 1: TB bytecode to a WebAssembly module. This file assembles the module;
 * the others of emit-*.c make the functions. The pipeline:
 *
 *     verify each member, collect the types of its calls        emit.c
 *     plan regions, if that is the shape                        region.c
 *     type, import, function, element sections                  emit.c
 *     code section; for each member a function of its code,
 *     or of its region's:
 *         forward pass: targets, locals, needs                  emit-scan.c
 *         loops and ways to their labels                        emit-flow.c
 *         backward pass: liveness, chains into stores           emit-scan.c
 *         slots at labels, in regions                           emit-slot-flow.c
 *         one pass that writes the code                         emit_code()
 *             labels and branches                               emit-flow.c
 *             registers                                         emit-regs.c
 *             env slots in locals, in regions                   emit-slots.c
 *             instructions      emit-{alu,wide,cond,mem,leave}.c
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
    MAX_BODY = 7000000,
    MAX_MODULE = 1 << 28,
    MAX_MEMBERS = 1000000,
    /* Regions: words of one; of all, in percent of the group's. */
    MAX_REGION_WORDS = 8000,
    REGIONS_PERCENT = 300,
    ACROSS_PERCENT = 150,
    TB_SIG = TW_SIG_I32 | 3 << 2,
};

enum {
    SECTION_TYPE = 1,
    SECTION_IMPORT = 2,
    SECTION_FUNCTION = 3,
    SECTION_ELEMENT = 9,
    SECTION_CODE = 10
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
 * Types.
 */

uint32_t tw_type_index(TwEmit *e, TwSig sig)
{
    uint32_t i = 0;

    while (e->types[i] != sig) {
        i++;
    }
    return i;
}

TwSig tw_qmem_sig(TwInsn insn)
{
    uint32_t addr64 = 1 << 1 << 6;
    uint32_t val64 = TW_MEMOP_SIZE((uint32_t)insn.imm) == 3 ? 1 << 2 << 6 : 0;

    return tw_qmem_is_store(insn.op) ? (TW_SIG_VOID | 5 << 2 | addr64 | val64)
                                     : (TW_SIG_I64 | 4 << 2 | addr64);
}

static bool add_type(TwEmit *e, TwSig sig)
{
    for (uint32_t i = 0; i < e->ntypes; i++) {
        if (e->types[i] == sig) {
            return true;
        }
    }
    if (e->ntypes == e->types_cap) {
        uint32_t cap = e->types_cap ? 2 * e->types_cap : 32;
        uint32_t *types = realloc(e->types, cap * sizeof(types[0]));

        if (!types) {
            return false;
        }
        e->types = types;
        e->types_cap = cap;
    }
    e->types[e->ntypes++] = sig;
    return true;
}

static TwRefusal collect_types(TwEmit *e, const TwTbRef *tb)
{
    for (uint32_t at = 0; at < tb->nwords;) {
        TwInsn insn = tw_insn_at(tb->code, at);
        TwFormat format = tw_op_format(insn.op);
        TwSig sig;

        at += tw_op_words(insn.op);
        if (format == TW_FMT_CALL) {
            sig = (TwSig)insn.imm;
            if (tw_sig_ret(sig) == TW_SIG_I128) {
                return TW_REFUSED_BAD_BYTECODE; /* not on 32-bit hosts */
            }
        } else if (format == TW_FMT_QMEM) {
            sig = tw_qmem_sig(insn);
        } else {
            continue;
        }
        if (!add_type(e, sig)) {
            return TW_REFUSED_NO_MEMORY;
        }
    }
    return TW_REFUSED_NONE;
}

static unsigned wasm_type(bool is64)
{
    return is64 ? W_TYPE_I64 : W_TYPE_I32;
}

static void put_type(TwEmit *e, TwSig sig)
{
    put_byte(e, W_TYPE_FUNC);
    put_u32(e, tw_sig_nargs(sig));
    for (unsigned i = 0; i < tw_sig_nargs(sig); i++) {
        put_byte(e, wasm_type(tw_sig_arg_is64(sig, i)));
    }
    put_byte(e, tw_sig_ret(sig) != TW_SIG_VOID);
    if (tw_sig_ret(sig) != TW_SIG_VOID) {
        put_byte(e, wasm_type(tw_sig_ret(sig) == TW_SIG_I64));
    }
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

bool tw_find_successor(const TwEmit *e, const TwTbRef *tb, TwInsn insn,
                       uint32_t *member)
{
    uint32_t addr = 0;

    if (insn.op == TW_OP_GOTO_TB) {
        addr = tb->succ[insn.a];
    } else if (insn.op == TW_OP_GOTO_PTR) {
        addr = (uint32_t)insn.imm;
    }
    return addr && find_member(e, addr, member);
}

/*
 * Functions.
 */

static void put_locals(TwEmit *e)
{
    uint32_t counts[2] = { 0, 0 };      /* i32, i64 */
    unsigned local = NB_PARAMS;

    for (int i = 0; i < TW_NB_SCRATCH; i++) {
        if (e->scratch_used >> i & 1) {
            e->scratch[i] = local++;
            counts[i >= TW_FIRST_I64]++;
        }
    }
    for (int i = 0; i < TW_REG_ENV; i++) {
        if (e->regs_used >> i & 1) {
            e->local[i] = local++;
            counts[1]++;
        }
    }
    for (uint32_t i = 0; i < e->nslots; i++) {
        e->slots[i].local = (uint8_t)local++;
        counts[1]++;
    }
    put_byte(e, (counts[0] != 0) + (counts[1] != 0));
    for (int i = 0; i < 2; i++) {
        if (counts[i]) {
            put_u32(e, counts[i]);
            put_byte(e, wasm_type(i));
        }
    }
}

/* At the start of a chain, the base of the store at its end, if that is now. */
static void start_chain(TwEmit *e)
{
    uint32_t at = e->at;

    while (e->words[at].info & INFO_CHAIN) {
        at += tw_op_words(tw_insn_at(e->code, at).op);
    }
    if (!tw_store_waits(e, at)) {
        tw_push_store_base(e, tw_insn_at(e->code, at));
    }
}

static void emit_insn(TwEmit *e)
{
    tw_regs_insn(e);
    if ((e->words[e->at].info & INFO_CHAIN) && !e->base_pushed) {
        start_chain(e);
    }
    if (tw_format_branches(tw_op_format(e->insn.op))) {
        tw_flow_branch(e);
    } else {
        bool done = tw_emit_alu(e) || tw_emit_mem(e) || tw_emit_set(e) ||
                    tw_emit_wide(e) || tw_emit_leave(e);
        assert(done);
        (void)done;
    }
}

static void emit_code(TwEmit *e)
{
    bool dead = false;
    size_t ended = 0;

    tw_scan(e);
    put_locals(e);
    tw_regs_start(e);
    tw_slots_start(e);
    tw_flow_open(e);
    for (e->at = 0; e->at < e->nwords; e->at += tw_op_words(e->insn.op)) {
        e->insn = tw_insn_at(e->code, e->at);
        if (!tw_buf_need(e->out, ROOM)) {
            return;
        }
        if (e->insn.op == TW_OP_ENTRY) {
            tw_enter_segment(e, e->at);
        }
        tw_flow_reach(e, &dead);
        if (!dead && tw_buf_need(e->out, ROOM)) {
            emit_insn(e);
            dead = tw_insn_ends(e->insn);
            ended = dead ? e->out->len : ended;
        }
    }
    tw_flow_close(e, ended);
}

/* Does the member lead to itself? */
static bool loops(const TwEmit *e, uint32_t member)
{
    const TwRegionNode *node = &e->nodes[member];

    return node->succ[0] == member || node->succ[1] == member ||
           node->succ[TW_REGION_GOTO_PTR] == member;
}

static void add_segment(TwEmit *e, uint32_t member)
{
    const TwTbRef *tb = &e->tbs[member];

    e->segments[e->nsegments++] = (TwSegment){ tb, e->nwords };
    e->start_of[member] = e->nwords;
    e->nwords += tb->nwords;
}

/* Make the code of the function that is in the slot of @member. */
static void set_segments(TwEmit *e, uint32_t member)
{
    uint32_t count = e->plan.count ? e->plan.count[member] : 0;

    e->nsegments = 0;
    e->nwords = 0;
    if (count < 2) {
        add_segment(e, member);
        e->code = e->tbs[member].code;
    }
    for (uint32_t i = 0; count >= 2 && i < count; i++) {
        add_segment(e, e->plan.members[e->plan.start[member] + i]);
    }
    for (uint32_t i = 0; count >= 2 && i < count; i++) {
        const TwSegment *segment = &e->segments[i];

        memcpy(&e->joined[segment->start], segment->tb->code,
               segment->tb->nwords * sizeof(e->joined[0]));
        e->code = e->joined;
    }
    e->caching =
        e->target->nglobals && (count > 1 || (count && loops(e, member)));
}

static void clear_segments(TwEmit *e)
{
    for (uint32_t i = 0; i < e->nsegments; i++) {
        e->start_of[e->segments[i].tb - e->tbs] = NO_TARGET;
    }
}

static TwRefusal emit_function(TwEmit *e, uint32_t member)
{
    size_t start;

    if (!tw_buf_need(e->out, ROOM)) {
        return TW_REFUSED_NO_MEMORY;
    }
    set_segments(e, member);
    start = put_size_later(e);
    emit_code(e);
    clear_segments(e);
    if (e->out->failed) {
        return TW_REFUSED_NO_MEMORY;
    }
    if (e->out->len - start > MAX_BODY) {
        return TW_REFUSED_TOO_LARGE;
    }
    patch_size(e, start);
    return TW_REFUSED_NONE;
}

/*
 * The module.
 */

static size_t open_section(TwEmit *e, unsigned id)
{
    put_byte(e, id);
    return put_size_later(e);
}

static void put_name(TwEmit *e, char name)
{
    put_byte(e, 1);
    put_byte(e, (uint8_t)name);
}

static void put_head(TwEmit *e)
{
    static const uint8_t magic[] = { 0, 'a', 's', 'm', 1, 0, 0, 0 };
    size_t section;

    memcpy(e->out->data + e->out->len, magic, sizeof(magic));
    e->out->len += sizeof(magic);

    section = open_section(e, SECTION_TYPE);
    put_u32(e, e->ntypes);
    for (uint32_t i = 0; i < e->ntypes; i++) {
        put_type(e, e->types[i]);
    }
    patch_size(e, section);

    section = open_section(e, SECTION_IMPORT);
    put_byte(e, 2);
    put_name(e, 'e');
    put_name(e, 'm');
    put_byte(e, 2); /* memory */
    put_byte(e, 3); /* shared, with a maximum */
    put_u32(e, e->target->mem_min_pages);
    put_u32(e, e->target->mem_max_pages);
    put_name(e, 'e');
    put_name(e, 't');
    put_byte(e, 1); /* table */
    put_byte(e, W_TYPE_FUNCREF);
    put_byte(e, 0);
    put_u32(e, 0);
    patch_size(e, section);

    section = open_section(e, SECTION_FUNCTION);
    put_u32(e, (uint32_t)e->ntbs);
    for (size_t i = 0; i < e->ntbs; i++) {
        put_byte(e, 0);
    }
    patch_size(e, section);

    section = open_section(e, SECTION_ELEMENT);
    put_byte(e, 1);
    put_byte(e, 0); /* active, table 0 */
    put_i32(e, e->options->table_base);
    put_byte(e, W_END);
    put_u32(e, (uint32_t)e->ntbs);
    for (size_t i = 0; i < e->ntbs; i++) {
        put_u32(e, (uint32_t)i);
    }
    patch_size(e, section);
}

static TwRefusal emit_module(TwEmit *e)
{
    size_t start = e->out->len;
    size_t section;

    if (!tw_buf_need(e->out, 20 * (size_t)e->ntypes + 8 * e->ntbs + ROOM)) {
        return TW_REFUSED_NO_MEMORY;
    }
    put_head(e);
    section = open_section(e, SECTION_CODE);
    put_u32(e, (uint32_t)e->ntbs);
    for (size_t i = 0; i < e->ntbs; i++) {
        TwRefusal why = emit_function(e, (uint32_t)i);

        if (why != TW_REFUSED_NONE) {
            return why;
        }
        if (e->out->len - start > MAX_MODULE) {
            return TW_REFUSED_TOO_LARGE;
        }
    }
    patch_size(e, section);
    return TW_REFUSED_NONE;
}

/* Check the members; how much working memory does the largest need? */
static TwRefusal check(TwEmit *e, uint32_t *max_words)
{
    *max_words = 1;
    if (e->ntbs > MAX_MEMBERS) {
        return TW_REFUSED_TOO_LARGE;
    }
    if (!add_type(e, TB_SIG)) {
        return TW_REFUSED_NO_MEMORY;
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
        why = collect_types(e, tb);
        if (why != TW_REFUSED_NONE) {
            return why;
        }
        if (tb->nwords > *max_words) {
            *max_words = tb->nwords;
        }
    }
    return TW_REFUSED_NONE;
}

/* Find the edges of a member; a TB has at most one GOTO_PTR that matters. */
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

        if (tw_find_successor(e, tb, insn, &to)) {
            node->succ[insn.op == TW_OP_GOTO_TB ? insn.a : TW_REGION_GOTO_PTR] =
                to;
        }
        at += tw_op_words(insn.op);
    }
}

/* Plan the regions; *@max_words is raised to what the longest may have. */
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
    if (*max_words < MAX_REGION_WORDS) {
        *max_words = MAX_REGION_WORDS;
    }
    return tw_region_plan(e->nodes, n, &limits, &e->plan);
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
