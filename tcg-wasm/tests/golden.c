/*
 * A group is a function of its seed alone, on every host: what the generator
 * takes from the host (addresses, the width of pointers) is replaced by fixed
 * values, and modules are made for a machine that does not exist. They are
 * compared, not run.
 *
 * A digest is FNV-1a with 64 bits: h = offset basis; for each byte b,
 * h = (h ^ b) * prime. It goes over the modules of all groups, one behind the
 * other, each after a byte that is the emitter's refusal (0: none).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "golden.h"

#include <inttypes.h>
#include <stdio.h>

#include "gen.h"
#include "world-fp.h"

enum {
    SEEDS = 48,
    TB_ADDR = 0x100000, /* of the first TB; the next are TB_SIZE apart */
    TB_SIZE = GEN_MAX_WORDS * 8,
    HELPER_FN = 2000, /* table index of the first helper */
    FP_FN = 2100, /* and of the first one of floating point */
    EXTRA_PERCENT = 30,
    LOOKUP_FN = 1999,
    VALID_AT = 0x8000,
};

#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

typedef struct Golden {
    const char *name;
    TwShape shape;
    TwChaining chaining;
    TwCounts counts;
    bool names;
    bool no_globals;
    bool no_jump_cache;
    bool pages; /* accesses share TLB lookups */
    bool fp; /* of groups with floating point and accesses near each other */
    uint64_t bytes;
    uint64_t digest;
} Golden;

typedef struct Group {
    Rng rng;
    unsigned ntbs;
    TwTbRef refs[WORLD_MAX_TBS];
} Group;

/* clang-format off */
#define FUNCTIONS .shape = TW_SHAPE_FUNCTIONS
#define REGIONS .shape = TW_SHAPE_REGIONS
#define DISPATCH .chaining = TW_CHAIN_DISPATCH
#define TAIL .chaining = TW_CHAIN_TAIL
#define SAMPLED .counts = TW_COUNTS_SAMPLED
#define EXACT .counts = TW_COUNTS_EXACT

static const Golden golden[] = {
    { "functions, dispatch", FUNCTIONS, DISPATCH,
      .bytes = 931999, .digest = UINT64_C(0x54676a6f71ce52e9) },
    { "functions, dispatch, sampled", FUNCTIONS, DISPATCH, SAMPLED,
      .bytes = 954600, .digest = UINT64_C(0x049f9f37c724a6c4) },
    { "functions, dispatch, exact", FUNCTIONS, DISPATCH, EXACT,
      .bytes = 940758, .digest = UINT64_C(0x1fe76121fbeecd89) },
    { "functions, tail", FUNCTIONS, TAIL,
      .bytes = 949975, .digest = UINT64_C(0xe57c06e173d83599) },
    { "functions, tail, sampled", FUNCTIONS, TAIL, SAMPLED,
      .bytes = 972576, .digest = UINT64_C(0x0f2ea844873c4d00) },
    { "functions, tail, exact", FUNCTIONS, TAIL, EXACT,
      .bytes = 958734, .digest = UINT64_C(0xffb7e9a2be3baa10) },
    { "functions, names", FUNCTIONS, TAIL, .names = true,
      .bytes = 960486, .digest = UINT64_C(0xa6b18bc509a38efa) },
    { "functions, no jump cache", FUNCTIONS, TAIL, .no_jump_cache = true,
      .bytes = 935652, .digest = UINT64_C(0x26609c6e791acdea) },
    { "functions, floating point", FUNCTIONS, TAIL, .fp = true,
      .bytes = 3050431, .digest = UINT64_C(0xc08ae250c3e26e5a) },
    { "functions, shared lookups", FUNCTIONS, TAIL, .fp = true, .pages = true,
      .bytes = 3016367, .digest = UINT64_C(0x35b051b6b0f848c0) },
    { "regions, dispatch", REGIONS, DISPATCH,
      .bytes = 2078569, .digest = UINT64_C(0xc8e89a6f287dcba3) },
    { "regions, dispatch, sampled", REGIONS, DISPATCH, SAMPLED,
      .bytes = 2116997, .digest = UINT64_C(0x5986cebc0f421d1b) },
    { "regions, dispatch, exact", REGIONS, DISPATCH, EXACT,
      .bytes = 2093465, .digest = UINT64_C(0xbeeb8cc3a02ae779) },
    { "regions, tail", REGIONS, TAIL,
      .bytes = 2109166, .digest = UINT64_C(0xe2374b033f7784cc) },
    { "regions, tail, sampled", REGIONS, TAIL, SAMPLED,
      .bytes = 2147594, .digest = UINT64_C(0xe4f48c97f2acd374) },
    { "regions, tail, exact", REGIONS, TAIL, EXACT,
      .bytes = 2124062, .digest = UINT64_C(0x635ad4454b963f2b) },
    { "regions, names", REGIONS, TAIL, .names = true,
      .bytes = 2120289, .digest = UINT64_C(0x7cf2544b01427a8f) },
    { "regions, no globals", REGIONS, TAIL, .no_globals = true,
      .bytes = 1735767, .digest = UINT64_C(0x0a2a65330e226643) },
    { "regions, no jump cache", REGIONS, TAIL, .no_jump_cache = true,
      .bytes = 1848863, .digest = UINT64_C(0xc472d72855c3e201) },
    { "regions, floating point", REGIONS, TAIL, .fp = true,
      .bytes = 5757702, .digest = UINT64_C(0x03957d53ae68cdd6) },
    { "regions, shared lookups", REGIONS, TAIL, .fp = true, .pages = true,
      .bytes = 5700038, .digest = UINT64_C(0x5b9931e6e5a13bbf) },
};
/* clang-format on */

