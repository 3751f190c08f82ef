/*
 * Runs all checks, prints a line for each, and ends the run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "metal.h"

static const struct {
    const char *name;
    uint64_t (*run)(void);
} checks[] = {
    { "integer", check_integer }, { "branches", check_branches },
    { "memory", check_memory },   { "hot", check_hot },
    { "code", check_code },       { "traps", check_traps },
    { "timer", check_timer },     { "atomics", check_atomics },
    { "float", check_float },     { "rounding", check_rounding },
    { "vectors", check_vectors },
};

static unsigned running;

static void print_number(uint64_t value, unsigned base, unsigned digits)
{
    char text[24];
    char *p = text + sizeof(text);

    *--p = 0;
    do {
        *--p = "0123456789abcdef"[value % base];
        value /= base;
    } while (value || text + sizeof(text) - p <= digits);
    metal_print(p);
}

void metal_print(const char *text)
{
    for (; *text; text++) {
        machine_putc(*text);
    }
}

void metal_expect(bool holds, const char *what, int line)
{
    if (!holds) {
        metal_print("FAIL ");
        metal_print(checks[running].name);
        metal_print(", line ");
        print_number(line, 10, 1);
        metal_print(": ");
        metal_print(what);
        metal_print("\n");
        machine_exit(running + 1);
    }
}

uint64_t metal_mix(uint64_t digest, uint64_t value)
{
    digest = (digest ^ value) * 0x9e3779b97f4a7c15;
    return digest ^ digest >> 29;
}

/* xorshift64 (Marsaglia, 2003). */
uint64_t metal_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

_Noreturn void metal_main(void)
{
    machine_init();
    for (running = 0; running < sizeof(checks) / sizeof(*checks); running++) {
        uint64_t digest = checks[running].run();

        metal_print("ok ");
        metal_print(checks[running].name);
        metal_print(" ");
        print_number(digest, 16, 16);
        metal_print("\n");
    }
    metal_print("PASS\n");
    machine_exit(0);
}

/* The compiler emits calls of these functions. */
void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    char *t = to;
    const char *f = from;

    while (size--) {
        *t++ = *f++;
        __asm__ volatile("" ::: "memory"); /* no memcpy() of this loop */
    }
    return to;
}

void *memset(void *to, int value, size_t size)
{
    char *t = to;

    while (size--) {
        *t++ = (char)value;
        __asm__ volatile("" ::: "memory");
    }
    return to;
}
