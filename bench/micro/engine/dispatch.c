/*
 * Steady state: a ring of N live TBs, run for a while, in which the engine's
 * own tiers are at work, then timed; interpreted, or compiled and chained in
 * one way or another. Counting of executions, off, sampled and exact, likewise.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <math.h>

#include "benches.h"
#include "host.h"
#include "modules.h"

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
    Mix *mix = modules_mix();
    InstallTimes t = { 0 };

    mix_link(mix, n);
    machine.frame.sample_left = 1;
    if (!layout->group) {
        return true;
    }
    if (!modules_install(layout, 0, n, modules_slots(), &t)) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        mix_header(mix, i)->fn = modules_slots() + i;
    }
    return true;
}

typedef struct Lap {
    double ns, cpu_ns;
} Lap;

static Lap time_laps(int32_t laps)
{
    double start = host_now_ns(), cpu_start = host_cpu_ns();

    machine_run(mix_header(modules_mix(), 0), laps);
    return (Lap){
        .ns = (host_now_ns() - start) / laps,
        .cpu_ns = (host_cpu_ns() - cpu_start) / laps,
    };
}

/*
 * Run for @warm_ns, until the engine's own tiers have optimised the code.
 * Returns how many laps take about @ns afterwards.
 */
static int32_t warm_up(double warm_ns, double ns)
{
    double start = host_now_ns(), least = time_laps(1).ns;
    int32_t laps = 1;

    while (host_now_ns() - start < warm_ns) {
        least = fmin(least, time_laps(laps).ns);
        laps = (int32_t)(ns / least) + 1;
    }
    return laps;
}

static bool run_mode(const Bench *bench, const Settings *settings,
                     unsigned repetition, Result *result, const char **why)
{
    static int32_t laps;
    const Mode *mode = bench->mode < NB_MODES
                           ? &modes[bench->mode]
                           : &counting[bench->mode - NB_MODES];
    Lap lap;

    if (repetition == 0) {
        if (!prepare(&mode->layout, bench->n)) {
            *why = "a module was refused";
            return false;
        }
        laps = settings->quick ? warm_up(400e6, 100e6) : warm_up(1500e6, 200e6);
    }
    lap = time_laps(laps);
    result->iterations = laps;
    result->ns = lap.ns;
    result->cpu_ns = lap.cpu_ns;
    result_add(result, "s_per_tb", lap.cpu_ns * 1e-9 / bench->n);
    return true;
}

void dispatch_benches(BenchList *list)
{
    for (uint32_t mode = 0; mode < NB_MODES; mode++) {
        for (uint32_t n = 16; n <= 16384; n *= n == 16 ? 16 : 8) {
            bench_add(list, (Bench){ .run = run_mode, .n = n, .mode = mode },
                      "node/dispatch/%s/live:%u", modes[mode].name, n);
        }
    }
    for (uint32_t i = 0; i < sizeof(counting) / sizeof(counting[0]); i++) {
        bench_add(
            list,
            (Bench){ .run = run_mode, .n = COUNTS_LIVE, .mode = NB_MODES + i },
            "node/counts/%s", counting[i].name);
    }
}