enum { NB_GOLDEN = sizeof(golden) / sizeof(golden[0]) };

static bool expect(uint64_t own, uint32_t header, TwExpected *expected)
{
    uint32_t index = (header - TB_ADDR) / TB_SIZE;

    *expected = (TwExpected){
        .tag = header,
        .valid_at = VALID_AT + 4 * index,
        .valid = 77,
    };
    return (own + index) % 8 != 0;
}

static const TwJumpCache jump_cache = {
    .ptr = -96,
    .entries = 8,
    .entry_bits = 4,
    .tag = 0,
    .pc = 8,
    .env_pc = 8 * WORLD_PC,
    .busy = 248,
    .expect = expect,
};

/*
 * Making a group.
 */

static uint32_t tb_addr(unsigned i)
{
    return TB_ADDR + i * TB_SIZE;
}

static uint32_t random_addr(Group *group)
{
    return tb_addr(rng_below(&group->rng, group->ntbs));
}

static void set_imm(uint64_t *word, uint32_t imm)
{
    *word = (*word & UINT32_MAX) | (uint64_t)imm << 32;
}

static bool fix_fp_call(uint64_t *words)
{
    for (unsigned i = 0; i < world_nb_fp_helpers(); i++) {
        const WorldFpHelper *helper = &world_fp_helpers[i];

        if (words[1] == helper->helper.fn) {
            set_imm(words, world_fp_sig(helper, false));
            words[1] = FP_FN + i;
            return true;
        }
    }
    return false;
}

/* world_fp_helpers with the numbers that fix_fp_call() gives them. */
static TwFpHelpers fp_helpers(void)
{
    static TwFpHelper list[WORLD_MAX_FP];
    unsigned n = world_nb_fp_helpers();

    for (unsigned i = 0; i < n; i++) {
        list[i] = world_fp_helpers[i].helper;
        list[i].fn = FP_FN + i;
    }
    return (TwFpHelpers){ list, n };
}

/* Call a helper by its number, and with the signature of a 32-bit host. */
static void fix_call(uint64_t *words)
{
    if (fix_fp_call(words)) {
        return;
    }
    for (unsigned i = 0; i < world_nb_helpers(); i++) {
        const WorldHelper *helper = &world_helpers[i];
        bool quiet = helper->quiet && words[1] == helper->quiet;

        if (words[1] == helper->fn || quiet) {
            if (helper->takes_env) {
                set_imm(words, helper->sig & ~(TwSig)(1 << 6));
            }
            words[1] = HELPER_FN + 2 * i + quiet;
            return;
        }
    }
    words[1] = HELPER_FN - 1; /* the one that does not return */
}

/* Replace what is the host's, and leave hints as tier 0 does. */
static void fix_code(Group *group, GenTb *tb)
{
    for (uint32_t at = 0; at < tb->nwords;) {
        TwInsn insn = tw_insn_at(tb->code, at);
        uint64_t *words = &tb->code[at];

        if (insn.op == TW_OP_CALL) {
            fix_call(words);
        } else if (insn.op == TW_OP_LOOKUP) {
            words[1] = LOOKUP_FN;
        }
        if ((insn.op == TW_OP_LOOKUP || insn.op == TW_OP_GOTO_PTR) &&
            rng_percent(&group->rng, 80)) {
            set_imm(words, random_addr(group));
        }
        at += tw_op_words(insn.op);
    }
}

