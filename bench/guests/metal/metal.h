/*
 * Bare-metal images that check the machine they run on: what all parts share.
 *
 * A check computes something in two ways, or something that is known, and
 * returns a digest of it.  EXPECT() that does not hold ends the run with the
 * check's number as the status.  Digests are printed: whoever runs an image
 * under several tiers compares what they print.
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
uint64_t check_vectors(void);

/* Ends the run unless it holds. */
#define EXPECT(holds) metal_expect((holds), #holds, __LINE__)
void metal_expect(bool holds, const char *what, int line);

void metal_print(const char *text);

/* Mixes a value into a digest. */
uint64_t metal_mix(uint64_t digest, uint64_t value);

/* The next number of a sequence that is the same in every run. */
uint64_t metal_random(uint64_t *state);

/* What an architecture brings: ARCH/machine.c and ARCH/start.S. */
void machine_init(void);
void machine_putc(char c);
_Noreturn void machine_exit(unsigned status);

/* What the last trap was, in the words of the architecture. */
typedef struct MachineTrap {
    uint64_t count;
    uint64_t cause;
    uint64_t address;
} MachineTrap;

extern volatile MachineTrap machine_trap;

/* Each causes one trap and goes on behind it; true if it was the right one. */
bool machine_illegal(void);
bool machine_call(void);
/* Loads from `address`, where nothing is. */
bool machine_fault(uint64_t address);
/* An address where nothing is. */
uint64_t machine_nowhere(void);

/* Timer interrupts: as many as machine_ticks says, until it is stopped. */
extern volatile unsigned machine_ticks;
void machine_timer_start(void);
void machine_timer_stop(void);

/* Writes a function `unsigned f(void) { return value; }`, and returns its size. */
size_t machine_write_function(void *where, uint16_t value);
/* Makes what was written visible to instruction fetch. */
void machine_sync_code(void *start, size_t size);

#endif
