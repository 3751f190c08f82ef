/*
 * The code cache: installed modules, the slots of the function table that they
 * take, and each vCPU thread's own table.
 *
 * Every thread has a table of its own, but a slot means the same in all tables:
 * a function of the same module, or the stub that installs that module. A vCPU
 * thread that compiles a module installs it at once. Another thread that calls
 * the module finds the stub in its table, and installs the module from bytes
 * that are kept for it.
 *
 * The slots of a retired module can be used again once every thread that
 * executes has put the stub back into them. A thread does so when it next
 * enters the dispatcher. Nobody waits for a thread that sleeps: it will enter
 * the dispatcher before it executes anything. Instances of modules need no
 * finalizers: nothing but the tables refers to a module's functions.
 *
 * All functions want the runtime's lock, unless they say otherwise.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_WASM_CODE_CACHE_H
#define TCG_WASM_CODE_CACHE_H

#include "hw/core/cpu.h"
#include "lib/bytecode.h"

enum { TW_TABLE_SLOTS = 256 * 1024 };

typedef struct TwModule {
    uint32_t id;
    uint32_t base;              /* first slot */
    uint32_t n;                 /* slots, and TBs */
    uint32_t *ids;              /* the TB of each slot */
    uint8_t *bytes;             /* NULL: no other thread may need them */
    uint32_t len;
} TwModule;

/* The function table of one thread that executes TBs. */
typedef struct TwTable {
    CPUState *cpu;              /* NULL: the thread is not registered */
    uint32_t seen;              /* retirements that the table knows of */
} TwTable;

typedef struct TwCodeCache {
    TwTbFn *stub;
    GPtrArray *tables;          /* TwTable * of every registered thread */
    bool alone;                 /* this is the only thread there will be */

    uint32_t base;              /* first slot of all; 0: there is no table */
    unsigned long *used;        /* bit per slot */
    uint32_t cursor;            /* where the next search begins */
    TwModule **owner;           /* of each slot */

    GHashTable *modules;        /* TwModule * by id */
    uint32_t next_id;

    uint32_t retirements;       /* modulo 2^32; read without the lock */
    uint32_t freed;             /* of these, those whose slots are free */
    GArray *log;                /* the latest retirements, oldest first */
} TwCodeCache;

/* @stub: what a slot holds that the thread's table has no module in. */
void tw_cache_init(TwCodeCache *cache, TwTbFn *stub);

/*
 * The calling thread, whose table is @table, will execute TBs. @alone: there
 * will be no other thread. A thread that cannot have a table is registered all
 * the same, and nothing is compiled then.
 */
void tw_cache_add_thread(TwCodeCache *cache, TwTable *table, bool alone);

/* Must the thread catch up before it executes TBs? Needs no lock. */
static inline bool tw_cache_is_behind(const TwCodeCache *cache,
                                      const TwTable *table)
{
    return table->seen != qatomic_read(&cache->retirements);
}

/*
 * Put the stub into the slots of modules that were retired since the thread
 * last caught up. @table: the calling thread's.
 */
void tw_cache_catch_up(TwCodeCache *cache, TwTable *table);

/*
 * The first of @n free slots, which stay free; 0 if there are none. @own: the
 * calling thread's table, registered or not.
 */
uint32_t tw_cache_find_slots(TwCodeCache *cache, TwTable *own, uint32_t n);

/*
 * Add a module: @bytes have functions of the TBs @ids[0..n) for the free slots
 * from @base on. @here: install the module in the calling thread, or return
 * NULL if the engine refuses it.
 */
TwModule *tw_cache_add(TwCodeCache *cache, uint32_t base, const uint32_t *ids,
                       uint32_t n, const uint8_t *bytes, uint32_t len,
                       bool here);

/*
 * Install @module in the calling thread, which found the stub in a slot of it.
 * False if the engine refuses the module.
 */
bool tw_cache_install_here(TwCodeCache *cache, TwModule *module);

/* The module by its id, or by one of its slots; NULL if there is none. */
TwModule *tw_cache_module(const TwCodeCache *cache, uint32_t id);
TwModule *tw_cache_module_at(const TwCodeCache *cache, uint32_t slot);

/* Give up @module, which is freed. No header may refer to its slots. */
void tw_cache_retire(TwCodeCache *cache, TwModule *module);

/* Call @each for every module. */
void tw_cache_for_each(TwCodeCache *cache, void (*each)(TwModule *module));

/* Give up all modules. */
void tw_cache_clear(TwCodeCache *cache);

#endif
