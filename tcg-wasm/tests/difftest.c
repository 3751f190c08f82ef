/*
 * Random TBs in the interpreter and as emitted Wasm; all state compared.
 *
 *     difftest [--seed N] [--tbs N] [--mutations N] [--dump FILE]
 *     difftest --golden check|print [--tbs N]
 *
 * Each case is a function of its seed alone: a group of 1 to 16 TBs, linked to
 * each other or themselves at random (so that there are loops of all kinds), in
 * 1 to 3 modules, under random emitter options.
 * Case i of --seed N is the same as case 0 of --seed N+i. Natively there is no
 * engine: TBs are interpreted and emitted, modules are not run. --mutations
 * damages bytecode: the verifier refuses it, or the emitter (and the engine)
 * takes it. Half of the cases call helpers of floating point, most of which
 * compiled code has to replace, see world-fp.h. --golden emits other groups,
 * which golden.h describes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../emit.h"
#include "../host.h"
#include "gen.h"
#include "golden.h"
#include "world-fp.h"

enum {
    MAX_GROUPS = 3,
    DEFAULT_CASES = 300,
    ENOUGH_FOR_COVERAGE = 100,
    ENOUGH_FOR_FP = 2000, /* to call each helper of floating point */
    EXTRA_PERCENT = 35,
    FP_ROUNDS = 24,
};

typedef struct Case {
    uint64_t seed;
    Rng rng;
    unsigned ntbs;
    TwTbRef refs[WORLD_MAX_TBS];
    unsigned ngroups;
    unsigned group_start[MAX_GROUPS + 1];
    TwEmitOptions options;
    bool fp; /* with calls of helpers of floating point */
} Case;

typedef struct Outcome {
    World world;
    uintptr_t value;
    uint32_t counts[WORLD_MAX_TBS]; /* tier1_count, or what it should be */
} Outcome;

static TwTarget target;
static uint32_t table_base;
static Outcome interpreted, compiled;
static World initial;
static uint64_t modules_run, hints;
/*
 * By helper of floating point: calls by tier 0 whose result fp.h promises, and
 * those of them that compiled code has made as well.
 */
static uint64_t fp_certain[WORLD_MAX_FP], fp_called[WORLD_MAX_FP];

static const char *const counts_names[] = { "off", "sampled", "exact" };

static uint32_t address(const void *p)
{
    return (uint32_t)(uintptr_t)p;
}

static TwHeader *header_of(unsigned i)
{
    return (TwHeader *)gen_tbs[i].code;
}

static void print_tb(unsigned i)
{
    const GenTb *tb = &gen_tbs[i];
    char line[160];

    fprintf(stderr, "tb %u at 0x%" PRIx32 "\n", i, address(tb->code));
    for (uint32_t at = 0; at < tb->nwords;) {
        unsigned words =
            tw_disas_insn(tb->code, at, tb->nwords, line, sizeof(line));

        fprintf(stderr, "  %04" PRIu32 "  %s\n", at, line);
        at += words;
    }
}

static void fail(const Case *c, const char *what)
{
    for (unsigned i = 0; i < c->ntbs; i++) {
        print_tb(i);
        fprintf(stderr, "  succ 0x%" PRIx32 " 0x%" PRIx32 ", fn %" PRIu32 "\n",
                c->refs[i].succ[0], c->refs[i].succ[1], header_of(i)->fn);
    }
    fprintf(stderr,
            "options: %s, %s, counts %s, fp %s, lookups %s, "
            "%u group%s\n",
            c->options.shape == TW_SHAPE_REGIONS ? "regions" : "functions",
            c->options.chaining == TW_CHAIN_TAIL ? "tail" : "dispatch",
            counts_names[c->options.counts], target.fp.n ? "inline" : "called",
            c->options.keeps_pages ? "shared" : "own", c->ngroups,
            c->ngroups > 1 ? "s" : "");
    fprintf(stderr, "difftest: %s; reproduce with --seed %" PRIu64 " --tbs 1\n",
            what, c->seed);
    exit(1);
}

/*
 * Making a case.
 */

/*
 * Exit @n of @tb may be changed: to @to, as at the start; to no TB; to any TB.
 */
static void add_link(Case *c, GenTb *tb, unsigned n, uintptr_t to)
{
    unsigned other = rng_below(&c->rng, c->ntbs);
    uint64_t *word = &tb->code[tb->target[n]];

    world_links[world_nlinks++] = (WorldLink){
        .word = word,
        .choices = { to, (uintptr_t)(word + 1),
                     (uintptr_t)gen_tbs[other].code },
    };
}

