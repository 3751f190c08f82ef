/*
 * What an eviction policy is, for those who write one.
 *
 * An eviction policy decides which modules are given up when a new one does not
 * fit into a budget: modules, table slots, bytes of code, memory mappings. It
 * is one C file in evictions/, everything static but one const TierEviction,
 * and one line in evictions.def. A spec names it: `threshold:evict=clock`.
 *
 * Life of a module, seen by its eviction policy:
 *
 *   installed                      the module is the youngest one
 *   make_room -> tier_give_up()    give up some modules: one more does not fit
 *             -> tier_watch()      watch some: are they in use at all?
 *   tick      -> the same          ahead of need
 *   gone                           the module was given up, or its TBs died
 *
 * The reference bit. Compiled code does not record that it is used. Instead, a
 * module that is *watched* is taken out of use: its members enter tier 0, and
 * the first one that does puts the module back, which is then *touched*. So a
 * module that is watched and not touched was not executed since.
 *
 * Like policies, eviction policies have no clock, memory or random numbers but
 * those given here and in policy.h, so they decide the same in a replay. A run
 * has one eviction policy, which is called with the policy's lock held.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_EVICTION_H
#define TIER_EVICTION_H

#include "policy.h"

#define TIER_NO_MODULE UINT32_MAX

/* Facts about a module. */
typedef struct TierModule {
    uint32_t id; /* in the order of installation, since start */
    TierShape shape;
    uint32_t slots;
    uint32_t wasm_bytes;
    uint64_t born_ns; /* tier_now_ns() when it was installed */
    uint32_t members; /* TBs when it was installed */
    uint32_t live; /* of these, TBs that still run its code */
    uint64_t heat; /* executions of its members before */
    uint64_t executions; /* of its code, if the runtime counts them */
    bool watched; /* out of use until a member is executed */
    bool touched; /* was executed since it was last watched */
} TierModule;

/* Callbacks may be NULL; each says what that means. @state begins zeroed. */
typedef struct TierEviction {
    const char *summary; /* one line */
    const char *source; /* of the rule: a paper, program, "baseline" */
    size_t state_size;

    /* Once, before anything else. NULL: nothing to prepare. */
    void (*init)(void *state, TierEngine *engine);

    /*
     * A new module does not fit: give up one module or more. Called again while
     * there is no room and the last call gave up something. NULL, or nothing
     * given up: the new module is refused.
     */
    void (*make_room)(void *state, TierEngine *engine);

    /* @module was installed, and is the youngest. NULL: not interested. */
    void (*installed)(void *state, TierEngine *engine,
                      const TierModule *module);

    /* @module is about to leave the list by age. NULL: not interested. */
    void (*gone)(void *state, TierEngine *engine, const TierModule *module);

    /* As a policy's: every 1 to 2 ms. NULL: not interested. */
    void (*tick)(void *state, TierEngine *engine);
} TierEviction;

/* What an eviction policy may ask and do, all O(1). */

/* NULL if @module was given up, or never was. Valid until the callback ends. */
const TierModule *tier_module(const TierEngine *engine, uint32_t module);

/*
 * The list of present modules by age, that is, by when they were installed or
 * renewed; TIER_NO_MODULE at its end.
 */
uint32_t tier_module_oldest(const TierEngine *engine);
uint32_t tier_module_younger(const TierEngine *engine, uint32_t module);

/* How many modules are in the list. */
uint32_t tier_modules_present(const TierEngine *engine);

/* How full the fullest budget is, in percent. */
unsigned tier_fullness(const TierEngine *engine);

/* Give @module up: its members go back to tier 0. */
void tier_give_up(TierEngine *engine, uint32_t module);

/* Give @module another chance: it becomes the youngest, and not touched. */
void tier_renew(TierEngine *engine, uint32_t module);

/* Take @module out of use until it is executed, if it is not already. */
void tier_watch(TierEngine *engine, uint32_t module);

#define X(ident, name) extern const TierEviction tier_eviction_##ident;
#include "evictions.def"

/* All eviction policies, and their names; both NULL-terminated. */
extern const TierEviction *const tier_evictions[];
extern const char *const tier_eviction_names[];

#endif
