/*
 * The input of most benchmarks: TBs that resemble those of a riscv64 Linux boot
 * in length, in instructions and in exits. Synthetic and deterministic: equal
 * seeds give equal TBs, on every machine.
 *
 * What they resemble (profiles of boots of Debian's kernel): some 32 words of
 * bytecode a TB, 24 instructions executed, 43 to 48 % of them loads and stores
 * of guest registers in env, a fifth the same in all TBs (header, interrupt
 * check, can_do_io, jump), 1.7 guest accesses. 9 of 10 TBs end with goto_tb,
 * most of them after a conditional branch; the others look their successor up.
 * Values stay in registers within a TB, as TCG keeps them.
 *
 * TBs 0..n-1 form a ring when linked: each goes to the next whatever the data,
 * but neither emitter nor engine can know that. TB 0 takes one from env.fuel at
 * each execution and leaves when there is none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MICRO_TB_MIX_H
#define MICRO_TB_MIX_H

#include "code.h"
#include "tcg-wasm/emit.h"

typedef struct MixTb {
    uint32_t nwords;
    uint32_t guest_insns;
    uint32_t executed;          /* bytecode instructions per execution */
    uint32_t env_accesses;      /* of these, loads and stores of env */
    uint32_t exit_at[2];        /* word with the exit's target; 0: none */
    uint32_t next_at;           /* word with the index looked up; 0: none */
} MixTb;

typedef struct Mix {
    uint32_t n;
    uint64_t *arena;
    uint64_t **code;            /* by TB: its header */
    MixTb *tbs;
    TwTbRef *refs;              /* as the emitter wants them */
} Mix;

/* What the TBs are like, to say so in reports. */
typedef struct MixFacts {
    double words;               /* per TB, header included */
    double guest_insns;
    double executed;            /* instructions per execution of a TB */
    double env_share;           /* of these: loads and stores of env */
} MixFacts;

/* False: out of memory. @fused: with superinstructions. */
bool mix_init(Mix *mix, uint32_t n, uint64_t seed, bool fused);
void mix_free(Mix *mix);

/* Make a ring of TBs 0 to @n - 1, the first of them. */
void mix_link(Mix *mix, uint32_t n);

MixFacts mix_facts(const Mix *mix);

static inline TwHeader *mix_header(const Mix *mix, uint32_t i)
{
    return (TwHeader *)mix->code[i];
}

#endif
