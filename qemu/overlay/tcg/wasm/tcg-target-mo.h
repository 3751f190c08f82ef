/*
 * Memory model of the wasm target.
 *
 * Plain Wasm accesses may be reordered by the engine's compiler and by the
 * processor below it: every ordering that the guest needs is an explicit MB.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_TARGET_MO_H
#define TCG_TARGET_MO_H

#define TCG_TARGET_DEFAULT_MO 0

#endif
