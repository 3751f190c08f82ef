/*
 * Where parts of CPUState lie, seen from env, which directly follows CPUState.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_WASM_ENV_OFFSETS_H
#define TCG_WASM_ENV_OFFSETS_H

#include "hw/core/cpu.h"

#define TW_CPU_OFS(field) \
    ((int)offsetof(CPUState, field) - (int)sizeof(CPUState))

/* CPUTLBDescFast[0]; CPUNegativeOffsetState is the end of CPUState. */
#define TW_ENV_TLB_OFS \
    ((int)(offsetof(CPUNegativeOffsetState, tlb.f[0]) - \
           sizeof(CPUNegativeOffsetState)))

/* The byte that says whether an instruction may do I/O. */
#define TW_ENV_CAN_DO_IO_OFS TW_CPU_OFS(neg.can_do_io)

#endif
