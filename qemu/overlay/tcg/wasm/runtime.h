/*
 * The tiering runtime, as the rest of QEMU sees it: its start, and the events
 * that QEMU tells it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_WASM_RUNTIME_H
#define TCG_WASM_RUNTIME_H

#include "exec/vaddr.h"
#include "lib/bytecode.h"

struct TranslationBlock;

/*
 * @tb is complete, and other vCPUs can find it. It was translated from the
 * guest address @pc, whose host address is @host_pc (NULL if not RAM). The
 * translation took @ns nanoseconds.
 */
void tw_tb_translated(struct TranslationBlock *tb, vaddr pc,
                      const void *host_pc, int64_t ns);

/* Jumps to @tb are gone; vCPUs may still be inside. */
void tw_tb_invalidated(const struct TranslationBlock *tb);

/* The code buffer is reset; no vCPU is inside any TB. */
void tw_all_flushed(void);

/* Exit @n of @tb is now chained to the TB that starts at @next. */
void tw_tb_linked(const struct TranslationBlock *tb, int n,
                  const struct TwHeader *next);

/*
 * The guest wrote to its console. Under -icount, the guest's last output is the
 * last moment that is the same in every run: how far a vCPU gets after it asked
 * to power off depends on the host.
 */
void tw_guest_output(void);

/* Once, in the thread that initialises TCG. */
void tw_runtime_init(void);

#endif
