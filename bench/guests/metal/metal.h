/*
 * What all parts of the bare-metal images share. The images check their
 * machine.
 *
 * A check computes something in two ways, or something with a known result, and
 * returns a digest of it. If an EXPECT() does not hold, the run ends with the
 * check's number as its status. The image prints the digests: tests run it
 * under several tiers and compare the consoles.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef METAL_H
#define METAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The checks, in the order in which they run: main.c. */
uint64_t check_integer(void);
uint64_t check_branches(void);
uint64_t check_memory(void);
uint64_t check_hot(void);
uint64_t check_code(void);
uint64_t check_traps(void);
uint64_t check_timer(void);
uint64_t check_atomics(void);
uint64_t check_float(void);
uint64_t check_rounding(void);
uint64_t check_vectors(void);

/* Ends the run if the condition does not hold. */
#define EXPECT(holds) metal_expect((holds), #holds, __LINE__)
void metal_expect(bool holds, const char *what, int line);

void metal_print(const char *text);

/* Mixes a value into a digest. */
uint64_t metal_mix(uint64_t digest, uint64_t value);

/* The next number of a sequence that is the same in every run. */
uint64_t metal_random(uint64_t *state);

/* What each architecture defines: ARCH/machine.c and ARCH/start.S. */
void machine_init(void);
void machine_putc(char c);
_Noreturn void machine_exit(unsigned status);

/* The last trap, in the architecture's own numbers. */
typedef struct MachineTrap {
    uint64_t count;
    uint64_t cause;
    uint64_t address;
} MachineTrap;

extern volatile MachineTrap machine_trap;

/* Each causes one trap and goes on behind it; true if the trap was right. */
bool machine_illegal(void);
bool machine_call(void);
/* Loads from `address`, where nothing is. */
bool machine_fault(uint64_t address);
/* An address where nothing is. */
uint64_t machine_nowhere(void);

/* Timer interrupts until the timer is stopped; machine_ticks counts them. */
extern volatile unsigned machine_ticks;
void machine_timer_start(void);
void machine_timer_stop(void);

/* Writes the function `unsigned f(void) { return value; }`; gives its size. */
size_t machine_write_function(void *where, uint16_t value);
/* Makes written code visible to instruction fetch. */
void machine_sync_code(void *start, size_t size);

#endif
