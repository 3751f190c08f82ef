/*
 * Memory model of the wasm target.
 *
 * Engines keep the order of plain accesses when they compile (none reorders
 * accesses of a shared memory), so what the processor below keeps is kept. What it
 * does not keep and the guest needs is an explicit MB. Which processor that is, is
 * known at run time only: see tw_host_is_tso().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_TARGET_MO_H
#define TCG_TARGET_MO_H

/* A set of TCG_MO_*: orders that need no barrier. Set before anything is translated. */
extern unsigned tw_kept_orders;

#define TCG_TARGET_DEFAULT_MO tw_kept_orders

#endif
