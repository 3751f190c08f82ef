/*
 * Shared by the runtime's files only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_WASM_RUNTIME_INTERNAL_H
#define TCG_WASM_RUNTIME_INTERNAL_H

#include "lib/emit.h"

/* Offset of CPUTLBDescFast[0] from env: it ends right before it. */
#define TW_ENV_TLB_OFS \
    ((int)(offsetof(CPUNegativeOffsetState, tlb.f[0]) - \
           sizeof(CPUNegativeOffsetState)))

/* The byte that says whether an instruction may do I/O. */
#define TW_ENV_CAN_DO_IO_OFS \
    ((int)(offsetof(CPUState, neg.can_do_io) - sizeof(CPUState)))

TwTbFn tw_interpret;

/* QEMU's jump cache, as LOOKUPs use it. */
const TwJumpCache *tw_jump_cache(void);

/* Make LOOKUPs of the jumps by lookup in @tb's code, where that is right. */
void tw_speed_lookups(const struct TranslationBlock *tb, uint64_t *code,
                      size_t nwords);

/*
 * @header's countdown ran out. Decides, compiles if that is the decision, and
 * sets the countdown anew; true if compiled code is to be entered now.
 */
bool tw_hot(TwHeader *header);

#endif
