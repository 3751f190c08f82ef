/*
 * Benchmarks in the engine: their list, and their results in the format of
 * google-benchmark's JSON.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MICRO_ENGINE_BENCH_H
#define MICRO_ENGINE_BENCH_H

#include "bench/micro/machine.h"
#include "bench/micro/tb-mix.h"

/* What a run is asked to do. */
typedef struct Settings {
    uint32_t repetitions;
    bool quick;                 /* less of everything */
} Settings;

enum { MAX_COUNTERS = 12 };

/* One repetition's outcome. Counters are rows' members of these names. */
typedef struct Result {
    double iterations;
    double ns;                  /* per iteration */
    double cpu_ns;              /* of this thread; 0: not measured */
    unsigned ncounters;
    struct {
        const char *name;
        double value;
    } counters[MAX_COUNTERS];
} Result;

void result_add(Result *result, const char *name, double value);

typedef struct Bench Bench;
struct Bench {
    /* One repetition; false with a reason in *@why. */
    bool (*run)(const Bench *bench, const Settings *settings,
                unsigned repetition, Result *result, const char **why);
    uint32_t n;                 /* TBs a module, live TBs, slots... */
    uint32_t mode;
    char name[80];
};

/* Add a benchmark to the list; @format makes its name. */
void bench_add(Bench bench, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Each file's benchmarks. */
void install_benches(void);     /* module, instance, first call, memory */
void dispatch_benches(void);    /* steady state */
void lifetime_benches(void);    /* table sizes, churn */

/* Ways to make modules. */
typedef struct Layout {
    uint32_t group;             /* TBs a module; 0: interpreted */
    TwShape shape;
    TwChaining chaining;
    TwCounts counts;
} Layout;

typedef struct InstallTimes {
    double emit_ns, module_ns, instance_ns;
    double wasm_bytes;
    uint32_t modules;
} InstallTimes;

/* The mix that all benchmarks of a process take their TBs from. */
Mix *bench_mix(void);

/*
 * Compile TBs [@first, @first + @n) of the mix into slots from @slot on. False
 * if emitter or engine refuses.
 */
bool bench_install(const Layout *layout, uint32_t first, uint32_t n,
                   uint32_t slot, InstallTimes *times);

/* Slots of the program's own table, from bench_slots() on. */
enum { BENCH_SLOTS = 256 * 1024 };
uint32_t bench_slots(void);

#endif
