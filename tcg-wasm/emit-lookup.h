/*
 * LOOKUP's short cut: compiled code probes the host's jump cache.
 *
 * Where tier 0 has left a hint, all but the guest's pc is known when the code
 * is made: which TB is expected, so which tag its entry has. If the entry's pc
 * is the guest's, the TB is still at this address, as the host clears entries
 * when mappings change. A hit needs no call and no precise env.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_EMIT_LOOKUP_H
#define TW_EMIT_LOOKUP_H

#include "emit-write.h"

/* Push an i32: does the jump cache hold @expected for the guest's pc? */
void tw_put_probe(TwEmit *e, const TwExpected *expected);

#endif
