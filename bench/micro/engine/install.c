/*
 * What new code costs: Module, Instance and the first call of each TB, in which
 * the engine compiles it; memory and mappings of code that lives.
 *
 * Every repetition takes other TBs or other slots, so that all modules differ:
 * the engine caches equal ones.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "benches.h"
#include "host.h"
#include "modules.h"
#include "tcg-wasm/host.h"

/* Call each TB once. They leave at once to the dispatcher. */
static double first_calls(uint32_t first, uint32_t n, uint32_t slot)
{
    Mix *mix = modules_mix();
    double start = host_now_ns();

    machine.env.fuel = INT32_MAX;
    for (uint32_t i = first; i < first + n; i++) {
        tw_host_fn(slot + i - first)(&machine.env, &machine.frame,
                                     mix_header(mix, i));
    }
    return host_now_ns() - start;
}

static void add_share(Result *result, const char *name, double ns, uint32_t n)
{
    result_add(result, name, ns * 1e-9 / n);
}

static bool run_install(const Bench *bench, const Settings *settings,
                        unsigned repetition, Result *result, const char **why)
{
    Layout layout = {
        .group = bench->n,
        .shape = (TwShape)bench->mode,
    };
    uint32_t n = settings->quick ? 512 : 1024;
    uint32_t first = repetition * n % modules_mix()->n;
    uint32_t slot = modules_slots() + repetition * n % MODULES_SLOTS;
    InstallTimes t = { 0 };
    double calls, cpu;

    if (repetition == 0) {
        mix_link(modules_mix(), modules_mix()->n);
    }
    cpu = host_cpu_ns();
    if (!modules_install(&layout, first, n, slot, &t)) {
        *why = "a module was refused";
        return false;
    }
    calls = first_calls(first, n, slot);
    cpu = host_cpu_ns() - cpu;
    result->cpu_ns = cpu / t.modules;
    result->iterations = t.modules;
    result->ns = (t.emit_ns + t.module_ns + t.instance_ns + calls) / t.modules;
    add_share(result, "s_per_tb",
              t.emit_ns + t.module_ns + t.instance_ns + calls, n);
    add_share(result, "cpu_s_per_tb", cpu, n);
    add_share(result, "s_per_emit_tb", t.emit_ns, n);
    add_share(result, "s_per_module_tb", t.module_ns, n);
    add_share(result, "s_per_instance_tb", t.instance_ns, n);
    add_share(result, "s_per_first_call_tb", calls, n);
    result_add(result, "wasm_bytes_per_tb", t.wasm_bytes / n);
    return true;
}

/* Each repetition installs more TBs beside those that are there. */
static bool run_memory(const Bench *bench, const Settings *settings,
                       unsigned repetition, Result *result, const char **why)
{
    Layout layout = { .group = bench->n };
    uint32_t n = settings->quick ? 2048 : 4096;
    uint32_t first = repetition * n % modules_mix()->n;
    uint32_t slot = modules_slots() + repetition * n % MODULES_SLOTS;
    HostMemory before = host_memory(), after;
    InstallTimes t = { 0 };

    if (!modules_install(&layout, first, n, slot, &t)) {
        *why = "a module was refused";
        return false;
    }
    first_calls(first, n, slot);
    after = host_memory();
    result->iterations = t.modules;
    result->ns = (t.module_ns + t.instance_ns) / t.modules;
    result_add(result, "bytes_per_tb",
               (after.rss_bytes - before.rss_bytes) / n);
    result_add(result, "maps_per_module",
               (after.maps - before.maps) / t.modules);
    result_add(result, "maps_per_tb", (after.maps - before.maps) / n);
    return true;
}

void install_benches(BenchList *list)
{
    for (uint32_t n = 1; n <= 512; n *= 2) {
        bench_add(list, (Bench){ .run = run_install, .n = n },
                  "node/install/functions/tbs:%u", n);
    }
    for (uint32_t n = 8; n <= 512; n *= 8) {
        bench_add(
            list,
            (Bench){ .run = run_install, .n = n, .mode = TW_SHAPE_REGIONS },
            "node/install/regions/tbs:%u", n);
    }
    for (uint32_t n = 1; n <= 512; n *= 8) {
        bench_add(list, (Bench){ .run = run_memory, .n = n },
                  "node/memory/tbs:%u", n);
    }
}
