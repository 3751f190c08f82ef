/*
 * What the runtime asks of the Wasm engine: compile and instantiate a module in
 * the calling thread, and own a range of its function table.
 *
 * Tables are per thread, indices are not: every thread reserves the same range
 * first, filled with a stub that installs what is missing, so that an index
 * that one thread has made public means the same, or the stub, in all.
 *
 * host-emscripten.c implements it; host-none.c is a host that cannot compile,
 * for native builds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_HOST_H
#define TW_HOST_H

#include "bytecode.h"

/*
 * Append @n slots that hold @stub to the calling thread's table. Returns the
 * first index (the same in every thread that has called it as often), or 0 if
 * the table cannot grow.
 */
uint32_t tw_host_reserve(uint32_t n, TwTbFn *stub);

/*
 * Compile and instantiate the module @bytes, @len long, in the calling thread;
 * its element segment fills the slots. False if the engine refuses it.
 */
bool tw_host_install(const uint8_t *bytes, uint32_t len);

/*
 * Compile the module and keep the engine's code of it for a while, so that
 * threads that install these bytes soon find it there. False if the engine
 * refuses it.
 */
bool tw_host_prepare(const uint8_t *bytes, uint32_t len);

/* Put @stub back into slots [@base, @base + @n) of the calling thread. */
void tw_host_release(uint32_t base, uint32_t n, TwTbFn *stub);

/* Table index of a C function, 0 where functions have none. */
uint32_t tw_host_index(const void *fn);

/* The TB function at table index @index. */
TwTbFn *tw_host_fn(uint32_t index);

/* Pages of 64 KiB that a module must declare for the memory it imports. */
void tw_host_memory_limits(uint32_t *min_pages, uint32_t *max_pages);

/*
 * Does the processor keep the order of all accesses but of a store before a
 * later load (TSO), as x86 does? Wasm does not say what it runs on; false if in
 * doubt.
 */
bool tw_host_is_tso(void);

/* Bytes of the machine's memory that the program may use, 0 if unknown. */
uint64_t tw_host_physical_memory(void);

/* The greatest size of linear memory in bytes, 0 if there is none. */
uint64_t tw_host_memory_max(void);

/* Bytes of linear memory, 0 if there is none. */
uint64_t tw_host_memory_size(void);

#endif
