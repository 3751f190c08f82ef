/*
 * Tier 0: the interpreter of TB bytecode.
 *
 * interp.c.inc is a template: the includer defines, before including it,
 *   TW_INTERP_FN           name of the function that is defined, a TwTbFn
 *   TW_INTERP_TLB_OFS      env-relative offset of TwTlbDesc[0], a constant
 *   TW_INTERP_PAGE_BITS    guest page size, log2; an expression
 *   TW_INTERP_LD(size_log2, env, addr, oi, retaddr)       slow paths, as
 *   TW_INTERP_ST(size_log2, env, addr, val, oi, retaddr)  TwTarget describes
 *   TW_INTERP_LDX/STX      same arguments, any MemOp (without size_log2)
 *   TW_INTERP_CALL(sig, fn, regs)   calls a helper, see tw_call()
 *   TW_INTERP_HOT(env, frame, header)   the countdown reached zero; afterwards
 *                          header->countdown is set anew; returns true if the
 *                          TB is now to be entered through the dispatcher
 * so that QEMU and the tests compile the same code against their own world.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_INTERP_H
#define TW_INTERP_H

#include "bytecode.h"
#include "fence.h"
#include "layout.h"
#include "vec.h"

/*
 * Call the helper @fn, a function of signature @sig, with arguments regs[0..].
 * Its result goes to regs[0] (and regs[1], if it has 128 bits); 32-bit results
 * are zero-extended. False, and no call, if the signature is not in the table.
 */
bool tw_call(TwSig sig, uintptr_t fn, uint64_t *regs);

#endif
