/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of memory order and locks share: a process for each CPU,
 * memory that all processes see, barriers, a verdict.
 *
 * The processes are forked, not threads: the memory under test is the same
 * pages, and no stack has to be made by hand.
 */
#ifndef TIERLAB_STRESS_H
#define TIERLAB_STRESS_H

#include "sys.h"

enum {
    LINE = 64, /* aligned to this, bytes are in one cache line */
    MAX_ROLES = 8,
    YIELD_AFTER = 64, /* spins: on one CPU the other process must run */
};

/* Memory that all processes see. */
typedef struct Shared {
    uint32_t arrived __attribute__((aligned(LINE)));
    uint32_t generation;
    uint32_t failed __attribute__((aligned(LINE)));
    /* The test's variables, zero when the test starts. */
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
 * A test has `roles` roles, or one for each CPU (0). Each role runs `body`, and
 * tells role_fail() of a violation.
 */
typedef struct Test {
    const char *name;
    unsigned roles;
    void (*body)(Role *role, const void *argument);
    const void *argument;
    bool (*possible)(void); /* NULL: everywhere; a named test runs anyway */
} Test;

extern const Test litmus_tests[], lock_tests[];

/* The CPU's optional instructions, from the kernel (AT_HWCAP). */
extern unsigned long hwcap;

/* Wait until all roles are here; false when the test has failed. */
bool role_meet(Role *role);

/* While waiting, let others run at times; false when the test has failed. */
bool role_spin(Role *role, uint32_t *spins);

/* A number below `limit`, the same in every run. */
uint32_t role_random(Role *role, uint32_t limit);

/* Print the first violation, and let the test fail. */
void role_fail(Role *role, const char *what, unsigned long a, unsigned long b);

#endif
