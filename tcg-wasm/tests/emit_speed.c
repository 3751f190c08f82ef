/*
 * How fast is the emitter? Prints MB of bytecode per second and the ratio of
 * Wasm to bytecode, for random TBs alone and in groups, as functions and as
 * regions. Each TB is chained to the next and to a random one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <time.h>

#include "../emit.h"
#include "gen.h"

enum { NB_TBS = WORLD_MAX_TBS, ITEMS = 12, ROUNDS = 10000 };

static double seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void measure(const TwTbRef *refs, size_t group, TwShape shape)
{
    const TwTarget target = {
        .tlb_desc_ofs = WORLD_TLB_OFS,
        .page_bits = WORLD_PAGE_BITS,
        .mem_max_pages = 65536,
        .globals = world_globals,
        .nglobals = world_nglobals,
    };
    const TwEmitOptions options = { .target = &target, .shape = shape };
    uint64_t bytes_in = 0, bytes_out = 0;
    TwBuf out = { 0 };
    double start = seconds(), took;

    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < NB_TBS; i += group) {
            out.len = 0;
            if (tw_emit_module(&options, &refs[i], group, &out)) {
                fprintf(stderr, "emit_speed: refused\n");
                break;
            }
            bytes_out += out.len;
            for (size_t j = i; j < i + group; j++) {
                bytes_in += refs[j].nwords * sizeof(uint64_t);
            }
        }
    }
    took = seconds() - start;
    printf("groups of %2zu, %s: %.1f MB/s of bytecode, %.2f us a TB, "
           "%.2f bytes of Wasm per byte\n",
           group, shape == TW_SHAPE_REGIONS ? "regions" : "functions",
           (double)bytes_in / took * 1e-6,
           took / ((double)ROUNDS * NB_TBS) * 1e6,
           (double)bytes_out / (double)bytes_in);
    tw_buf_free(&out);
}

int main(void)
{
    Rng rng = { 1 };
    TwTbRef refs[NB_TBS];
    unsigned words = 0;

    world_init(&rng);
    for (unsigned i = 0; i < NB_TBS; i++) {
        gen_tb(&rng, i, ITEMS, 0);
        refs[i] = (TwTbRef){
            .code = gen_tbs[i].code,
            .nwords = gen_tbs[i].nwords,
            .addr = 0x100000 + i * sizeof(gen_tbs[0]),
        };
        words += gen_tbs[i].nwords;
    }
    printf("%d TBs of %u words on average\n", NB_TBS, words / NB_TBS);
    for (unsigned i = 0; i < NB_TBS; i++) {
        refs[i].succ[0] = refs[(i + 1) % NB_TBS].addr;
        refs[i].succ[1] = refs[rng_below(&rng, NB_TBS)].addr;
    }
    measure(refs, 1, TW_SHAPE_FUNCTIONS);
    measure(refs, NB_TBS, TW_SHAPE_FUNCTIONS);
    measure(refs, NB_TBS, TW_SHAPE_REGIONS);
    return 0;
}
