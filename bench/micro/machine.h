/*
 * The machine that benchmark TBs run on: what lies around env in QEMU, a frame,
 * and guest memory that the TLB maps whole, so that every access hits.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MICRO_MACHINE_H
#define MICRO_MACHINE_H

#include "tcg-wasm/emit.h"
#include "tcg-wasm/interp.h"

enum {
    MACHINE_PAGE_BITS = 12,
    MACHINE_GUEST_SIZE = 1 << 16,
    MACHINE_TLB_SIZE = 256,
    MACHINE_GUEST_REGS = 32,
};

/* Guest addresses of the mapped memory start here. */
#define MACHINE_GUEST_BASE UINT64_C(0xffffffff80000000)

/* As in QEMU, env is preceded by what all CPUs have. */
typedef struct Machine {
    TwTlbDesc tlb_desc;
    int32_t exit_request;       /* below 0: TBs leave at their start */
    uint8_t can_do_io;
    struct {
        uint64_t x[MACHINE_GUEST_REGS];
        uint64_t pc;
        int32_t fuel;           /* see machine_run() */
    } env;
    TwFrame frame;
    TwTlbEntry tlb[MACHINE_TLB_SIZE];
    uint8_t guest[MACHINE_GUEST_SIZE];
} Machine;

#define MACHINE_OFS(field) \
    ((int32_t)offsetof(Machine, field) - (int32_t)offsetof(Machine, env))
#define MACHINE_X(i) (MACHINE_OFS(env.x) + (int32_t)(i) * 8)

extern Machine machine;

/* Guest registers whose value is an address of mapped memory, always. */
enum { MACHINE_NB_BASES = 4 };
extern const uint8_t machine_bases[MACHINE_NB_BASES];

void machine_init(void);

/* What the emitter has to know of this machine. */
TwTarget machine_target(void);

/* Tier 0 of this machine. */
TwTbFn machine_interpret;

/* Signature of both helpers. */
#define MACHINE_SIG ((TwSig)(TW_SIG_I64 | 1 << 2 | 1 << 6))

/* A helper that takes and returns 64 bits, and does next to nothing. */
uint64_t machine_helper(uint64_t value);

/*
 * A helper that finds a TB, as QEMU's lookup_tb_ptr: returns the address of the
 * header of TB @index of machine_tbs.
 */
uint64_t machine_lookup(uint64_t index);
extern uint64_t *const *machine_tbs;

/*
 * Enter @header and go on, by the dispatcher, until a TB leaves because
 * env.fuel has run out: TBs that count take one from @fuel at each execution.
 */
void machine_run(TwHeader *header, int32_t fuel);

#endif
