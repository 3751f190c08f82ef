/*
 * Env slots: TCG's globals, which live in env, as locals of a region function.
 *
 * What is known of slots at each point of the code is in e->state, and changes
 * as the code is written: a load makes a slot valid; a store that waits makes
 * it dirty as well, other stores go to env too. Constants are only remembered,
 * as with registers. Before anything that may look at env, what is dirty is
 * written to env; if that is rare, on the path to it only:
 *
 *     ste64  r14, [env+80]     ...  local.set a0
 *     qld64  r15, [r16]        (look up the TLB) if  (plain load)
 *                              else  env.80 = a0, slow path  end
 *     lde64  r14, [env+80]     local.get a0
 *
 * At a label all ways to it must agree, so the state at labels is planned
 * (plan-slot-flow.h), and a way with another state loads or writes the
 * difference. A label with only one way to it takes over the state as it is.
 *
 * A local holds its slot's value in its low bits; loads extend them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_EMIT_SLOTS_H
#define TW_EMIT_SLOTS_H

#include "emit-write.h"
#include "plan-slots.h"

/* Start a function: no slot is valid. */
void tw_slots_start(TwEmit *e);

/* At a label: take over its state. */
void tw_slots_label(TwEmit *e, const TwLabel *label);

/*
 * A branch to the label, or the falling into it, in two steps, as the condition
 * is written between them. First, locals get the constants that the label has
 * in locals. Then, where only this way goes on, loads and writes make the state
 * that of the label. _costs: would this second step write any code?
 */
void tw_slots_settle(TwEmit *e, const TwLabel *label);
void tw_slots_edge(TwEmit *e, const TwLabel *label);
bool tw_slots_edge_costs(const TwEmit *e, const TwLabel *label);

/* Write what is dirty to env; after _save_all(), in an arm, it stays dirty. */
void tw_slots_clean(TwEmit *e);
void tw_slots_save_all(TwEmit *e);

/* Forget all: something may have written to env. */
void tw_slots_forget(TwEmit *e);

/*
 * Before an access to env that is no slot's: slots that share bytes with it are
 * written to env, and forgotten if it stores.
 */
void tw_slots_touch(TwEmit *e, const TwEnvAccess *access);

/* Push the slot's value; bits above its size are unspecified. */
void tw_slot_push(TwEmit *e, unsigned slot);

/* The load, or the store that waits, that is this instruction. */
void tw_slot_load(TwEmit *e, unsigned slot);
void tw_slot_store(TwEmit *e, unsigned slot);

/* A store that does not wait: its value is on the stack, and stays there. */
void tw_slot_stored(TwEmit *e, unsigned slot);

#endif
