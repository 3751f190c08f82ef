/*
 * The plan of one function: what is known of its code before it is written.
 *
 * The code is that of one TB, or in a region that of several TBs one behind the
 * other; each TB's part is a *segment*. In a region, an exit to a TB that has a
 * segment is a branch like others.
 *
 * TwPlan is what the files that write (emit-*.c) see; for them it is const,
 * with all that it points at. The passes that make it (plan-*.c) work on
 * TwPlanner, see planner.h. Planning keeps a few words of facts per bytecode
 * word, and the labels; it builds no tree.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_PLAN_H
#define TW_PLAN_H

#include "emit-group.h"
#include "insn.h"

/*
 * Numbers of Wasm locals: first the three parameters; then, as far as the
 * function uses them: scratch i32, scratch i64, registers, slots, scratch v128,
 * vector registers, scratch f64.
 */
enum { LOCAL_ENV, LOCAL_FRAME, LOCAL_HEADER, NB_PARAMS };

/*
 * Scratch locals: their values do not outlive an instruction, but those of
 * TW_PC and of the TLB lookups that are kept.
 */
typedef enum TwScratch {
    TW_T0, /* i32 */
    TW_T1,
    TW_NEG, /* i32: env + neg_ofs, for negative offsets; set at the start */
    TW_PC, /* i32: number of the label to dispatch to, or 0 */
    TW_LOAD_ADDEND, /* i32: host address - guest address, of loads, */
    TW_STORE_ADDEND, /* ... and of stores */
    TW_S0, /* i64 */
    TW_S1,
    TW_S2,
    TW_S3,
    TW_S4,
    TW_LOAD_PAGE, /* i64: address of the page, or no page's */
    TW_STORE_PAGE,
    TW_VS0, /* v128 */
    TW_VS1,
    TW_VS2,
    TW_D0, /* f64 */
    TW_D1,
    TW_D2,
    TW_D3,
    TW_D4,
    TW_D5,
    TW_NB_SCRATCH,
    TW_FIRST_I64 = TW_S0,
    TW_FIRST_V128 = TW_VS0,
    TW_FIRST_F64 = TW_D0,
} TwScratch;

/* Facts about a word: TwWord.info */
enum {
    INFO_START = 1 << 0, /* an instruction starts here */
    INFO_TARGET = 1 << 1, /* a branch leads here: there is a label */
    INFO_CHAIN = 1 << 2, /* the instruction's result goes into a store */
    INFO_CONST = 1 << 3, /* a store to env of what was just made constant */
    INFO_WAITS = 1 << 4, /* a slot's store that leaves env as it is */
    INFO_PAGE_KEPT = 1 << 5, /* a guest access whose TLB lookup is kept */
    INFO_PAGE_USED = 1 << 6, /* ... which uses the one that is kept */
};

enum {
    NO_TARGET = UINT32_MAX,
    NO_LABEL = UINT32_MAX,
    NO_SLOT = 0xff,
    MAX_SLOTS = 64, /* sets of slots are 64 bits */
};

/* Facts about the instruction that starts at a word. */
typedef struct TwWord {
    uint8_t info;
    uint8_t slot; /* that the instruction loads or stores, or NO_SLOT */
    uint32_t live; /* registers live after the instruction, a bit each */
    uint32_t label; /* index of the label here, if INFO_TARGET */
    uint32_t target; /* word that the instruction branches to, or NO_TARGET */
    uint32_t reads; /* registers that it reads, a bit each */
    uint32_t reads_once; /* ... those that are only one of its operands */
    uint32_t writes; /* registers that it writes */
} TwWord;

/*
 * A branch target. Labels are sorted by @word. plan-loops.c says what owners,
 * loops and numbers are for, plan-slot-flow.c how sets of slots are found.
 */
typedef struct TwLabel {
    uint32_t word;
    uint32_t first_src; /* first forward branch to it, or UINT32_MAX */
    uint32_t loop_end; /* if a loop starts here: first word after it; or 0 */
    uint32_t owner; /* label of the innermost loop around it, or NO_LABEL */
    uint32_t live; /* registers live here */
    uint32_t number; /* in dispatchers, or 0: no dispatcher leads here */
    bool dispatches; /* a loop with a dispatcher at its start */

    /* Slots, a bit each. */
    uint32_t edges; /* ways to get here */
    uint64_t wanted; /* read before they are overwritten */
    uint64_t valid; /* in their locals here */
    uint64_t dirty; /* ... and perhaps with another value in env */
    uint64_t meet_valid; /* of the edges so far, while both are being found */
    uint64_t meet_dirty;
} TwLabel;

/* A part of a function's code that is one member's. */
typedef struct TwSegment {
    const TwTbRef *tb;
    uint32_t start; /* word of its header */
} TwSegment;

/* A global that a region function keeps in a local. */
typedef struct TwSlot {
    int32_t ofs; /* from env */
    uint32_t global; /* index in the target's list */
    uint8_t size; /* log2 of bytes */
    uint8_t local; /* its bits above @size are unspecified */
} TwSlot;

typedef struct TwPlan {
    const TwGroup *group;

    const uint64_t *code;
    uint32_t nwords;
    const TwSegment *segments;
    uint32_t nsegments;
    const TwWord *words; /* by word of @code */
    const TwLabel *labels;
    uint32_t nlabels;

    /* Locals: only those in the sets have one. */
    uint32_t regs_used; /* bit per register */
    uint32_t scratch_used; /* bit per TwScratch */
    uint8_t local[TW_NB_ALL_REGS];
    uint8_t scratch[TW_NB_SCRATCH];
    uint8_t nlocals[4]; /* i32, i64, v128, f64, without the parameters */
    int32_t neg_ofs; /* lowest negative env offset, or 0 */

    /* Slots: none unless @caching. */
    bool caching;
    uint32_t nslots;
    TwSlot slots[MAX_SLOTS];
    const uint8_t *slot_of; /* by index of global: its slot, or NO_SLOT */
} TwPlan;

/* Where a walk over the code is: in which segment. */
typedef struct TwPlace {
    const TwTbRef *tb;
    uint32_t segment;
    uint32_t start; /* word of the segment's header */
} TwPlace;

/* The walk has come to the header at word @at. */
static inline void tw_enter_segment(TwPlace *place, const TwPlan *plan,
                                    uint32_t at)
{
    place->segment = at == 0 ? 0 : place->segment + 1;
    place->tb = plan->segments[place->segment].tb;
    place->start = plan->segments[place->segment].start;
}

/* Address of the header at word @start, that of a segment. */
static inline uint32_t tw_segment_address(const TwPlan *plan, uint32_t start)
{
    uint32_t low = 0, high = plan->nsegments;

    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;

        if (plan->segments[mid].start <= start) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return plan->segments[low].tb->addr;
}

/* Does the slot's store at word @at leave env as it is? See emit-slots.h. */
static inline bool tw_store_waits(const TwPlan *plan, uint32_t at)
{
    return plan->words[at].info & INFO_WAITS;
}

#endif