static void link_tbs(Case *c)
{
    world_nlinks = 0;
    for (unsigned i = 0; i < c->ntbs; i++) {
        GenTb *tb = &gen_tbs[i];

        for (unsigned n = 0; n < 2; n++) {
            uintptr_t to = (uintptr_t)&tb->code[tb->target[n] + 1];

            if (rng_percent(&c->rng, 25)) {
                to = (uintptr_t)tb->code;
            } else if (rng_percent(&c->rng, 65)) {
                to = (uintptr_t)gen_tbs[rng_below(&c->rng, c->ntbs)].code;
            }
            if (tb->target[n]) {
                add_link(c, tb, n, to);
            }
            /* The hint: mostly true, sometimes nothing, sometimes stale. */
            if (rng_percent(&c->rng, 75)) {
                c->refs[i].succ[n] = address((void *)to);
            } else if (rng_percent(&c->rng, 50)) {
                c->refs[i].succ[n] =
                    address(gen_tbs[rng_below(&c->rng, c->ntbs)].code);
            }
        }
    }
    for (unsigned i = 0; i < WORLD_PTRS; i++) {
        unsigned to = rng_below(&c->rng, c->ntbs + 1);

        world.env.ptrs[i] = to < c->ntbs ? (uintptr_t)gen_tbs[to].code : 0;
    }
}

static void make_groups(Case *c)
{
    c->ngroups = 1 + rng_below(&c->rng, MAX_GROUPS);
    for (unsigned i = 1; i < c->ngroups; i++) {
        c->group_start[i] =
            c->group_start[i - 1] +
            rng_below(&c->rng, c->ntbs - c->group_start[i - 1] + 1);
    }
    c->group_start[c->ngroups] = c->ntbs;
}

static void make_case(Case *c, uint64_t seed)
{
    uint32_t items;
    TwEmitOptions *options = &c->options;

    *c = (Case){ .seed = seed, .rng = { seed } };
    c->ntbs = 1 + rng_below(&c->rng, WORLD_MAX_TBS);
    world_init(&c->rng);
    items = rng_percent(&c->rng, 50) ? 12 : 65;
    c->fp = rng_percent(&c->rng, 50);
    for (unsigned i = 0; i < c->ntbs; i++) {
        gen_tb(&c->rng, i, rng_below(&c->rng, items),
               c->fp ? EXTRA_PERCENT : 0);
        c->refs[i] = (TwTbRef){
            .code = gen_tbs[i].code,
            .nwords = gen_tbs[i].nwords,
            .addr = address(gen_tbs[i].code),
        };
    }
    link_tbs(c);
    make_groups(c);
    options->target = &target;
    options->chaining =
        rng_below(&c->rng, 2) ? TW_CHAIN_TAIL : TW_CHAIN_DISPATCH;
    options->counts = (TwCounts)rng_below(&c->rng, 3);
    options->sample_period = 1 + rng_below(&c->rng, 5);
    options->shape =
        rng_percent(&c->rng, 70) ? TW_SHAPE_REGIONS : TW_SHAPE_FUNCTIONS;
    options->keeps_pages = world_shares_lookups = rng_percent(&c->rng, 30);
    world.frame.sample_left = 1 + rng_below(&c->rng, 5);
    world_sample_period =
        options->counts == TW_COUNTS_SAMPLED ? options->sample_period : 0;
    target.globals = world_globals;
    target.nglobals = rng_percent(&c->rng, 90) ? world_nglobals : 0;
    target.fp = rng_percent(&c->rng, 90) ? world_fp_list() : (TwFpHelpers){ 0 };
    target.jump_cache = rng_percent(&c->rng, 80) ? &world_jump_cache : NULL;
    for (unsigned i = 0; i < c->ntbs; i++) {
        bool installed = table_base && rng_percent(&c->rng, 80);

        header_of(i)->fn = installed ? table_base + i : 0;
    }
}

/*
 * Running it.
 */

static TwTbFn run_compiled;

static uintptr_t run_compiled(void *env, TwFrame *frame, TwHeader *code)
{
    uintptr_t value;

    for (;;) {
        value = tw_host_fn(table_base + code->id)(env, frame, code);
        if (!(value & TW_CHAIN)) {
            return value;
        }
        code = (TwHeader *)(value & ~TW_CHAIN);
    }
}

