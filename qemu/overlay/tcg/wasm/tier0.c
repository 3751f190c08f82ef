/*
 * Tier 0 in QEMU: lib/interp.c.inc with QEMU's TLB and slow paths.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "exec/tlb-common.h"
#include "hw/core/cpu.h"
#include "tcg/tcg.h"
#include "tcg/tcg-ldst.h"
#include "lib/interp.h"
#include "env-offsets.h"
#include "events.h"
#include "state.h"
#include "tier0.h"

/* The layouts that bytecode.h and layout.h mirror. */
QEMU_BUILD_BUG_ON(sizeof(TwTlbEntry) != sizeof(CPUTLBEntry));
QEMU_BUILD_BUG_ON(TW_TLB_ENTRY_BITS != CPU_TLB_ENTRY_BITS);
QEMU_BUILD_BUG_ON(offsetof(TwTlbEntry, addr_read) !=
                  offsetof(CPUTLBEntry, addr_read));
QEMU_BUILD_BUG_ON(offsetof(TwTlbEntry, addr_write) !=
                  offsetof(CPUTLBEntry, addr_write));
QEMU_BUILD_BUG_ON(offsetof(TwTlbEntry, addend) !=
                  offsetof(CPUTLBEntry, addend));
QEMU_BUILD_BUG_ON(sizeof(TwTlbDesc) != sizeof(CPUTLBDescFast));
QEMU_BUILD_BUG_ON(offsetof(TwTlbDesc, mask) != offsetof(CPUTLBDescFast, mask));
QEMU_BUILD_BUG_ON(offsetof(TwTlbDesc, table) !=
                  offsetof(CPUTLBDescFast, table));

static uint64_t slow_load(CPUArchState *env, uint64_t addr, MemOpIdx oi,
                          uintptr_t ra)
{
    switch (get_memop(oi) & MO_SSIZE) {
    case MO_UB:
        return helper_ldub_mmu(env, addr, oi, ra);
    case MO_SB:
        return helper_ldsb_mmu(env, addr, oi, ra);
    case MO_UW:
        return helper_lduw_mmu(env, addr, oi, ra);
    case MO_SW:
        return helper_ldsw_mmu(env, addr, oi, ra);
    case MO_UL:
        return helper_ldul_mmu(env, addr, oi, ra);
    case MO_SL:
        return helper_ldsl_mmu(env, addr, oi, ra);
    default:
        return helper_ldq_mmu(env, addr, oi, ra);
    }
}

static void slow_store(CPUArchState *env, uint64_t addr, uint64_t val,
                       MemOpIdx oi, uintptr_t ra)
{
    switch (get_memop(oi) & MO_SIZE) {
    case MO_8:
        helper_stb_mmu(env, addr, val, oi, ra);
        break;
    case MO_16:
        helper_stw_mmu(env, addr, val, oi, ra);
        break;
    case MO_32:
        helper_stl_mmu(env, addr, val, oi, ra);
        break;
    default:
        helper_stq_mmu(env, addr, val, oi, ra);
        break;
    }
}

static void unknown_signature(TwSig sig)
{
    error_report("tierlab: no helper of signature 0x%x can be called; "
                 "this is a bug in tcg-wasm/call.c",
                 sig);
    abort();
}

#define TW_INTERP_FN tw_interpret
#define TW_INTERP_TLB_OFS TW_ENV_TLB_OFS
#define TW_INTERP_PAGE_BITS tw.page_bits
#define TW_INTERP_LD(size, env, addr, oi, ra) slow_load(env, addr, oi, ra)
#define TW_INTERP_ST(size, env, addr, val, oi, ra) \
    slow_store(env, addr, val, oi, ra)
#define TW_INTERP_LDX slow_load
#define TW_INTERP_STX slow_store
#define TW_INTERP_CALL(sig, fn, regs) \
    do { \
        if (unlikely(!tw_call(sig, fn, regs))) { \
            unknown_signature(sig); \
        } \
    } while (0)
#define TW_INTERP_HOT(env, frame, header) tw_hot(header)

#include "lib/interp.c.inc"
