/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

#include "tcg-wasm/host.h"

Machine machine;
uint64_t *const *machine_tbs;

/* sp, gp, tp, s0: what most accesses of a kernel are relative to. */
const uint8_t machine_bases[MACHINE_NB_BASES] = { 2, 3, 4, 8 };

/*
 * A slow path was taken, but all accesses should hit: the benchmark is wrong.
 */
static uint64_t missed(void)
{
    abort();
}

static uint64_t slow_ld(void *env, uint64_t addr, uint32_t oi, uintptr_t ra)
{
    (void)env;
    (void)addr;
    (void)oi;
    (void)ra;
    return missed();
}

static void slow_st32(void *env, uint64_t addr, uint32_t v, uint32_t oi,
                      uintptr_t ra)
{
    (void)env;
    (void)addr;
    (void)v;
    (void)oi;
    (void)ra;
    missed();
}

static void slow_st64(void *env, uint64_t addr, uint64_t v, uint32_t oi,
                      uintptr_t ra)
{
    (void)env;
    (void)addr;
    (void)v;
    (void)oi;
    (void)ra;
    missed();
}

uint64_t machine_helper(uint64_t value)
{
    return value + 1;
}

uint64_t machine_lookup(uint64_t index)
{
    return (uintptr_t)machine_tbs[index];
}

void machine_init(void)
{
    memset(&machine, 0, sizeof(machine));
    machine.tlb_desc.table = machine.tlb;
    machine.tlb_desc.mask = (uintptr_t)(MACHINE_TLB_SIZE - 1)
                            << TW_TLB_ENTRY_BITS;
    memset(machine.tlb, 0xff, sizeof(machine.tlb));
    for (uint32_t ofs = 0; ofs < MACHINE_GUEST_SIZE;
         ofs += 1 << MACHINE_PAGE_BITS) {
        uint64_t addr = MACHINE_GUEST_BASE + ofs;

        machine.tlb[(addr >> MACHINE_PAGE_BITS) % MACHINE_TLB_SIZE] =
            (TwTlbEntry){
                .addr_read = addr,
                .addr_write = addr,
                .addr_code = addr,
                .addend = (uintptr_t)machine.guest + ofs - (uintptr_t)addr,
            };
    }
    for (unsigned i = 0; i < MACHINE_GUEST_REGS; i++) {
        machine.env.x[i] = i * UINT64_C(0x9e3779b97f4a7c15);
    }
    for (unsigned i = 0; i < MACHINE_NB_BASES; i++) {
        machine.env.x[machine_bases[i]] =
            MACHINE_GUEST_BASE + i * (MACHINE_GUEST_SIZE / MACHINE_NB_BASES);
    }
}

/* x0 is constant and no global. */
static const TwGlobal *globals(uint32_t *n)
{
    static TwGlobal all[MACHINE_GUEST_REGS];

    *n = MACHINE_GUEST_REGS;
    for (unsigned i = 1; i < MACHINE_GUEST_REGS; i++) {
        all[i - 1] = (TwGlobal){ MACHINE_X(i), 8 };
    }
    all[MACHINE_GUEST_REGS - 1] = (TwGlobal){ MACHINE_OFS(env.pc), 8 };
    return all;
}

TwTarget machine_target(void)
{
    uint32_t ld = tw_host_index((const void *)slow_ld);
    uint32_t st32 = tw_host_index((const void *)slow_st32);
    TwTarget target = {
        .tlb_desc_ofs = MACHINE_OFS(tlb_desc),
        .page_bits = MACHINE_PAGE_BITS,
        .fn_ld = { ld, ld, ld, ld },
        .fn_st = { st32, st32, st32, tw_host_index((const void *)slow_st64) },
    };

    target.globals = globals(&target.nglobals);
    tw_host_memory_limits(&target.mem_min_pages, &target.mem_max_pages);
    return target;
}

static bool hot(TwHeader *header)
{
    header->countdown = INT32_MAX;
    return false;
}

#define TW_INTERP_FN machine_interpret
#define TW_INTERP_TLB_OFS MACHINE_OFS(tlb_desc)
#define TW_INTERP_PAGE_BITS MACHINE_PAGE_BITS
#define TW_INTERP_LD(size, env, addr, oi, ra) missed()
#define TW_INTERP_ST(size, env, addr, v, oi, ra) missed()
#define TW_INTERP_LDX(env, addr, oi, ra) missed()
#define TW_INTERP_STX(env, addr, v, oi, ra) missed()
#define TW_INTERP_CALL(sig, fn, regs) tw_call(sig, fn, regs)
#define TW_INTERP_HOT(env, frame, header) hot(header)
#include "tcg-wasm/interp.c.inc"

void machine_run(TwHeader *header, int32_t fuel)
{
    machine.env.fuel = fuel;
    for (;;) {
        uint32_t fn = header->fn;
        uintptr_t next =
            fn ? tw_host_fn(fn)(&machine.env, &machine.frame, header)
               : machine_interpret(&machine.env, &machine.frame, header);

        if (!(next & TW_CHAIN)) {
            return;
        }
        header = (TwHeader *)(next & ~TW_CHAIN);
    }
}
