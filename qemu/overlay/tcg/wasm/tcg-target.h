/*
 * The "wasm" TCG target: emits TB bytecode, the input of every tier.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_TARGET_H
#define TCG_TARGET_H

#include "lib/bytecode.h"

#define TCG_TARGET_INSN_UNIT_SIZE 8
#define TCG_TARGET_NB_REGS 32 /* TW_NB_ALL_REGS, for #if */
#define MAX_CODE_GEN_BUFFER_SIZE ((size_t)1 * GiB)

typedef enum {
    TCG_REG_R0,
    TCG_REG_R1,
    TCG_REG_R2,
    TCG_REG_R3,
    TCG_REG_R4,
    TCG_REG_R5,
    TCG_REG_R6,
    TCG_REG_R7,
    TCG_REG_R8,
    TCG_REG_R9,
    TCG_REG_R10,
    TCG_REG_R11,
    TCG_REG_R12,
    TCG_REG_R13,
    TCG_REG_R14,
    TCG_REG_R15,
    TCG_REG_R16,
    TCG_REG_R17,
    TCG_REG_R18,
    TCG_REG_R19,
    TCG_REG_R20,
    TCG_REG_TMP = TW_REG_TMP,
    TCG_AREG0 = TW_REG_ENV,
    TCG_REG_CALL_STACK = TW_REG_FRAME,
    TCG_REG_V0 = TW_REG_V0,
    TCG_REG_V1,
    TCG_REG_V2,
    TCG_REG_V3,
    TCG_REG_V4,
    TCG_REG_V5,
    TCG_REG_V6,
    TCG_REG_V7,
} TCGReg;

#endif