/*
 * What tier 1 has to count for TB @i, as the run in tier 0 just before has
 * shown.
 */
static uint32_t expected_count(const Case *c, unsigned i)
{
    switch (c->options.counts) {
    case TW_COUNTS_SAMPLED:
        return world_sampled[i];
    case TW_COUNTS_EXACT:
        return world_executed[i];
    default:
        return 0;
    }
}

static void count_fp(TwTbFn *how)
{
    for (unsigned i = 0; i < world_nb_fp_helpers(); i++) {
        if (how == world_interpret) {
            fp_certain[i] += world_fp_certain[i];
        } else {
            fp_called[i] += world_fp_certain[i];
        }
    }
}

static void run(const Case *c, TwTbFn *how, Outcome *outcome)
{
    world = initial;
    memset(world_fp_certain, 0, sizeof(world_fp_certain));
    world_forget_jumps();
    for (unsigned i = 0; i < world_nlinks; i++) {
        *world_links[i].word = world_links[i].choices[0];
    }
    for (unsigned i = 0; i < c->ntbs; i++) {
        header_of(i)->countdown = 1;
        header_of(i)->tier1_count = 0;
        world_executed[i] = 0;
        world_sampled[i] = 0;
    }
    if (setjmp(world_leave)) {
        outcome->value = 0;
    } else {
        outcome->value = how(&world.env, &world.frame, header_of(0));
    }
    count_fp(how);
    /*
     * compiled code stores it less often, so it is not compared
     */
    world.frame.ret_pc = 0;
    outcome->world = world;
    for (unsigned i = 0; i < c->ntbs; i++) {
        outcome->counts[i] = how == world_interpret ? expected_count(c, i)
                                                    : header_of(i)->tier1_count;
    }
}

static void compare(const Case *c)
{
    char what[160];
    size_t ofs;
    const char *part =
        world_difference(&interpreted.world, &compiled.world, &ofs);

    if (interpreted.value != compiled.value) {
        snprintf(what, sizeof(what),
                 "left with 0x%" PRIxPTR ", interpreter "
                 "with 0x%" PRIxPTR,
                 compiled.value, interpreted.value);
        fail(c, what);
    }
    if (part) {
        snprintf(what, sizeof(what), "%s differs at byte %zu", part, ofs);
        fail(c, what);
    }
    for (unsigned i = 0; i < c->ntbs; i++) {
        if (compiled.counts[i] != interpreted.counts[i]) {
            snprintf(what, sizeof(what),
                     "tb %u: tier1_count %" PRIu32 ", not %" PRIu32, i,
                     compiled.counts[i], interpreted.counts[i]);
            fail(c, what);
        }
    }
}

static void dump(const char *path, const TwBuf *module)
{
    FILE *f = fopen(path, "wb");

    if (!f || fwrite(module->data, 1, module->len, f) != module->len ||
        fclose(f)) {
        fprintf(stderr, "difftest: cannot write %s\n", path);
        exit(3);
    }
}

static void emit_group(Case *c, unsigned group, TwBuf *out)
{
    unsigned first = c->group_start[group];
    unsigned n = c->group_start[group + 1] - first;
    TwRefusal why;

    out->len = 0;
    c->options.table_base = table_base + first;
    why = tw_emit_module(&c->options, &c->refs[first], n, out);
    if (why != TW_REFUSED_NONE) {
        fail(c, tw_refusal_key(why));
    }
}

/* Difficult numbers are rare; to run code again costs less than new code. */
static void run_with_other_numbers(Case *c)
{
    for (int i = 0; i < FP_ROUNDS; i++) {
        world = initial;
        world_fp_init(&c->rng);
        initial = world;
        run(c, world_interpret, &interpreted);
        run(c, run_compiled, &compiled);
        compare(c);
    }
}

static void run_case(Case *c, const char *dump_path)
{
    static TwBuf module;
    char why[100];

    for (unsigned i = 0; i < c->ntbs; i++) {
        if (!tw_verify(gen_tbs[i].code, gen_tbs[i].nwords, why, sizeof(why))) {
            fail(c, why);
        }
    }
    initial = world;
    run(c, world_interpret, &interpreted);
    for (unsigned group = 0; group < c->ngroups; group++) {
        emit_group(c, group, &module);
        if (dump_path) {
            dump(dump_path, &module);
        }
        if (table_base) {
            if (!tw_host_install(module.data, (uint32_t)module.len)) {
                fail(c, "the engine refused the module");
            }
            modules_run++;
        }
    }
    if (table_base) {
        run(c, run_compiled, &compiled);
        compare(c);
        if (c->fp) {
            run_with_other_numbers(c);
        }
    }
}

