/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress: does memory behave on several CPUs as the architecture promises?
 *
 *   stress           run each test once; the status is 1 at the first violation
 *   stress NAME...   only these
 *
 * Litmus tests (litmus.c) look for outcomes that fences, acquire and release
 * forbid; locks and counters (locks.c) lose nothing if atomics are atomic. On
 * one CPU the processes take turns, and the tests must pass as well.
 */
#include "stress.h"

enum {
    PROT_READ_WRITE = 3,
    MAP_SHARED_ANONYMOUS = 0x21,
    SIGCHLD = 17,
    AT_HWCAP = 16,
};

typedef struct CpuSet {
    unsigned long bits[16]; /* 512 CPUs on 32-bit machines, 1024 on others */
} CpuSet;

unsigned long hwcap;

static CpuSet cpus;
static unsigned cpu_count;

bool role_meet(Role *role)
{
    Shared *shared = role->shared;
    uint32_t generation =
        __atomic_load_n(&shared->generation, __ATOMIC_ACQUIRE);
    uint32_t spins = 0;

    if (__atomic_add_fetch(&shared->arrived, 1, __ATOMIC_ACQ_REL) ==
        role->count) {
        __atomic_store_n(&shared->arrived, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&shared->generation, generation + 1, __ATOMIC_RELEASE);
    } else {
        while (__atomic_load_n(&shared->generation, __ATOMIC_ACQUIRE) ==
                   generation &&
               role_spin(role, &spins)) {
        }
    }
    return !__atomic_load_n(&shared->failed, __ATOMIC_RELAXED);
}

bool role_spin(Role *role, uint32_t *spins)
{
    if (++*spins % YIELD_AFTER == 0) {
        sys_call(SYS_YIELD, 0, 0, 0, 0, 0, 0);
    }
    return !__atomic_load_n(&role->shared->failed, __ATOMIC_RELAXED);
}

uint32_t role_random(Role *role, uint32_t limit)
{
    role->random = role->random * 1664525 + 1013904223;
    return (role->random >> 8) % limit;
}

void role_fail(Role *role, const char *what, unsigned long a, unsigned long b)
{
    if (__atomic_exchange_n(&role->shared->failed, 1, __ATOMIC_ACQ_REL)) {
        return;
    }
    say("stress ");
    say(role->test);
    say(": ");
    say(what);
    say(" ");
    say_number(a);
    say(" ");
    say_number(b);
    say("\n");
}

/* Run on the n-th CPU that this process may use, counted round. */
static void pin(unsigned n)
{
    const unsigned bits = 8 * sizeof(cpus.bits[0]);
    unsigned left = n % cpu_count;

    for (unsigned cpu = 0; cpu < 8 * sizeof(cpus); cpu++) {
        if ((cpus.bits[cpu / bits] >> (cpu % bits)) & 1) {
            if (left-- == 0) {
                CpuSet one = { { 0 } };

                one.bits[cpu / bits] = 1ul << (cpu % bits);
                sys_call(SYS_SET_AFFINITY, 0, sizeof(one), (long)&one, 0, 0, 0);
                return;
            }
        }
    }
}

static void count_cpus(void)
{
    sys_call(SYS_GET_AFFINITY, 0, sizeof(cpus), (long)&cpus, 0, 0, 0);
    for (unsigned i = 0; i < sizeof(cpus.bits) / sizeof(cpus.bits[0]); i++) {
        for (unsigned long left = cpus.bits[i]; left; left &= left - 1) {
            cpu_count++;
        }
    }
    if (cpu_count == 0) {
        cpu_count = 1;
    }
}

static void clear(Shared *shared)
{
    shared->arrived = 0;
    shared->generation = 0;
    shared->failed = 0;
    for (size_t i = 0; i < sizeof(shared->memory); i += sizeof(long)) {
        *(volatile long *)(shared->memory + i) = 0;
    }
}

static void be_role(Role *role, const Test *test)
{
    pin(role->number);
    role->random = role->number + 1;
    test->body(role, test->argument);
    sys_exit(0);
}

static bool run(Shared *shared, const Test *test)
{
    unsigned all = cpu_count < 2 ? 2 : cpu_count;
    unsigned count = test->roles ? test->roles : all;
    Role role = { .shared = shared, .test = test->name };

    role.count = count < MAX_ROLES ? count : MAX_ROLES;
    clear(shared);
    for (role.number = 0; role.number < role.count; role.number++) {
        long child = sys_call(SYS_CLONE, SIGCHLD, 0, 0, 0, 0, 0);

        if (child < 0) {
            role_fail(&role, "no process for role", role.number, role.count);
            break;
        }
        if (child == 0) {
            be_role(&role, test);
        }
    }
    for (unsigned left = role.number; left > 0; left--) {
        int status = 0;

        sys_call(SYS_WAIT4, -1, (long)&status, 0, 0, 0, 0);
        if (status != 0) {
            role_fail(&role, "a process ended with", (unsigned long)status, 0);
        }
    }
    return !shared->failed;
}

static bool equal(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

static bool wanted(const Test *test, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (equal(argv[i], test->name)) {
            return true;
        }
    }
    return argc < 2 && (!test->possible || test->possible());
}

static int run_all(Shared *shared, const Test *tests, int argc, char **argv)
{
    for (const Test *test = tests; test->name; test++) {
        if (wanted(test, argc, argv)) {
            if (!run(shared, test)) {
                return 1;
            }
            say("stress ");
            say(test->name);
            say(" ok\n");
        }
    }
    return 0;
}

int program(int argc, char **argv, const unsigned long *auxv)
{
    long mapped = sys_call(SYS_MMAP, 0, sizeof(Shared), PROT_READ_WRITE,
                           MAP_SHARED_ANONYMOUS, -1, 0);
    Shared *shared = (Shared *)mapped;

    if (mapped < 0 && mapped > -4096) {
        say("stress: no memory to share\n");
        return 2;
    }
    for (; auxv[0]; auxv += 2) {
        if (auxv[0] == AT_HWCAP) {
            hwcap = auxv[1];
        }
    }
    count_cpus();
    return run_all(shared, litmus_tests, argc, argv) ||
                   run_all(shared, lock_tests, argc, argv)
               ? 1
               : 0;
}
