/*
 * Memory model of the wasm target.
 *
 * Engines do not reorder plain accesses to a shared memory when they compile,
 * so every order that the processor keeps is kept. An order that the guest
 * needs and the processor does not keep becomes an explicit MB. The kind of
 * processor is known at run time only: see tw_host_is_tso().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_TARGET_MO_H
#define TCG_TARGET_MO_H

/*
 * A set of TCG_MO_*: orders that need no barrier. Set before anything is
 * translated. Not part of TwRuntime, as all of TCG includes this file.
 */
extern unsigned tw_kept_orders;

#define TCG_TARGET_DEFAULT_MO tw_kept_orders

#endif