/* Where an exit leads: to the TB itself, to any, to none of the group. */
static uint32_t successor(Group *group, unsigned i)
{
    if (rng_percent(&group->rng, 20)) {
        return tb_addr(i);
    }
    return rng_percent(&group->rng, 85) ? random_addr(group) : 0x4000;
}

static void make_group(Group *group, uint64_t seed, unsigned extra_percent)
{
    /* Up to so many items a TB: short ones, as guests have, to the longest. */
    static const uint32_t items[] = { 12, 12, 65, 400 };

    *group = (Group){ .rng = { seed } };
    group->ntbs = 1 + rng_below(&group->rng, WORLD_MAX_TBS);
    world_init(&group->rng);
    for (unsigned i = 0; i < group->ntbs; i++) {
        GenTb *tb = &gen_tbs[i];
        TwTbRef *ref = &group->refs[i];

        gen_tb(&group->rng, i, rng_below(&group->rng, items[seed % 4]),
               extra_percent);
        fix_code(group, tb);
        *ref = (TwTbRef){
            .code = tb->code,
            .nwords = tb->nwords,
            .addr = tb_addr(i),
            .pc = rng_next(&group->rng),
        };
        ref->succ[0] = successor(group, i);
        ref->succ[1] = successor(group, i);
    }
}

/*
 * Digests.
 */

static uint64_t fnv1a(uint64_t hash, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        hash = (hash ^ bytes[i]) * FNV_PRIME;
    }
    return hash;
}

static void add_module(Golden *sum, const Group *group, TwBuf *out)
{
    const TwTarget target = {
        .tlb_desc_ofs = -88,
        .page_bits = WORLD_PAGE_BITS,
        .fn_ld = { 10, 11, 12, 13 },
        .fn_st = { 14, 15, 16, 17 },
        .globals = world_globals,
        .nglobals = sum->no_globals ? 0 : world_nglobals,
        .jump_cache = sum->no_jump_cache ? NULL : &jump_cache,
        .fp = sum->fp ? fp_helpers() : (TwFpHelpers){ 0 },
        .mem_min_pages = 1024,
        .mem_max_pages = 65536,
    };
    const TwEmitOptions options = {
        .target = &target,
        .table_base = 3000 + group->ntbs,
        .chaining = sum->chaining,
        .counts = sum->counts,
        .sample_period = 64,
        .shape = sum->shape,
        .names = sum->names,
        .keeps_pages = sum->pages,
    };
    uint8_t why;

    out->len = 0;
    why = (uint8_t)tw_emit_module(&options, group->refs, group->ntbs, out);
    sum->digest = fnv1a(sum->digest, &why, 1);
    sum->digest = fnv1a(sum->digest, out->data, out->len);
    sum->bytes += out->len;
}

/* Emit the groups of all seeds in each way; @sums has golden's order. */
static void sum_up(Golden *sums, uint64_t seeds)
{
    TwBuf out = { 0 };

    for (unsigned i = 0; i < NB_GOLDEN; i++) {
        sums[i] = golden[i];
        sums[i].bytes = 0;
        sums[i].digest = FNV_BASIS;
    }
    for (uint64_t seed = 0; seed < 2 * seeds; seed++) {
        static Group group;
        bool fp = seed % 2;

        make_group(&group, seed / 2, fp ? EXTRA_PERCENT : 0);
        for (unsigned i = 0; i < NB_GOLDEN; i++) {
            if (sums[i].fp == fp) {
                add_module(&sums[i], &group, &out);
            }
        }
    }
    tw_buf_free(&out);
}

bool golden_check(void)
{
    Golden sums[NB_GOLDEN];
    bool ok = true;

    sum_up(sums, SEEDS);
    for (unsigned i = 0; i < NB_GOLDEN; i++) {
        if (sums[i].bytes != golden[i].bytes ||
            sums[i].digest != golden[i].digest) {
            fprintf(stderr,
                    "golden: %s: %" PRIu64 " bytes, digest 0x%016" PRIx64
                    ", not %" PRIu64 ", 0x%016" PRIx64 "\n",
                    sums[i].name, sums[i].bytes, sums[i].digest,
                    golden[i].bytes, golden[i].digest);
            ok = false;
        }
    }
    return ok;
}

void golden_print(uint64_t seeds)
{
    Golden sums[NB_GOLDEN];

    sum_up(sums, seeds ? seeds : SEEDS);
    for (unsigned i = 0; i < NB_GOLDEN; i++) {
        printf("    /* %s */\n      .bytes = %" PRIu64
               ", .digest = UINT64_C(0x%016" PRIx64 ") },\n",
               sums[i].name, sums[i].bytes, sums[i].digest);
    }
}
