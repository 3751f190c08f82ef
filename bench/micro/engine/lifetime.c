/*
 * Code that comes and goes: does a large table make instances dearer, and is
 * memory given back when slots are overwritten, in a thread that never returns
 * to its event loop?
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "benches.h"
#include "host.h"
#include "modules.h"
#include "tcg-wasm/host.h"

enum {
    RING = 1000,                /* slots that are overwritten in turn */
    CHURN_STEPS = 10,
};

/* Modules of one TB into slots of a table of its own. */
static bool run_table(const Bench *bench, const Settings *settings,
                      unsigned repetition, Result *result, const char **why)
{
    Layout layout = { .group = bench->mode };
    uint32_t n = settings->quick ? 512 : 1024;
    uint32_t first = repetition * n % modules_mix()->n;
    InstallTimes t = { 0 };

    if (repetition == 0) {
        double start = host_now_ns();

        if (!host_own_table(bench->n, machine_interpret)) {
            *why = "the table cannot be that large";
            return false;
        }
        result_add(result, "s_per_fill", (host_now_ns() - start) * 1e-9);
    }
    if (!modules_install(&layout, first, n, 0, &t)) {
        *why = "a module was refused";
        return false;
    }
    result->iterations = t.modules;
    result->ns = (t.module_ns + t.instance_ns) / t.modules;
    result_add(result, "s_per_module", t.module_ns * 1e-9 / t.modules);
    result_add(result, "s_per_instance", t.instance_ns * 1e-9 / t.modules);
    return true;
}

/*
 * Replace modules of one TB, @count of them, in a ring of slots. The bytes of
 * all differ: a TB comes again only after others, for another slot.
 */
static bool churn(uint32_t count, InstallTimes *t)
{
    static uint32_t done;
    const Layout layout = { .group = 1 };
    Mix *mix = modules_mix();

    for (uint32_t i = 0; i < count; i++, done++) {
        uint32_t slot = modules_slots() + done % RING;

        if (!modules_install(&layout, done % mix->n, 1, slot, t)) {
            return false;
        }
        machine.env.fuel = INT32_MAX;
        tw_host_fn(slot)(&machine.env, &machine.frame,
                         mix_header(mix, done % mix->n));
    }
    return true;
}

/* A repetition is a step: rows of one process show memory over time. */
static bool run_churn(const Bench *bench, const Settings *settings,
                      unsigned repetition, Result *result, const char **why)
{
    uint32_t count = bench->n / (settings->quick ? 10 : 1) / CHURN_STEPS;
    InstallTimes t = { 0 };
    HostMemory memory;

    if (repetition == 0) {
        mix_link(modules_mix(), modules_mix()->n);
    }
    if (!churn(count, &t)) {
        *why = "a module was refused";
        return false;
    }
    memory = host_memory();
    result->iterations = count;
    result->ns = (t.module_ns + t.instance_ns) / count;
    result_add(result, "modules", (repetition + 1.0) * count);
    result_add(result, "rss_bytes", memory.rss_bytes);
    result_add(result, "maps", memory.maps);
    return true;
}

void lifetime_benches(BenchList *list)
{
    for (uint32_t group = 1; group <= 64; group *= 64) {
        for (uint32_t slots = 1024; slots <= 256 * 1024; slots *= 16) {
            bench_add(list,
                      (Bench){ .run = run_table, .n = slots, .mode = group },
                      "node/table/tbs:%u/slots:%u", group, slots);
        }
    }
    bench_add(list, (Bench){ .run = run_churn, .n = 200000 }, "node/churn");
}
