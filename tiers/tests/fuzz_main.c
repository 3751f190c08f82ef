/*
 * Drives a fuzz target where libFuzzer is not to be had: texts put together
 * from fragments of specs, then damaged. fuzz-spec RUNS SEED.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../rng.h"

static const char *const fragments[] = { "never",
                                         "always",
                                         "threshold",
                                         "sampled",
                                         ":",
                                         ",",
                                         "=",
                                         "n=",
                                         "p=",
                                         "seed=",
                                         "n=1000",
                                         "p=0.5",
                                         "seed=7",
                                         "0",
                                         "1",
                                         "9",
                                         "1000000000",
                                         "0.001",
                                         "1e-6",
                                         ".",
                                         "e",
                                         "batch",
                                         "page-heat",
                                         "profile",
                                         "tiered",
                                         "region",
                                         "priority",
                                         "cost-benefit",
                                         "queue-scaled",
                                         "template",
                                         "from=",
                                         "/a b.txt",
                                         "size=8",
                                         "by=page",
                                         "by=",
                                         "shape=regions",
                                         "share=0.5",
                                         "wait=7",
                                         "evict=clock",
                                         "evict=",
                                         "flush-all",
                                         "max-modules=9",
                                         "max-code=",
                                         "max-maps=",
                                         "max=3",
                                         "-",
                                         "+",
                                         "nan",
                                         "inf",
                                         "0x1",
                                         " ",
                                         "\n" };

enum { NB_FRAGMENTS = sizeof(fragments) / sizeof(fragments[0]) };

static uint32_t below(TierRng *rng, uint32_t n)
{
    return (uint32_t)(tier_rng_u64(rng) % n);
}

static size_t make_text(TierRng *rng, uint8_t *text, size_t size)
{
    size_t len = 0;

    for (uint32_t parts = below(rng, 10); parts > 0; parts--) {
        const char *part = fragments[below(rng, NB_FRAGMENTS)];

        if (len + strlen(part) > size) {
            break;
        }
        memcpy(text + len, part, strlen(part));
        len += strlen(part);
    }
    for (uint32_t damage = below(rng, 3); damage > 0 && len > 0; damage--) {
        text[below(rng, (uint32_t)len)] = (uint8_t)tier_rng_u64(rng);
    }
    return len;
}

int main(int argc, char **argv)
{
    uint8_t text[256];
    TierRng rng;

    if (argc != 3) {
        fprintf(stderr, "use: %s RUNS SEED\n", argv[0]);
        return 2;
    }
    tier_rng_seed(&rng, strtoull(argv[2], NULL, 10));
    for (long run = strtol(argv[1], NULL, 10); run > 0; run--) {
        LLVMFuzzerTestOneInput(text, make_text(&rng, text, sizeof(text)));
    }
    return 0;
}
