/*
 * The engine's store of modules: found by id, listed by age, with a queue of
 * what the runtime is to do about some of them. Memory grows with the modules
 * that are there at once, not with those that ever were.
 * Private to the engine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_MODULES_H
#define TIER_MODULES_H

#include "engine.h"

/* Lists link indices into the pool; this one ends them. */
#define TIER_NO_ENTRY UINT32_MAX

/* Links of one entry in one list. */
typedef struct TierLinks {
    uint32_t prev, next;
} TierLinks;

typedef struct TierList {
    uint32_t first, last;
} TierList;

typedef struct TierModuleEntry {
    TierModule facts;
    bool present;               /* by age; false: given up, not yet retired */
    bool queued;                /* in the queue, with @event */
    TierModuleEventKind event;
    TierLinks age;              /* @age.next also links the free entries */
    TierLinks queue;
} TierModuleEntry;

typedef struct TierModules {
    TierModuleEntry *pool;
    uint32_t cap;
    uint32_t n;                 /* entries in use */
    uint32_t free;              /* first free entry */
    uint32_t *index;            /* hash of ids: 1 + entry, or 0 */
    uint32_t index_size;        /* a power of 2, over twice @cap */
    TierList age;               /* oldest first */
    uint32_t present;           /* length of @age */
    TierList queue;
} TierModules;

void tier_modules_init(TierModules *modules);
void tier_modules_free(TierModules *modules);

/* Make room for one more; false if memory is short. May move the entries. */
bool tier_modules_reserve(TierModules *modules);

/* NULL if there is none. */
TierModuleEntry *tier_modules_get(const TierModules *modules, uint32_t id);

/* A new one, the youngest. NULL if memory is short or @id is in use. */
TierModuleEntry *tier_modules_add(TierModules *modules, uint32_t id);

/* Move it to the young end of the list by age. */
void tier_modules_renew(TierModules *modules, TierModuleEntry *entry);

/* Take it off the list by age. */
void tier_modules_leave(TierModules *modules, TierModuleEntry *entry);

/* It is gone. */
void tier_modules_remove(TierModules *modules, TierModuleEntry *entry);

/* Queue @event, in place of one that is queued for the same module. */
void tier_modules_post(TierModules *modules, TierModuleEntry *entry,
                       TierModuleEventKind event);

/* Take the first event off the queue; false if there is none. */
bool tier_modules_next_event(TierModules *modules, TierModuleEvent *event);

/* Forget the queued events. */
void tier_modules_clear_events(TierModules *modules);

#endif
