/*
 * Tier 1: TB bytecode to a WebAssembly module. This file is the roof: it calls
 * the others one after the other. sources.txt lists all files from the ground
 * up, and each uses only what stands before it there. The pipeline:
 *
 *     given     verify each member                          verify.c
 *               the members, sorted by address              emit-group.c
 *     planned   the types of calls                          emit-types.c
 *               regions, if that is the shape               plan-regions.c
 *     written   the sections before the code                emit-module.c
 *     for each member, the function of its code, or of its region's:
 *     planned   forward pass: targets, locals, slots        plan-scan.c
 *               loops, and the ways to their labels         plan-loops.c
 *               backward pass: liveness, chains             plan-live.c
 *               slots at labels, in regions                 plan-slot-flow.c
 *               TLB lookups that accesses share             plan-pages.c
 *               numbers of locals                           plan-locals.c
 *     written   one pass over the code                      emit-function.c
 *                   labels and jumps                        emit-flow.c
 *                   registers                               emit-regs.c
 *                   env slots in locals, in regions         emit-slots.c
 *                   instructions, by kind                   emit-insns.h
 *
 * The state is in three parts: what is given (TwGroup), what is planned
 * (TwTypes, TwRegions, TwPlan: const for who writes), what is written (TwEmit).
 * Planning keeps a few words per bytecode word, and the labels. Memory is
 * allocated once per group, for its largest function; there is no tree.
 *
 * What makes the code tight for a stack machine are the tricks of emit-regs.h
 * and the chains of plan-live.h: a store wants its address below the value, so
 * where the value is made by the instructions just before, the address is
 * pushed first. An example, "addi a0, a0, 1; beqz a1, ..." of a riscv64 guest:
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
 * functions. Sizes are padded LEB128, so that nothing has to move.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit.h"

#include "emit-function.h"
#include "emit-module.h"
#include "plan-function.h"

enum {
    MAX_MODULE = 1 << 28, /* bytes */
    MAX_MEMBERS = 1000000,
};

/* One group on its way to a module. */
typedef struct TwJob {
    TwGroup group;
    TwTypes types;
    TwRegions regions;
    TwPlanner planner;
    TwEmit emit;
} TwJob;

/* Check the members, and collect their types; *@max_words: of the longest. */
static TwRefusal check(TwTypes *types, const TwTbRef *tbs, size_t n,
                       uint32_t *max_words)
{
    *max_words = 1;
    if (n > MAX_MEMBERS) {
        return TW_REFUSED_TOO_LARGE;
    }
    for (size_t i = 0; i < n; i++) {
        const TwTbRef *tb = &tbs[i];
        TwRefusal why;

        if (tb->nwords > TW_MAX_WORDS) {
            return TW_REFUSED_TOO_LARGE;
        }
        if (!tw_verify(tb->code, tb->nwords, NULL, 0)) {
            return TW_REFUSED_BAD_BYTECODE;
        }
        why = tw_types_collect(types, tb);
        if (why != TW_REFUSED_NONE) {
            return why;
        }
        if (tb->nwords > *max_words) {
            *max_words = tb->nwords;
        }
    }
    return TW_REFUSED_NONE;
}

/* All that is allocated before the first byte is written. */
static bool prepare(TwJob *job, const TwEmitOptions *options,
                    const TwTbRef *tbs, size_t n, TwBuf *out,
                    uint32_t max_words)
{
    const TwRegions *regions = NULL;

    if (!tw_group_init(&job->group, options, tbs, n)) {
        return false;
    }
    if (options->shape == TW_SHAPE_REGIONS) {
        uint32_t words;

        if (!tw_regions_plan(&job->regions, &job->group)) {
            return false;
        }
        regions = &job->regions;
        words = tw_regions_max_words(regions, &job->group);
        max_words = words > max_words ? words : max_words;
    }
    return tw_planner_init(&job->planner, &job->group, regions, max_words) &&
           tw_emit_init(&job->emit, &job->group, &job->types, out, max_words);
}

static TwRefusal write_module(TwJob *job, TwBuf *out)
{
    const TwGroup *group = &job->group;
    size_t start = out->len;
    size_t section;

    if (!tw_buf_need(out, tw_module_head_size(group, &job->types))) {
        return TW_REFUSED_NO_MEMORY;
    }
    section = tw_put_module_head(out, group, &job->types);
    for (size_t i = 0; i < group->ntbs; i++) {
        TwRefusal why = tw_emit_function(
            &job->emit, tw_plan_function(&job->planner, (uint32_t)i));

        if (why != TW_REFUSED_NONE) {
            return why;
        }
        if (out->len - start > MAX_MODULE) {
            return TW_REFUSED_TOO_LARGE;
        }
    }
    tw_patch_size(out, section);
    if (group->options->names &&
        !tw_put_names(out, group, job->planner.regions)) {
        return TW_REFUSED_NO_MEMORY;
    }
    return TW_REFUSED_NONE;
}

static void release(TwJob *job)
{
    tw_emit_free(&job->emit);
    tw_planner_free(&job->planner);
    tw_regions_free(&job->regions);
    tw_types_free(&job->types);
    tw_group_free(&job->group);
}

TwRefusal tw_emit_module(const TwEmitOptions *options, const TwTbRef *tbs,
                         size_t n, TwBuf *out)
{
    TwJob job = { 0 };
    size_t len = out->len;
    uint32_t max_words;
    TwRefusal why = check(&job.types, tbs, n, &max_words);

    if (why == TW_REFUSED_NONE) {
        why = prepare(&job, options, tbs, n, out, max_words)
                  ? write_module(&job, out)
                  : TW_REFUSED_NO_MEMORY;
    }
    release(&job);
    if (why != TW_REFUSED_NONE) {
        out->len = len;
        out->failed = false;
    }
    return why;
}
