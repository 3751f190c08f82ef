/*
 * The code buffer: its size, its sections, and what happens when it is full.
 *
 * QEMU divides the buffer into regions, of which each vCPU thread fills one at
 * a time. Here they are called sections, because regions are something else to
 * the emitter. When no section is free, the buffer policy (tiers/buffer.h)
 * chooses a full one, which is evicted while no vCPU is inside a TB: QEMU
 * forgets its TBs, and every module with one of them as a member is retired.
 *
 * A module must not outlive the memory of a member's header: its code compares
 * the addresses of headers, and another TB's header may come to the same place.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_WASM_BUFFER_H
#define TCG_WASM_BUFFER_H

#include "exec/translation-block.h"

/* Called by QEMU */

/* The size in bytes where the user gives none. */
size_t tw_buffer_default_size(void);

/* How many sections a buffer of @bytes has for @cpus vCPUs. Once, at first. */
size_t tw_buffer_sections(size_t bytes, unsigned cpus);

/* A free section, which the caller fills; false if there is none. */
bool tw_buffer_take(size_t *section);

/*
 * @cpu's thread found no free section: evict one, or flush the buffer. Done on
 * return, or before @cpu enters a TB again.
 */
void tw_buffer_full(CPUState *cpu);

/* Is a section being evicted? Jump caches are flushed afterwards. */
bool tw_buffer_evicts(void);

/* All sections are free again. */
void tw_buffer_flushed(void);

/* What the patches add to QEMU, for an eviction: no vCPU is inside a TB. */

/* The section that @p, an address in the buffer, is in. */
size_t tw_region_of(const void *p);

/* Call @func for each TB of section @i, invalid ones included. */
void tw_region_foreach(size_t i, GTraverseFunc func, void *opaque);

/* Forget the TBs of section @i, none of which is in use. */
void tw_region_empty(size_t i);

/* Invalidate @tb, and take it out of all chains. */
void tw_tb_unlink(TranslationBlock *tb);

#endif
