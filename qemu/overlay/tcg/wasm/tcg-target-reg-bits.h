/*
 * Registers are 64 bits wide on every host, pointers need not be: 64-bit
 * guests are then not "oversized" on wasm32, and MTTCG works.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_TARGET_REG_BITS_H
#define TCG_TARGET_REG_BITS_H

#define TCG_TARGET_REG_BITS 64

#endif
