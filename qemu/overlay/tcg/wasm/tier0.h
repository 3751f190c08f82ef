/*
 * Tier 0: the interpreter.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_WASM_TIER0_H
#define TCG_WASM_TIER0_H

#include "lib/bytecode.h"

TwTbFn tw_interpret;

#endif
