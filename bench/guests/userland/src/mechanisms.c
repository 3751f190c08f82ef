/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mechanisms: how fast is each thing that an emulator has to do?
 *
 *   mechanisms PATTERN MS WARM    PATTERN is a name, or `all`
 *
 * Each pattern is a fixed shape of blocks. The program knows how many guest
 * instructions it executes, prints millions of them a second as a figure, and
 * checks a sum which differs if a single block was left out, executed twice or
 * executed out of order.
 */
#include "mechanisms.h"

enum {
    PROT_READ_WRITE = 3,
    PROT_READ_WRITE_EXEC = 7,
    MAP_PRIVATE_ANONYMOUS = 0x22,
    MADV_NOHUGEPAGE = 15,
    CLOCK_MONOTONIC = 1,
    CLOCK_BOOTTIME = 7,
    BATCHES = 8,     /* in the time of a measurement, about */
    FEW_PASSES = 16, /* of code that is then thrown away */
};

#define INSNS "Minsn/s", 1000000
#define TIMES "k/s", 1000
#define FLOPS "Mop/s", 1000000

static const Pattern patterns[] = {
    { "block-1", INSNS, measure_blocks, 1, 64 },
    { "block-2", INSNS, measure_blocks, 2, 64 },
    { "block-4", INSNS, measure_blocks, 4, 64 },
    { "block-2-pages", INSNS, measure_blocks, 2, PAGE + 64 },
    { "call-1", INSNS, measure_calls, 1, 0 },
    { "call-16", INSNS, measure_calls, 16, 0 },
    { "indirect-4", INSNS, measure_indirect, 4, 0 },
    { "indirect-400", INSNS, measure_indirect, 400, 0 },
    { "memory-1-page", INSNS, measure_memory, 64, 64 },
    { "memory-64-pages", INSNS, measure_memory, 64, PAGE },
    { "memory-8192-pages", INSNS, measure_memory, 8192, PAGE },
    { "float", FLOPS, measure_floats, 0, 0 },
    { "float-fused", FLOPS, measure_fused, 0, 0 },
    { "float-convert", FLOPS, measure_conversions, 0, 0 },
    { "rewrite", TIMES, measure_rewrites, 0, 0 },
    { "system-call", TIMES, measure_syscalls, 0, 0 },
    { "page-fault", TIMES, measure_faults, 1024, 0 },
    /* last: what they leave to do in the background would disturb others */
    { "dispersed-2k-few", INSNS, measure_dispersed, 2000, FEW_PASSES },
    { "dispersed-2k-many", INSNS, measure_dispersed, 2000, 0 },
    { "dispersed-50k-few", INSNS, measure_dispersed, 50000, FEW_PASSES },
    { "dispersed-50k-many", INSNS, measure_dispersed, 50000, 0 },
};

static const char *current;

/* As 64-bit kernels, and clock_gettime64 of 32-bit kernels, write it. */
typedef struct Time {
    int64_t s, ns;
} Time;

static Time clock_read(int clock)
{
    Time now = { 0, 0 };

    sys_call(SYS_CLOCK_GETTIME, clock, (long)&now, 0, 0, 0, 0);
    return now;
}

uint64_t clock_ns(void)
{
    Time now = clock_read(CLOCK_MONOTONIC);

    return (uint64_t)now.s * 1000000000 + (uint64_t)now.ns;
}

void *pages_get(size_t size, bool executable)
{
    int prot = executable ? PROT_READ_WRITE_EXEC : PROT_READ_WRITE;
    long got =
        sys_call(SYS_MMAP, 0, (long)size, prot, MAP_PRIVATE_ANONYMOUS, -1, 0);

    if (got < 0 && got > -4096) {
        say("mechanisms ");
        say(current);
        say(": the guest has no memory for it; give the guest more\n");
        sys_exit(2);
    }
    /* A kernel without huge pages refuses, and that is as good. */
    sys_call(SYS_MADVISE, got, (long)size, MADV_NOHUGEPAGE, 0, 0, 0);
    return (void *)got;
}

void pages_return(void *pages, size_t size)
{
    sys_call(SYS_MUNMAP, (long)pages, (long)size, 0, 0, 0, 0);
}

bool wrong(const char *what, unsigned long got, unsigned long want)
{
    say("mechanisms ");
    say(current);
    say(": ");
    say(what);
    say(" ");
    say_number(got);
    say(", not ");
    say_number(want);
    say("\n");
    return false;
}

Measured measure(Work *work, void *state, unsigned long events,
                 unsigned long warm, const Options *options)
{
    const uint64_t wanted = (uint64_t)options->ms * 1000000;
    const Measured failed = { 0, 0 };
    unsigned long batch = 1, done = 0;
    Measured measured = { 0, 0 };
    uint64_t began = clock_ns(), before = began, now = began;

    for (;;) {
        if (!work(state, batch)) {
            return failed;
        }
        done += batch;
        now = clock_ns();
        if (now - before < wanted / BATCHES) {
            batch *= 2;
        } else if (now - began >= wanted && done >= warm) {
            break;
        }
        before = now;
    }
    began = now;
    do {
        if (!work(state, batch)) {
            return failed;
        }
        measured.events += (uint64_t)events * batch;
        measured.ns = clock_ns() - began;
    } while (measured.ns < wanted);
    return measured;
}

static void say_digits(unsigned long value, unsigned digits)
{
    for (unsigned long over = 10; digits > 1; digits--, over *= 10) {
        if (value < over) {
            say("0");
        }
    }
    say_number(value);
}

static void say_figure(const Pattern *pattern, const Measured *measured)
{
    Time up = clock_read(CLOCK_BOOTTIME);
    /* In doubles, because a 32-bit machine has no division of 64 bits. */
    double rate = (double)measured->events / (double)measured->ns * 1e9 /
                  (double)pattern->events;
    unsigned long whole = (unsigned long)rate;

    say("@tierlab figure guest=");
    say_number((unsigned long)up.s);
    say(".");
    say_digits((unsigned long)((uint32_t)up.ns / 10000000), 2);
    say(" name=");
    say(pattern->name);
    say(" value=");
    say_number(whole);
    say(".");
    say_digits((unsigned long)((rate - (double)whole) * 1000), 3);
    say(" unit=");
    say(pattern->unit);
    say("\n");
}

static bool equal(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* A whole number above 0, or 0 if the text is none. */
static unsigned long number(const char *text)
{
    unsigned long value = 0;

    for (; *text >= '0' && *text <= '9' && value < 100000000; text++) {
        value = value * 10 + (unsigned long)(*text - '0');
    }
    return *text ? 0 : value;
}

int program(int argc, char **argv, const unsigned long *auxv)
{
    Options options;
    unsigned found = 0;

    (void)auxv;
    if (argc == 4) {
        options.ms = number(argv[2]);
        options.warm = number(argv[3]);
    }
    if (argc != 4 || !options.ms || !options.warm) {
        say("usage: mechanisms PATTERN MS WARM\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        const Pattern *pattern = &patterns[i];

        if (equal(argv[1], "all") || equal(argv[1], pattern->name)) {
            Measured measured;

            found++;
            current = pattern->name;
            measured = pattern->measure(pattern, &options);
            if (!measured.ns) {
                return 1;
            }
            say_figure(pattern, &measured);
        }
    }
    if (!found) {
        say("mechanisms: no pattern is called ");
        say(argv[1]);
        say("\n");
        return 2;
    }
    return 0;
}
