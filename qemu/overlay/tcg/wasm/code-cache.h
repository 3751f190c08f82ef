/*
 * The code cache: modules that are installed, the function table's slots that
 * they take, and every vCPU thread's own table.
 *
 * Tables are per thread, slots are not: a slot means the same module in all
 * threads, or the stub that installs it. A vCPU's thread that compiles a module
 * installs it at once; another thread that meets it finds the stub in its table
 * and installs it there, from bytes that are kept until all that can be have.
 *
 * A module that is retired leaves its slots to others, but not before each
 * thread has put the stub back into them. A thread that executes does that when
 * it next enters the dispatcher; one that sleeps is not waited for, as it will
 * do so before it executes anything. Instances need no
 * finalizers: once the tables have forgotten a module's functions, nothing
 * refers to it.
 *
 * All functions want the runtime's lock held unless they say so.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_WASM_CODE_CACHE_H
#define TCG_WASM_CODE_CACHE_H

#include "hw/core/cpu.h"
#include "lib/bytecode.h"
#include "lib/emit.h"

enum { TW_TABLE_SLOTS = 256 * 1024 };

typedef struct TwModule {
    uint32_t id;
    uint32_t base;              /* first table slot */
    uint32_t n;                 /* slots and TBs */
    uint32_t *ids;              /* the TB of each slot */
    uint8_t *bytes;             /* NULL: no other thread may need them */
    uint32_t len;
    bool watched;               /* taken out of use until it is entered */
} TwModule;

/* A thread that executes TBs. */
typedef struct TwThread {
    CPUState *cpu;              /* NULL: not registered */
    uint32_t seen;              /* retirements that its table knows */
} TwThread;

extern __thread TwThread tw_thread;

/* Retirements up to now, modulo 2^32. */
extern uint32_t tw_retirements;

/* @stub: what a slot holds that the thread's table has no module in. */
void tw_cache_init(TwTbFn *stub);

/*
 * The calling thread will execute TBs. @alone: there will be no other. A thread
 * that cannot have a table is registered all the same: nothing is compiled then.
 */
void tw_cache_add_thread(bool alone);

/* Must the calling thread do the following before it executes? Needs no lock. */
static inline bool tw_cache_is_behind(void)
{
    return tw_thread.seen != qatomic_read(&tw_retirements);
}

/* Put the stub where modules were retired since the thread last did so. */
void tw_cache_catch_up(void);

/* The first of @n free slots, or 0 if there are none. They stay free. */
uint32_t tw_cache_find_slots(uint32_t n);

/*
 * Add a module: @bytes have functions of the TBs @ids[0..n) for the free slots
 * from @base on. @here: install it in this thread, or return NULL if the engine
 * refuses it.
 */
TwModule *tw_cache_add(uint32_t base, const uint32_t *ids, uint32_t n,
                       const uint8_t *bytes, uint32_t len, bool here);

/* Install @module in this thread; false if the engine refuses it. */
bool tw_cache_install_here(TwModule *module);

/* The module by its id, or by one of its slots; NULL if there is none. */
TwModule *tw_cache_module(uint32_t id);
TwModule *tw_cache_module_at(uint32_t slot);

/* Give up @module, which is freed. No header may refer to its slots. */
void tw_cache_retire(TwModule *module);

/* Calls @each on every module. */
void tw_cache_for_each(void (*each)(TwModule *module));

/* Give up all modules. */
void tw_cache_clear(void);

#endif
