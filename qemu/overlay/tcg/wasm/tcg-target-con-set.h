/*
 * Operand constraints of the wasm target: the combinations in use.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
C_O0_I1(r)
C_O0_I2(r, r)
C_O0_I2(r, rI)
C_O0_I2(rJ, r)
C_O0_I2(w, r)
C_O1_I1(r, r)
C_O1_I1(w, r)
C_O1_I1(w, w)
C_O1_I2(r, r, r)
C_O1_I2(r, r, rI)
C_O1_I2(w, w, r)
C_O1_I2(w, w, w)
C_O1_I3(w, w, w, w)
C_O1_I4(r, r, r, r, r)
C_O2_I2(r, r, r, r)
C_O2_I4(r, r, r, r, r, r)
