/*
 * Operand constraints of the wasm target: letters.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
REGS('r', MAKE_64BIT_MASK(0, TW_NB_REGS))
REGS('w', MAKE_64BIT_MASK(TW_REG_V0, TW_NB_VREGS))

CONST('I', TCG_CT_CONST_S32)    /* a sign-extended 32-bit immediate */
CONST('J', TCG_CT_CONST_S16)    /* a sign-extended 16-bit immediate */
