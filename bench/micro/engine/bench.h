/*
 * Benchmarks in the engine: what one is, what it finds, and a list of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MICRO_ENGINE_BENCH_H
#define MICRO_ENGINE_BENCH_H

#include <stdbool.h>
#include <stdint.h>

/* The options of a run. */
typedef struct Settings {
    uint32_t repetitions;
    bool quick;                 /* less of everything */
} Settings;

enum { MAX_COUNTERS = 12 };

/*
 * The result of one repetition. Counters become members of the row in the JSON,
 * by name.
 */
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

/* Add a counter; @name outlives the result. No more than MAX_COUNTERS. */
void result_add(Result *result, const char *name, double value);

typedef struct Bench Bench;
struct Bench {
    /* One repetition; false with a reason in *@why. */
    bool (*run)(const Bench *bench, const Settings *settings,
                unsigned repetition, Result *result, const char **why);
    /*
     * the benchmark's own: TBs a module, live TBs, slots...
     */
    uint32_t n;
    uint32_t mode;
    char name[80];
};

enum { MAX_BENCHES = 200 };

/* Zero-initialise. */
typedef struct BenchList {
    Bench benches[MAX_BENCHES];
    unsigned n;
} BenchList;

/*
 * Add a benchmark; @format makes its name. Ends the program if there are too
 * many.
 */
void bench_add(BenchList *list, Bench bench, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The benchmark of that name, or NULL. */
const Bench *bench_find(const BenchList *list, const char *name);

#endif