/*
 * Damage.
 */

static void damage(Rng *rng, uint64_t *code, uint32_t nwords)
{
    for (unsigned i = 1 + rng_below(rng, 3); i > 0; i--) {
        uint64_t *word = &code[rng_below(rng, nwords)];

        switch (rng_below(rng, 4)) {
        case 0:
            *word ^= UINT64_C(1) << rng_below(rng, 64);
            break;
        case 1:
            *word = (*word & ~UINT64_C(0xff)) | rng_below(rng, TW_NB_CODES + 4);
            break;
        case 2:
            *word = code[rng_below(rng, nwords)];
            break;
        default:
            *word = rng_next(rng);
            break;
        }
    }
}

static void disassemble_all(const uint64_t *code, uint32_t nwords)
{
    char line[100];

    for (uint32_t at = 0; at < nwords; at++) {
        tw_disas_insn(code, at, nwords, line, sizeof(line));
    }
}

/*
 * Damage a copy of a TB of the case; returns 1 if the verifier accepts it, else
 * 0.
 */
static unsigned mutate(Case *c, const char *dump_path)
{
    static TwBuf module;
    unsigned i = rng_below(&c->rng, c->ntbs);
    uint32_t nwords = gen_tbs[i].nwords;
    /*
     * of its exact size, for ASan
     */
    uint64_t *code = malloc(nwords * sizeof(code[0]));
    TwTbRef ref = c->refs[i];
    char why[100] = "";
    bool valid;
    TwRefusal refusal;

    if (!code) {
        fail(c, "out of memory");
    }
    memcpy(code, gen_tbs[i].code, nwords * sizeof(code[0]));
    damage(&c->rng, code, nwords);
    if (rng_percent(&c->rng, 10)) {
        nwords = rng_below(&c->rng, nwords + 1);
    }
    ref.code = code;
    ref.nwords = nwords;
    disassemble_all(code, nwords);
    valid = tw_verify(code, nwords, why, sizeof(why));
    module.len = 0;
    c->options.table_base = table_base;
    refusal = tw_emit_module(&c->options, &ref, 1, &module);
    if (dump_path && refusal == TW_REFUSED_NONE) {
        dump(dump_path, &module);
    }
    if (!valid && (refusal != TW_REFUSED_BAD_BYTECODE || !why[0])) {
        fail(c, "mutation: refused without a reason, or emitted");
    }
    if (valid && refusal == TW_REFUSED_NONE && table_base &&
        !tw_host_install(module.data, (uint32_t)module.len)) {
        fail(c, "mutation: verified, but the engine refused the module");
    }
    free(code);
    return valid;
}

/* Count LOOKUPs in which tier 0 left the hint where they led. */
static void count_hints(const Case *c)
{
    for (unsigned i = 0; i < c->ntbs; i++) {
        const GenTb *tb = &gen_tbs[i];

        for (uint32_t at = 0; at < tb->nwords;) {
            TwInsn insn = tw_insn_at(tb->code, at);

            hints += insn.op == TW_OP_LOOKUP && insn.imm != 0;
            at += tw_op_words(insn.op);
        }
    }
}

/*
 * Is each helper of floating point called where fp.h promises its result, and
 * does its fast path take the place of most of these calls? Some TBs are
 * interpreted, and some emitted without fast paths.
 */
static bool check_fp_coverage(void)
{
    uint64_t certain = 0, called = 0;
    bool ok = true;

    for (unsigned i = 0; i < world_nb_fp_helpers(); i++) {
        if (fp_certain[i] == 0 ||
            (table_base && fp_called[i] == fp_certain[i])) {
            fprintf(stderr, "difftest: the fast path of %s was never taken\n",
                    world_fp_helpers[i].name);
            ok = false;
        }
        certain += fp_certain[i];
        called += fp_called[i];
    }
    if (table_base && called > certain / 2) {
        fprintf(stderr,
                "difftest: fast paths of floating point take the place of few "
                "calls: %" PRIu64 " of %" PRIu64 "\n",
                certain - called, certain);
        ok = false;
    }
    return ok;
}

