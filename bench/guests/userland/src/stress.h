/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of memory order and locks share: processes on CPUs of their
 * own, memory that all of them see, barriers, a verdict.
 *
 * The processes are forked, not threads: the memory under test is the same
 * pages, and no stack has to be made by hand.
 */
#ifndef TIERLAB_STRESS_H
#define TIERLAB_STRESS_H

#include "sys.h"

enum {
    LINE = 64, /* bytes that are surely not of two cache lines */
    MAX_ROLES = 8,
    YIELD_AFTER = 64, /* spins: on one CPU the other one has to get on */
};

/* Memory that all processes see. */
typedef struct Shared {
    uint32_t arrived __attribute__((aligned(LINE)));
    uint32_t generation;
    uint32_t failed __attribute__((aligned(LINE)));
    /* What the test needs, zero when it starts. */
    unsigned char memory[256 * 1024] __attribute__((aligned(LINE)));
} Shared;

/* One process of a test. */
typedef struct Role {
    Shared *shared;
    unsigned number, count;
    uint32_t random;
    const char *test;
} Role;

/*
 * A test: as many roles as it says, or one for each CPU (0). Each role runs
 * `body`; what must not be is told to role_fail().
 */
typedef struct Test {
    const char *name;
    unsigned roles;
    void (*body)(Role *role, const void *argument);
    const void *argument;
    bool (*possible)(void); /* unless it is named; NULL is everywhere */
} Test;

extern const Test litmus_tests[], lock_tests[];

/* The CPU's optional instructions, as the kernel told (AT_HWCAP). */
extern unsigned long hwcap;

/* Wait until all roles are here; false when the test has failed. */
bool role_meet(Role *role);

/* Let others run now and then while waiting; false when the test has failed. */
bool role_spin(Role *role, uint32_t *spins);

/* A number below `limit`, the same in every run. */
uint32_t role_random(Role *role, uint32_t limit);

/* Say what was seen, once, and let the test fail. */
void role_fail(Role *role, const char *what, unsigned long a, unsigned long b);

#endif
