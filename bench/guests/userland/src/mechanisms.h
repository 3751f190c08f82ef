/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the patterns of `mechanisms` share: memory, time, checks.
 */
#ifndef TIERLAB_MECHANISMS_H
#define TIERLAB_MECHANISMS_H

#include "code.h"

enum { PAGE = 4096 };

typedef struct Options {
    unsigned long ms;   /* to warm up for, and then to measure for */
    unsigned long warm; /* at least so many passes to warm up dispersed code */
} Options;

/* What was counted in a time; no time if the guest computed something wrong. */
typedef struct Measured {
    uint64_t events;
    uint64_t ns;
} Measured;

typedef struct Pattern Pattern;

struct Pattern {
    const char *name;
    const char
        *unit; /* of a figure: millions or thousands of events a second */
    unsigned long events; /* in one of that unit */
    Measured (*measure)(const Pattern *pattern, const Options *options);
    unsigned long size, more; /* what they mean depends on `measure` */
};

/* Do the work of a pattern so many times; false if its result is wrong. */
typedef bool Work(void *state, unsigned long passes);

/* Nanoseconds of the guest's monotonic clock. */
uint64_t clock_ns(void);

/* Pages of zeros without huge pages; the program ends if there are none. */
void *pages_get(size_t size, bool executable);
void pages_return(void *pages, size_t size);

/* Tell of a wrong result; gives false. */
bool wrong(const char *what, unsigned long got, unsigned long want);

/*
 * Warm up, for `options->ms` and for `warm` passes at least, in batches that
 * grow until they take an eighth of that time; then count events for as long.
 */
Measured measure(Work *work, void *state, unsigned long events,
                 unsigned long warm, const Options *options);

/* patterns-code.c: `size` blocks in a loop, each `more` bytes after the last */
Measured measure_blocks(const Pattern *pattern, const Options *options);
/* `size` calls of one function */
Measured measure_calls(const Pattern *pattern, const Options *options);
/* jumps of one place to `size` targets */
Measured measure_indirect(const Pattern *pattern, const Options *options);
/* a list of `size` nodes, each `more` bytes from a neighbour in memory */
Measured measure_memory(const Pattern *pattern, const Options *options);
/* `size` dispersed blocks: `more` passes in fresh code, or 0: warmed up */
Measured measure_dispersed(const Pattern *pattern, const Options *options);
/* one block whose constant changes before each pass */
Measured measure_rewrites(const Pattern *pattern, const Options *options);

/* patterns-float.c: operations on numbers, each of which needs the last */
Measured measure_floats(const Pattern *pattern, const Options *options);
Measured measure_fused(const Pattern *pattern, const Options *options);
/* integers to numbers, comparisons, and back */
Measured measure_conversions(const Pattern *pattern, const Options *options);

/* patterns-kernel.c */
Measured measure_syscalls(const Pattern *pattern, const Options *options);
/* `size` pages, touched and given back */
Measured measure_faults(const Pattern *pattern, const Options *options);

#endif
