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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "host.h"
#include "tcg-wasm/host.h"

enum { MAX_BENCHES = 200, MIX_TBS = 16384, MIX_SEED = 1 };

static Bench benches[MAX_BENCHES];
static unsigned nbenches;

void bench_add(Bench bench, const char *format, ...)
{
    va_list args;

    if (nbenches == MAX_BENCHES) {
        fprintf(stderr, "micro-engine: too many benchmarks\n");
        exit(3);
    }
    va_start(args, format);
    vsnprintf(bench.name, sizeof(bench.name), format, args);
    va_end(args);
    benches[nbenches++] = bench;
}

void result_add(Result *result, const char *name, double value)
{
    if (result->ncounters < MAX_COUNTERS) {
        result->counters[result->ncounters].name = name;
        result->counters[result->ncounters++].value = value;
    }
}

Mix *bench_mix(void)
{
    static Mix mix;

    if (!mix.n && !mix_init(&mix, MIX_TBS, MIX_SEED, true)) {
        fprintf(stderr, "micro-engine: out of memory\n");
        exit(3);
    }
    return &mix;
}

uint32_t bench_slots(void)
{
    static uint32_t base;

    if (!base) {
        base = tw_host_reserve(BENCH_SLOTS, machine_interpret);
        if (!base) {
            fprintf(stderr, "micro-engine: the table cannot grow\n");
            exit(3);
        }
    }
    return base;
}

static bool install(const TwEmitOptions *options, uint32_t first, uint32_t n,
                    InstallTimes *times)
{
    static TwBuf buf;
    double start = host_now_ns();
    TwRefusal why;

    buf.len = 0;
    why = tw_emit_module(options, &bench_mix()->refs[first], n, &buf);
    times->emit_ns += host_now_ns() - start;
    times->wasm_bytes += (double)buf.len;
    times->modules++;
    return why == TW_REFUSED_NONE &&
           host_install(buf.data, (uint32_t)buf.len, &times->module_ns,
                        &times->instance_ns);
}

bool bench_install(const Layout *layout, uint32_t first, uint32_t n,
                   uint32_t slot, InstallTimes *times)
{
    TwTarget target = machine_target();
    TwEmitOptions options = {
        .target = &target,
        .shape = layout->shape,
        .chaining = layout->chaining,
        .counts = layout->counts,
        .sample_period = 64,
    };

    for (uint32_t i = 0; i < n; i += layout->group) {
        uint32_t members = n - i < layout->group ? n - i : layout->group;

        options.table_base = slot + i;
        if (!install(&options, first + i, members, times)) {
            return false;
        }
    }
    return true;
}

/* The report. */

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

static const Bench *find(const char *name)
{
    for (unsigned i = 0; i < nbenches; i++) {
        if (!strcmp(benches[i].name, name)) {
            return &benches[i];
        }
    }
    return NULL;
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
    const char *name = NULL;

    install_benches();
    dispatch_benches();
    lifetime_benches();
    if (argc == 2 && !strcmp(argv[1], "--list")) {
        for (unsigned i = 0; i < nbenches; i++) {
            puts(benches[i].name);
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
    if (!name || !find(name)) {
        return usage();
    }
    return run(find(name), &settings);
}
