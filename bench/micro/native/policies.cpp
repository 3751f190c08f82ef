/*
 * Policies and eviction policies: each is told the events of boots, see
 * boot-events.h. What counts are the counters: seconds per call of each kind.
 *
 * A boot of 1,024 TBs has some hundred decisions, 30 us in all, and a process's
 * first runs cold code: it takes twice as long. So an iteration is many boots,
 * with other random numbers each, after one that does not count.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "parts.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>

#include "micro.hpp"
#include "tcg-wasm/rng.h"

constexpr uint32_t warm_tbs = 1024;
constexpr uint32_t least_tbs = 16384;   /* of the boots of an iteration */

static bool boot_all(const std::string &spec, uint32_t n, uint32_t boots,
                     BootTimes *times, char *err)
{
    BootTimes warm = {};
    bool ok = boot_run(spec.c_str(), warm_tbs, 0, &warm, err);

    for (uint32_t i = 1; ok && i <= boots; i++) {
        ok = boot_run(spec.c_str(), n, i, times, err);
    }
    return ok;
}

static void report(benchmark::State &state, const char *name,
                   const BootCalls &calls, uint64_t divisor)
{
    if (divisor > 0) {
        state.counters[std::string("s_per_") + name] =
            calls.ns * 1e-9 / static_cast<double>(divisor);
    }
}

static void measure(benchmark::State &state, const std::string &spec)
{
    uint32_t n = static_cast<uint32_t>(state.range(0));
    uint32_t boots = n < least_tbs ? least_tbs / n : 1;
    BootTimes t = {};
    char err[TIER_ERR_MAX];
    auto per_boot = [boots](uint64_t count) {
        return static_cast<double>(count) / boots;
    };

    for (auto _ : state) {
        if (!boot_all(spec, n, boots, &t, err)) {
            state.SkipWithError(err);
            return;
        }
        state.SetIterationTime((t.translated.ns + t.linked.ns + t.hot.ns +
                                t.tick.ns + t.room.ns + t.outcome.ns) *
                               1e-9);
    }
    /*
     * The decisions that a tick takes count, too. Their time is divided by TBs
     * that something was decided about (a TB that waits is one, and one again
     * when it is compiled with others), by events that asked, and by TBs that
     * were chosen.
     */
    BootCalls decisions = { t.hot.n, t.hot.tbs + t.tick.tbs,
                            t.hot.ns + t.tick.ns };

    report(state, "hot", t.hot, t.hot.n);
    report(state, "decided_tb", decisions, t.hot.n ? decisions.tbs : 0);
    report(state, "asked", decisions, t.hot.n);
    report(state, "chosen_tb", decisions, t.hot.n ? t.chosen : 0);
    report(state, "tick", t.tick, t.tick.n);
    report(state, "translated", t.translated, t.translated.n);
    report(state, "linked", t.linked, t.linked.n);
    report(state, "outcome", t.outcome, t.outcome.n);
    report(state, "outcome_tb", t.outcome, t.outcome.tbs);
    report(state, "make_room", t.room, t.room.n);
    state.counters["hot_events"] = per_boot(t.hot.n);
    state.counters["groups"] = per_boot(t.groups);
    state.counters["tbs_per_group"] =
        t.groups
            ? static_cast<double>(t.room.tbs) / static_cast<double>(t.room.n)
            : 0;
    state.counters["s_per_stats_tb"] =
        t.stats_ns * 1e-9 / static_cast<double>(t.translated.tbs);
    state.counters["interrupted"] = per_boot(t.interrupted);
    state.counters["retired"] = per_boot(t.retired);
}

static void add(const std::string &name, const std::string &spec)
{
    benchmark::RegisterBenchmark(
        name.c_str(), [spec](benchmark::State &state) { measure(state, spec); })
        ->ArgName("live")
        ->Arg(1024)
        ->Arg(16384)
        ->Arg(65536)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond)
        ->Iterations(1);
}

/* A profile of some of the hashes that a boot draws, for policies that read
 * one. Removed at the end. */
static std::string profile;

static void remove_profile()
{
    std::remove(profile.c_str());
}

static const std::string &profile_path()
{
    char name[] = "/tmp/tierlab-micro-XXXXXX";
    std::FILE *file;
    int fd;

    if (!profile.empty()) {
        return profile;
    }
    fd = mkstemp(name);
    file = fd < 0 ? nullptr : fdopen(fd, "w");
    if (!file) {
        std::perror("micro-native: cannot make a profile in /tmp");
        std::exit(3);
    }
    profile = name;
    std::atexit(remove_profile);
    std::fprintf(file, "tierlab-profile 1\n");
    for (uint64_t i = 0; i < 16384; i++) {
        std::fprintf(file, "%016llx %llu\n",
                     static_cast<unsigned long long>(boot_hash(4 * i)),
                     static_cast<unsigned long long>(10000000 / (i + 1)));
    }
    std::fclose(file);
    return profile;
}

/* The policy with default parameters, and with those that have no default. */
static std::string default_spec(const TierPolicy &policy)
{
    std::string spec = policy.name;

    for (const TierParam *p = policy.params; p && p->name; p++) {
        if (std::string(p->name) == "from") {
            spec += ":from=" + profile_path();
        }
    }
    return spec;
}

void register_policies()
{
    for (const TierPolicy *const *p = tier_policies; *p; p++) {
        add(std::string("native/policy/") + (*p)->name, default_spec(**p));
    }
    for (const char *const *name = tier_eviction_names; *name; name++) {
        add(std::string("native/evict/") + *name,
            std::string("always:max-modules=500,evict=") + *name);
    }
}
