/*
 * Host memory: addresses of the accesses of LD, ST, LDE, STE, STEI, VLD, VST.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_EMIT_HOST_H
#define TW_EMIT_HOST_H

#include "emit-write.h"

/* Push the base of a load; returns the offset that goes with it. */
uint32_t tw_push_address(TwEmit *e, TwInsn insn);

/* At the start of a chain: push the base of the store at its end. */
void tw_push_store_base(TwEmit *e, TwInsn store);

/*
 * Push the base of a store, unless tw_push_store_base() did; returns the offset
 * that goes with it.
 */
uint32_t tw_open_store(TwEmit *e, TwInsn store);

/*
 * Before an access that is no slot's. If its address is known to be in env,
 * slots that share bytes with it are written to env, and forgotten if it
 * stores.
 */
void tw_touch_slots(TwEmit *e, TwInsn insn);

#endif
