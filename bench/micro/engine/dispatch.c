/*
 * Steady state: a ring of N live TBs, run until the engine has compiled what it
 * likes, then timed; interpreted, or compiled and chained in one way or another.
 * Counting of executions, off, sampled and exact, the same way.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bench.h"
#include "host.h"

typedef struct Mode {
    const char *name;
    Layout layout;
} Mode;

/* clang-format off */
static const Mode modes[] = {
    { "interp", { 0 } },
    { "dispatch", { .group = 1, .chaining = TW_CHAIN_DISPATCH } },
    { "tail", { .group = 1, .chaining = TW_CHAIN_TAIL } },
    { "direct", { .group = 64, .chaining = TW_CHAIN_TAIL } },
    { "region", { .group = 64, .chaining = TW_CHAIN_TAIL,
                  .shape = TW_SHAPE_REGIONS } },
};

static const Mode counting[] = {
    { "off", { .group = 64, .chaining = TW_CHAIN_TAIL } },
    { "sampled", { .group = 64, .chaining = TW_CHAIN_TAIL,
                   .counts = TW_COUNTS_SAMPLED } },
    { "exact", { .group = 64, .chaining = TW_CHAIN_TAIL,
                 .counts = TW_COUNTS_EXACT } },
};
/* clang-format on */

enum { NB_MODES = sizeof(modes) / sizeof(modes[0]), COUNTS_LIVE = 256 };

/* Make the ring of @n TBs run as @layout says. */
static bool prepare(const Layout *layout, uint32_t n)
{
    Mix *mix = bench_mix();
    InstallTimes t = { 0 };

    mix_link(mix, n);
    machine.frame.sample_left = 1;
    if (!layout->group) {
        return true;
    }
    if (!bench_install(layout, 0, n, bench_slots(), &t)) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        mix_header(mix, i)->fn = bench_slots() + i;
    }
    return true;
}

/* Time of @laps through the ring. */
static double time_laps(int32_t laps)
{
    double start = host_now_ns();

    machine_run(mix_header(bench_mix(), 0), laps);
    return host_now_ns() - start;
}

/* Laps that take about @ns. */
static int32_t laps_in(double ns)
{
    int32_t laps = 1;
    double took = time_laps(laps);

    while (took < ns / 4 && laps < 1 << 28) {
        laps *= 2;
        took = time_laps(laps);
    }
    return (int32_t)(laps * ns / took) + 1;
}

static bool run_mode(const Bench *bench, const Settings *settings,
                     unsigned repetition, Result *result, const char **why)
{
    static int32_t laps;
    const Mode *mode = bench->mode < NB_MODES ? &modes[bench->mode]
                                              : &counting[bench->mode - NB_MODES];
    double ms = settings->quick ? 20e6 : 100e6;

    if (repetition == 0) {
        if (!prepare(&mode->layout, bench->n)) {
            *why = "a module was refused";
            return false;
        }
        /* The engine's own tiers take their time. */
        for (int i = 0; i < 4; i++) {
            laps = laps_in(ms);
        }
    }
    result->iterations = laps;
    result->ns = time_laps(laps) / laps;
    result_add(result, "s_per_tb", result->ns * 1e-9 / bench->n);
    return true;
}

void dispatch_benches(void)
{
    for (uint32_t mode = 0; mode < NB_MODES; mode++) {
        for (uint32_t n = 16; n <= 16384; n *= n == 16 ? 16 : 8) {
            bench_add((Bench){ .run = run_mode, .n = n, .mode = mode },
                      "node/dispatch/%s/live:%u", modes[mode].name, n);
        }
    }
    for (uint32_t i = 0; i < sizeof(counting) / sizeof(counting[0]); i++) {
        bench_add((Bench){ .run = run_mode,
                           .n = COUNTS_LIVE,
                           .mode = NB_MODES + i },
                  "node/counts/%s", counting[i].name);
    }
}
