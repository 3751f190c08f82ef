/*
 * Code that changes: the check writes a function, calls it until it is hot, and
 * writes it again, beside other functions and beside data on the same page.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../metal.h"

enum { VERSIONS = 40, CALLS = 300, FUNCTIONS = 8, ROOM = 64 };

static struct {
    uint8_t code[FUNCTIONS][ROOM];
    volatile uint32_t data[64];
} page __attribute__((aligned(4096)));

typedef unsigned Function(void);

static Function *write_function(unsigned which, uint16_t value)
{
    uint8_t *where = page.code[which];
    size_t size = machine_write_function(where, value);

    EXPECT(size <= ROOM);
    machine_sync_code(where, size);
    return (Function *)(void *)where;
}

uint64_t check_code(void)
{
    Function *volatile functions[FUNCTIONS];
    uint64_t digest = 0;

    for (unsigned i = 0; i < FUNCTIONS; i++) {
        functions[i] = write_function(i, (uint16_t)i);
    }
    for (unsigned version = 1; version <= VERSIONS; version++) {
        unsigned which = version % FUNCTIONS;
        unsigned value = version * 1601 & 0x7fff;
        uint64_t sum = 0;

        functions[which] = write_function(which, (uint16_t)value);
        for (unsigned i = 0; i < CALLS; i++) {
            EXPECT(functions[which]() == value);
            sum += functions[i % FUNCTIONS]();
            page.data[i % 64] = i; /* data on the page of the code */
        }
        digest = metal_mix(digest, sum);
    }
    return digest;
}
