/*
 * Accesses to env, and which of them are slots: a global that an access reads
 * or writes whole gets a slot, unless it overlaps one that has.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_PLAN_SLOTS_H
#define TW_PLAN_SLOTS_H

#include "planner.h"

typedef struct TwEnvAccess {
    int32_t ofs; /* from env */
    uint8_t size; /* log2 of bytes */
    bool is_store;
    bool is_vector; /* never a slot's, whatever its size */
} TwEnvAccess;

/*
 * The host access that @insn makes; false if @insn makes none, or at an address
 * that is not env plus a constant. *@access is filled in for every load and
 * store.
 */
bool tw_env_access(TwInsn insn, TwEnvAccess *access);

/* The access of a LOOKUP with a hint: it loads the guest's pc. */
TwEnvAccess tw_lookup_access(const TwTarget *target);

/*
 * What the CALL at @words stores to globals, if it compares numbers and its
 * result goes there: fills @accesses, and returns how many, 0 to 2.
 */
unsigned tw_fp_stores(const TwTarget *target, const uint64_t *words,
                      TwEnvAccess accesses[2]);

/* The slots that share bytes with the access, a bit each. */
uint64_t tw_slots_overlapping(const TwPlan *plan, const TwEnvAccess *access);

/* The access's slot, a new one if need be, or NO_SLOT. */
uint8_t tw_plan_slot(TwPlanner *p, const TwEnvAccess *access);

/* Forget the slots of the function before. */
void tw_plan_no_slots(TwPlanner *p);

#endif
