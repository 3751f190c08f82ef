/*
 * The list of benchmarks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void result_add(Result *result, const char *name, double value)
{
    if (result->ncounters < MAX_COUNTERS) {
        result->counters[result->ncounters].name = name;
        result->counters[result->ncounters++].value = value;
    }
}

void bench_add(BenchList *list, Bench bench, const char *format, ...)
{
    va_list args;

    if (list->n == MAX_BENCHES) {
        fprintf(stderr, "micro-engine: too many benchmarks\n");
        exit(3);
    }
    va_start(args, format);
    vsnprintf(bench.name, sizeof(bench.name), format, args);
    va_end(args);
    list->benches[list->n++] = bench;
}

const Bench *bench_find(const BenchList *list, const char *name)
{
    for (unsigned i = 0; i < list->n; i++) {
        if (!strcmp(list->benches[i].name, name)) {
            return &list->benches[i];
        }
    }
    return NULL;
}
