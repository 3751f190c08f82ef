/*
 * The microbenchmarks in the engine. Runs in a thread like a vCPU's, which does
 * not return to its event loop while there is anything to do.
 *
 *     micro-engine --list
 *     micro-engine --run NAME [--repetitions N] [--quick 1]
 *
 * Prints names, or one JSON document. One benchmark a process: nothing that an
 * earlier one left behind is in the way.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/micro/machine.h"
#include "benches.h"

/* The report: rows in the format of google-benchmark's JSON. */

static void print_row(const Bench *bench, unsigned repetition, unsigned of,
                      const Result *r)
{
    printf("%s\n  {\"name\": \"%s\", \"run_name\": \"%s\", "
           "\"run_type\": \"iteration\", \"repetitions\": %u, "
           "\"repetition_index\": %u, \"threads\": 1, \"iterations\": %.0f, "
           "\"real_time\": %.17g, \"cpu_time\": %.17g, \"time_unit\": \"ns\"",
           repetition ? "," : "", bench->name, bench->name, of, repetition,
           r->iterations, r->ns, r->cpu_ns > 0 ? r->cpu_ns : r->ns);
    for (unsigned i = 0; i < r->ncounters; i++) {
        printf(", \"%s\": %.17g", r->counters[i].name, r->counters[i].value);
    }
    printf("}");
}

static void print_failure(const Bench *bench, unsigned repetition,
                          const char *why)
{
    printf("%s\n  {\"name\": \"%s\", \"run_name\": \"%s\", "
           "\"run_type\": \"iteration\", \"error_occurred\": true, "
           "\"error_message\": \"%s\"}",
           repetition ? "," : "", bench->name, bench->name, why);
}

static int run(const Bench *bench, const Settings *settings)
{
    machine_init();
    printf("{\"benchmarks\": [");
    for (unsigned i = 0; i < settings->repetitions; i++) {
        Result result = { 0 };
        const char *why = "";

        if (!bench->run(bench, settings, i, &result, &why)) {
            print_failure(bench, i, why);
            break;
        }
        print_row(bench, i, settings->repetitions, &result);
    }
    printf("\n]}\n");
    return 0;
}

static int usage(void)
{
    fprintf(stderr, "usage: micro-engine --list | --run NAME "
                    "[--repetitions N] [--quick 1]\n");
    return 2;
}

int main(int argc, char **argv)
{
    Settings settings = { .repetitions = 3 };
    static BenchList list;
    const char *name = NULL;
    const Bench *bench;

    install_benches(&list);
    dispatch_benches(&list);
    lifetime_benches(&list);
    if (argc == 2 && !strcmp(argv[1], "--list")) {
        for (unsigned i = 0; i < list.n; i++) {
            puts(list.benches[i].name);
        }
        return 0;
    }
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--run")) {
            name = argv[i + 1];
        } else if (!strcmp(argv[i], "--repetitions")) {
            settings.repetitions = (uint32_t)atoi(argv[i + 1]);
        } else if (!strcmp(argv[i], "--quick")) {
            settings.quick = atoi(argv[i + 1]) != 0;
        } else {
            return usage();
        }
    }
    bench = name ? bench_find(&list, name) : NULL;
    return bench ? run(bench, &settings) : usage();
}