static void check_coverage(uint64_t cases)
{
    bool ok = cases < ENOUGH_FOR_FP || check_fp_coverage();

    if (hints == 0) {
        fprintf(stderr, "difftest: tier 0 never left a hint in a lookup\n");
        ok = false;
    }

    for (int i = 0; i < TW_NB_VEC_OPS * 4; i++) {
        if (tw_vec_kind_has_size((TwVecKind)tw_vec_kinds[i / 4], i % 4) &&
            gen_vec_coverage[i / 4][i % 4] == 0) {
            fprintf(stderr, "difftest: v%d.%s was never generated\n",
                    8 << i % 4, tw_vec_names[i / 4]);
            ok = false;
        }
    }
    for (int i = 0; i < TW_NB_VEC_LOADS; i++) {
        if (gen_vld_coverage[i] == 0) {
            fprintf(stderr, "difftest: vld %d was never generated\n", i);
            ok = false;
        }
    }
    for (int op = 0; op < TW_NB_CODES; op++) {
        if (gen_coverage[op] == 0) {
            fprintf(stderr, "difftest: %s (code %d) was never generated\n",
                    tw_op_name(op), op);
            ok = false;
        }
    }
    if (!ok) {
        exit(1);
    }
}

static void init_target(void)
{
    target = (TwTarget){
        .tlb_desc_ofs = WORLD_TLB_OFS,
        .page_bits = WORLD_PAGE_BITS,
        .fn_ld = { tw_host_index(world_ld8), tw_host_index(world_ld16),
                   tw_host_index(world_ld32), tw_host_index(world_ld64) },
        .fn_st = { tw_host_index(world_st8), tw_host_index(world_st16),
                   tw_host_index(world_st32), tw_host_index(world_st64) },
    };
    tw_host_memory_limits(&target.mem_min_pages, &target.mem_max_pages);
    table_base = tw_host_reserve(WORLD_MAX_TBS, world_interpret);
}

static bool number(const char *text, uint64_t *value)
{
    char *end;

    *value = text ? strtoull(text, &end, 0) : 0;
    return text && *text && !*end;
}

static int usage(void)
{
    fprintf(stderr, "usage: difftest [--seed N] [--tbs N] [--mutations N] "
                    "[--dump FILE]\n"
                    "       difftest --golden check|print [--tbs N]\n");
    return 2;
}

typedef struct Arguments {
    uint64_t seed, tbs, mutations;
    const char *dump_path;
    const char *golden;
} Arguments;

static bool parse(int argc, char **argv, Arguments *args)
{
    for (int i = 1; i < argc; i += 2) {
        const char *value = argv[i + 1];

        if (!strcmp(argv[i], "--dump") && value) {
            args->dump_path = value;
        } else if (!strcmp(argv[i], "--golden") && value) {
            args->golden = value;
        } else if (!(!strcmp(argv[i], "--seed") &&
                     number(value, &args->seed)) &&
                   !(!strcmp(argv[i], "--tbs") && number(value, &args->tbs)) &&
                   !(!strcmp(argv[i], "--mutations") &&
                     number(value, &args->mutations))) {
            return false;
        }
    }
    return true;
}

static int golden(const char *how, uint64_t seeds)
{
    if (!strcmp(how, "check")) {
        return golden_check() ? 0 : 1;
    }
    if (!strcmp(how, "print")) {
        golden_print(seeds);
        return 0;
    }
    return usage();
}

int main(int argc, char **argv)
{
    Arguments args = { .seed = 1 };
    uint64_t taken = 0;
    static Case c;

    if (!parse(argc, argv, &args)) {
        return usage();
    }
    if (args.golden) {
        return golden(args.golden, args.tbs);
    }
    args.tbs = args.tbs ? args.tbs : DEFAULT_CASES;
    init_target();
    for (uint64_t i = 0; i < args.tbs; i++) {
        make_case(&c, args.seed + i);
        run_case(&c, args.dump_path);
        count_hints(&c);
        for (uint64_t m = 0; m < args.mutations; m++) {
            taken += mutate(&c, args.dump_path);
        }
    }
    if (args.tbs >= ENOUGH_FOR_COVERAGE) {
        check_coverage(args.tbs);
    }
    printf("%" PRIu64 " cases, %" PRIu64 " modules run, %" PRIu64
           " mutations, of which %" PRIu64 " verified\n",
           args.tbs, modules_run, args.tbs * args.mutations, taken);
    return 0;
}
