/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Patterns whose work is the kernel's. How many instructions the kernel
 * executes is not known here, so that they count calls and faults.
 */
#include "mechanisms.h"

enum { MADV_DONTNEED = 4 };

static bool call_kernel(void *state, unsigned long passes)
{
    const long *parent = state;

    for (; passes; passes--) {
        long got = sys_call(SYS_GETPPID, 0, 0, 0, 0, 0, 0);

        if (got != *parent) {
            return wrong("parent", (unsigned long)got, (unsigned long)*parent);
        }
    }
    return true;
}

Measured measure_syscalls(const Pattern *pattern, const Options *options)
{
    long parent = sys_call(SYS_GETPPID, 0, 0, 0, 0, 0, 0);

    (void)pattern;
    return measure(call_kernel, &parent, 1, 0, options);
}

typedef struct Faults {
    unsigned char *memory;
    size_t pages;
} Faults;

/* A page that the kernel gives for the first time is zero. */
static bool fault(void *state, unsigned long passes)
{
    const Faults *faults = state;

    for (; passes; passes--) {
        for (size_t i = 0; i < faults->pages; i++) {
            volatile uint32_t *word =
                (volatile uint32_t *)(faults->memory + i * PAGE);

            *word += 1;
            if (*word != 1) {
                return wrong("page", *word, 1);
            }
        }
        sys_call(SYS_MADVISE, (long)faults->memory,
                 (long)(faults->pages * PAGE), MADV_DONTNEED, 0, 0, 0);
    }
    return true;
}

Measured measure_faults(const Pattern *pattern, const Options *options)
{
    Faults faults = { pages_get(pattern->size * PAGE, false), pattern->size };
    Measured measured = measure(fault, &faults, pattern->size, 0, options);

    pages_return(faults.memory, pattern->size * PAGE);
    return measured;
}
