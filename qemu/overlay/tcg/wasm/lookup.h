/*
 * Jumps by lookup: returns, calls, and jumps to another page.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_WASM_LOOKUP_H
#define TCG_WASM_LOOKUP_H

#include "lib/emit.h"

struct TranslationBlock;

/* QEMU's jump cache, as compiled LOOKUPs probe it. */
const TwJumpCache *tw_jump_cache(void);

/* Make LOOKUPs of the jumps by lookup in @tb's code, where that is right. */
void tw_speed_lookups(const struct TranslationBlock *tb, uint64_t *code,
                      size_t nwords);

#endif
