/*
 * Inside the emitter: its state, and the writer that all of its files use.
 * emit.c's essay says how the parts work together.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_EMIT_INT_H
#define TW_EMIT_INT_H

#include "emit.h"
#include "insn.h"
#include "layout.h"
#include "region.h"
#include "wasm-ops.h"

/* Offsets in the emitted program's memory: it has 32-bit pointers. */
enum {
    HEADER_FN = offsetof(TwHeader, fn),
    HEADER_TIER1_COUNT = offsetof(TwHeader, tier1_count),
    FRAME_RET_PC = offsetof(TwFrame, ret_pc),
    FRAME_SAMPLE_LEFT = sizeof(uint32_t),
    TLB_READ = offsetof(TwTlbEntry, addr_read),
    TLB_WRITE = offsetof(TwTlbEntry, addr_write),
    TLB_ADDEND = offsetof(TwTlbEntry, addend),
    DESC_MASK = 0,
    DESC_TABLE = 4,
    DESC_SIZE = 8,
};

#if UINTPTR_MAX == UINT32_MAX
static_assert(offsetof(TwFrame, sample_left) == FRAME_SAMPLE_LEFT, "frame");
static_assert(offsetof(TwTlbDesc, mask) == DESC_MASK, "TLB descriptor");
static_assert(offsetof(TwTlbDesc, table) == DESC_TABLE, "TLB descriptor");
static_assert(sizeof(TwTlbDesc) == DESC_SIZE, "TLB descriptor");
#endif

/* An i64 comparison is its i32 namesake + CMP_64. */
enum { CMP_64 = W_I64_EQZ - W_I32_EQZ };

/*
 * Locals: the parameters, then scratch i32, scratch i64, registers, slots,
 * scratch v128, vector registers.
 */
enum { LOCAL_ENV, LOCAL_FRAME, LOCAL_HEADER, NB_PARAMS };
typedef enum TwScratch {
    TW_T0, /* i32 */
    TW_T1,
    TW_NEG, /* i32: env + neg_ofs, for negative offsets */
    TW_PC, /* i32: number of the label to dispatch to, or 0 */
    TW_S0, /* i64 */
    TW_S1,
    TW_S2,
    TW_S3,
    TW_S4,
    TW_VS0, /* v128 */
    TW_NB_SCRATCH,
    TW_FIRST_I64 = TW_S0,
    TW_FIRST_V128 = TW_VS0,
} TwScratch;

/* words[].info */
enum {
    INFO_START = 1 << 0, /* an instruction starts here */
    INFO_TARGET = 1 << 1, /* a branch ends here */
    INFO_CHAIN = 1 << 2, /* its result goes into a store, see emit.c */
    INFO_CONST = 1 << 3, /* a store to env of what was just made constant */
};

enum {
    NO_TARGET = UINT32_MAX,
    NO_SLOT = 0xff,
    MAX_SLOTS = 64,
};

typedef struct TwWord {
    uint8_t info;
    uint8_t slot; /* that is loaded or stored here, or NO_SLOT */
    uint32_t live; /* registers live after the instruction, a bit each */
    uint32_t label; /* index of the label here, if INFO_TARGET */
    uint32_t target; /* word that this branches to, or NO_TARGET */
    uint32_t reads; /* registers, a bit each */
    uint32_t reads_once; /* ... that are only one operand */
    uint32_t writes;
} TwWord;

/* A branch target. @owner, @loop_end, @number: see emit-flow.c. */
typedef struct TwLabel {
    uint32_t word;
    uint32_t first_src; /* first forward branch to it, or UINT32_MAX */
    uint32_t loop_end; /* as a loop: first word after it, or 0 */
    uint32_t owner; /* innermost loop around it, or NO_LABEL */
    uint32_t live; /* registers live here */
    uint32_t block_depth; /* scopes open outside its block */
    uint32_t loop_depth; /* ... outside its loop */
    uint32_t number; /* in dispatchers, or 0: none leads here */
    bool dispatches; /* a loop with a dispatcher at its start */

    /* Slots, a bit each; see emit-slot-flow.c. */
    uint32_t edges; /* ways to get here */
    uint64_t wanted; /* read before they are overwritten */
    uint64_t valid; /* in their locals here */
    uint64_t dirty; /* ... and perhaps not in env */
    uint64_t meet_valid; /* while these two are being found */
    uint64_t meet_dirty;
    size_t saved; /* state on the only edge, or NOT_SAVED */
} TwLabel;

enum { NOT_SAVED = SIZE_MAX };

/* A way to a label, and what happens to slots on the way from its block. */
typedef struct TwEdge {
    uint32_t from; /* label that starts the block, or NO_LABEL */
    uint32_t to; /* label */
    bool back;
    uint64_t untouched; /* neither read, written nor forgotten */
    uint64_t kept; /* as valid as at the start, or more: */
    uint64_t valid;
    uint64_t kept_dirty; /* as dirty as at the start, or more: */
    uint64_t dirty;
} TwEdge;

enum { NO_LABEL = UINT32_MAX };

/* What is known about a register's value at this point of the function. */
typedef enum TwKind { TW_UNKNOWN, TW_CONST, TW_ENV_PLUS, TW_FRAME_PLUS } TwKind;

typedef struct TwKnown {
    TwKind kind;
    int64_t value; /* the constant, or what is added */
} TwKnown;

/* An env slot of a region function: a global that has a local. */
typedef struct TwSlot {
    int32_t ofs;
    uint32_t global; /* index in the target's list */
    uint8_t size; /* log2 of bytes */
    uint8_t local; /* its bits above @size are unspecified */
} TwSlot;

/* What is known of the slots at this point of the function: sets of bits. */
typedef struct TwSlotState {
    uint64_t valid; /* the value is known, or in the local */
    uint64_t dirty; /* ... and env may hold another */
    uint64_t known; /* the value is the constant in @values */
    uint64_t pending; /* ... which the local does not hold */
    int64_t values[MAX_SLOTS];
} TwSlotState;

/* A stretch of a function's code that is one member's. */
typedef struct TwSegment {
    const TwTbRef *tb;
    uint32_t start; /* word of its header */
} TwSegment;

/* Members of the group by address, sorted. */
typedef struct TwMember {
    uint32_t addr;
    uint32_t index;
} TwMember;

typedef struct TwEmit {
    const TwEmitOptions *options;
    const TwTarget *target;
    const TwTbRef *tbs;
    size_t ntbs;
    TwBuf *out;

    TwMember *members;
    TwRegionNode *nodes; /* of regions, if that is the shape */
    TwRegionPlan plan;

    /* Types of the module; type 0 is that of TB functions. */
    uint32_t *types;
    uint32_t ntypes;
    uint32_t types_cap;

    /* Working memory, for the largest function. */
    TwWord *words;
    TwLabel *labels;
    uint32_t *scopes; /* word at which each open scope ends */
    uint32_t *branches; /* words with branches */
    TwEdge *edges;
    TwSegment *segments;
    uint64_t *joined; /* code of a region */
    uint32_t *start_of; /* per member: its segment's start, or NO_TARGET */
    uint8_t *slot_of; /* per global: its slot, or NO_SLOT */
    int64_t *saved; /* states of slots, for labels */
    size_t nsaved;
    size_t saved_cap;

    /* This function. */
    const uint64_t *code;
    uint32_t nwords;
    uint32_t nsegments;
    uint32_t nlabels;
    uint32_t nbranches;
    uint32_t nedges;
    uint32_t nslots;
    uint32_t regs_used;
    uint32_t scratch_used; /* bit per TwScratch */
    int32_t neg_ofs; /* lowest negative env offset, or 0 */
    bool caching; /* are env slots kept in locals? */
    uint32_t depth; /* scopes open */
    uint8_t local[TW_NB_ALL_REGS];
    uint8_t scratch[TW_NB_SCRATCH];
    TwSlot slots[MAX_SLOTS];

    /* This segment. */
    const TwTbRef *tb;
    uint32_t segment;
    uint32_t base; /* word of its header */

    /* This instruction. */
    uint32_t at;
    TwInsn insn;
    uint32_t live; /* registers live after it */
    uint32_t single; /* registers read just once, dead afterwards */
    bool base_pushed; /* the base of a later store is on the stack */
    bool in_arm; /* inside an if: registers must stay as they are */

    /* Registers. */
    uint32_t known; /* bit per register with a known value */
    uint32_t pending; /* ... which its local does not hold yet */
    TwKnown values[TW_NB_ALL_REGS]; /* never known of vectors */
    size_t set_start; /* the latest local.set of a register: its place, */
    size_t set_end;
    unsigned set_reg;
    size_t extend_end; /* end of the latest i64.extend_i32_* */

    /* Slots. */
    TwSlotState state;
    uint32_t lazy_until; /* up to this word, stores may wait */
} TwEmit;

/*
 * Writer. tw_buf_need() makes room once per instruction (ROOM is more than any
 * one can take); the others do not check.
 */
enum { ROOM = 8192 };

bool tw_buf_need(TwBuf *buf, size_t n);

static inline void put_byte(TwEmit *e, unsigned byte)
{
    e->out->data[e->out->len++] = (uint8_t)byte;
}

static inline void put_u32(TwEmit *e, uint32_t v)
{
    for (; v > 0x7f; v >>= 7) {
        put_byte(e, (v & 0x7f) | 0x80);
    }
    put_byte(e, v);
}

static inline void put_s64(TwEmit *e, int64_t v)
{
    while (v > 63 || v < -64) {
        put_byte(e, (v & 0x7f) | 0x80);
        v >>= 7;
    }
    put_byte(e, v & 0x7f);
}

static inline unsigned s64_size(int64_t v)
{
    unsigned n = 1;

    for (; v > 63 || v < -64; v >>= 7) {
        n++;
    }
    return n;
}

static inline unsigned wasm_type(bool is64)
{
    return is64 ? W_TYPE_I64 : W_TYPE_I32;
}

/* A size that is known later: five bytes, padded. */
static inline size_t put_size_later(TwEmit *e)
{
    e->out->len += 5;
    return e->out->len;
}

static inline void patch_size(TwEmit *e, size_t start)
{
    size_t size = e->out->len - start;

    for (int i = 0; i < 5; i++) {
        e->out->data[start - 5 + i] = (size & 0x7f) | (i < 4 ? 0x80 : 0);
        size >>= 7;
    }
}

static inline void put_i32(TwEmit *e, uint32_t v)
{
    put_byte(e, W_I32_CONST);
    put_s64(e, (int32_t)v);
}

static inline void put_i64(TwEmit *e, int64_t v)
{
    put_byte(e, W_I64_CONST);
    put_s64(e, v);
}

static inline void put_get(TwEmit *e, unsigned local)
{
    put_byte(e, W_LOCAL_GET);
    put_byte(e, local);
}

static inline void put_set(TwEmit *e, unsigned local)
{
    put_byte(e, W_LOCAL_SET);
    put_byte(e, local);
}

static inline void put_tee(TwEmit *e, unsigned local)
{
    put_byte(e, W_LOCAL_TEE);
    put_byte(e, local);
}

static inline void put_simd(TwEmit *e, uint32_t op)
{
    put_byte(e, W_PREFIX_SIMD);
    put_u32(e, op);
}

/* A load or store; @align is log2 of what the address is known to be. */
static inline void put_mem(TwEmit *e, unsigned op, unsigned align, uint32_t ofs)
{
    put_byte(e, op);
    put_byte(e, align);
    put_u32(e, ofs);
}

static inline void put_extend(TwEmit *e, unsigned op)
{
    put_byte(e, op);
    e->extend_end = e->out->len;
}

static inline void put_call(TwEmit *e, uint32_t fn, uint32_t type)
{
    put_i32(e, fn);
    put_byte(e, W_CALL_INDIRECT);
    put_u32(e, type);
    put_byte(e, 0);
}

static inline void put_if(TwEmit *e, unsigned type)
{
    put_byte(e, W_IF);
    put_byte(e, type);
}

/*
 * emit-regs.c: registers. tw_read() is for an operand's only read in the code
 * of an instruction, and may take it from the stack where it was just made;
 * tw_peek() for operands that are read again. The *32 forms push low halves.
 */
void tw_regs_start(TwEmit *e);
void tw_regs_insn(TwEmit *e);
void tw_regs_label(TwEmit *e);
void tw_read(TwEmit *e, unsigned reg);
void tw_peek(TwEmit *e, unsigned reg);
void tw_read32(TwEmit *e, unsigned reg);
void tw_peek32(TwEmit *e, unsigned reg);
void tw_write(TwEmit *e, unsigned reg); /* pops an i64 */
void tw_write_u32(TwEmit *e, unsigned reg); /* pops an i32 */
void tw_write_known(TwEmit *e, unsigned reg, TwKind kind, int64_t value);
bool tw_is_const(const TwEmit *e, unsigned reg, int64_t *value);
bool tw_just_set(const TwEmit *e, unsigned reg);
void tw_flush(TwEmit *e, uint32_t regs);
/* Push the base of an address and return the offset that goes with it. */
uint32_t tw_push_env(TwEmit *e, int32_t ofs);
uint32_t tw_push_base(TwEmit *e, unsigned reg, int32_t ofs);
uint32_t tw_env_offset(const TwEmit *e, int32_t ofs); /* pushes nothing */

/*
 * emit-slots.c: env slots. A region function keeps them in locals; env has their
 * values where something else may look at it.
 */
typedef struct TwEnvAccess {
    int32_t ofs;
    uint8_t size; /* log2 of bytes */
    bool is_store;
    bool is_vector; /* then it is no slot's, whatever its size */
} TwEnvAccess;
bool tw_env_access(TwInsn insn, TwEnvAccess *access);
unsigned tw_slot_for(TwEmit *e, const TwEnvAccess *access);
uint64_t tw_slots_overlapping(const TwEmit *e, const TwEnvAccess *access);
bool tw_store_waits(const TwEmit *e, uint32_t at); /* the store at word @at */
void tw_slots_reach(TwEmit *e, const TwLabel *label); /* for the former */
void tw_slots_start(TwEmit *e);
void tw_slots_label(TwEmit *e, const TwLabel *label);
/* Before a branch: constants that the label has in locals. */
void tw_slots_settle(TwEmit *e, const TwLabel *label);
bool tw_slots_edge_costs(const TwEmit *e, const TwLabel *label);
void tw_slots_edge(TwEmit *e, TwLabel *label);
void tw_slots_save_all(TwEmit *e); /* in an arm: the state stays */
void tw_slots_clean(TwEmit *e); /* write all that is dirty */
void tw_slots_forget(TwEmit *e);
void tw_slots_touch(TwEmit *e, const TwEnvAccess *access);
void tw_slot_push(TwEmit *e, unsigned slot);
void tw_slot_load(TwEmit *e, unsigned slot);
void tw_slot_store(TwEmit *e, unsigned slot);
void tw_slot_stored(TwEmit *e, unsigned slot); /* the value, on the stack */

/* emit-slot-flow.c: the slots' state at labels. */
void tw_slots_analyse(TwEmit *e);

/* emit-scan.c: analysis of a function's code, and where in it we are. */
void tw_scan(TwEmit *e);
void tw_enter_segment(TwEmit *e, uint32_t at);
void tw_note_env(TwEmit *e, int32_t ofs); /* will be pushed, if negative */
uint32_t tw_segment_address(const TwEmit *e, uint32_t start);
uint32_t tw_live_at_target(const TwEmit *e, uint32_t at);

static inline uint32_t tw_address(const TwEmit *e, uint32_t at)
{
    return e->tb->addr + (at - e->base) * 8;
}

/* emit-flow.c: scopes, branches. */
void tw_flow_nest(TwEmit *e); /* part of tw_scan() */
void tw_flow_open(TwEmit *e);
void tw_flow_reach(TwEmit *e, bool *dead); /* at each instruction */
void tw_flow_close(TwEmit *e, size_t ended);
void tw_flow_branch(TwEmit *e);
void tw_flow_take(TwEmit *e); /* the branch, if the i32 on the stack says so */

/* Instruction selection: false if the opcode is not theirs. */
bool tw_emit_alu(TwEmit *e); /* emit-alu.c */
bool tw_emit_wide(TwEmit *e); /* emit-wide.c */
bool tw_emit_set(TwEmit *e); /* emit-cond.c */
void tw_emit_condition(TwEmit *e); /* ... of a branch */
bool tw_emit_mem(TwEmit *e); /* emit-mem.c */
bool tw_emit_leave(TwEmit *e); /* emit-leave.c */
bool tw_emit_vec(TwEmit *e); /* emit-vec.c */
bool tw_vec_needs_scratch(TwInsn insn);

/* Push the base of a store now whose value is yet to be computed. */
void tw_push_store_base(TwEmit *e, TwInsn store);
/* ... or unless that was done; returns the offset that goes with it. */
uint32_t tw_open_store(TwEmit *e, TwInsn store);
/* Before a host access at which no slot is: write or forget some slots. */
void tw_touch_slots(TwEmit *e, TwInsn insn);
/* Push the base of a load, return the offset. */
uint32_t tw_push_address(TwEmit *e, TwInsn insn);

/* emit.c: which member does the exit @insn of @tb probably lead to, if any? */
bool tw_find_successor(const TwEmit *e, const TwTbRef *tb,
                       const uint64_t *words, uint32_t *member);

/* emit-lookup.c: the jump cache, for a LOOKUP that expects a TB */
bool tw_lookup_expects(const TwEmit *e, const uint64_t *words, uint32_t header,
                       TwExpected *expected);
TwEnvAccess tw_lookup_access(const TwEmit *e); /* to the guest's pc */
void tw_lookup_note(TwEmit *e);
void tw_put_probe(TwEmit *e, const TwExpected *expected); /* pushes: a hit? */

/* emit-module.c: types of helpers; all before the code, returns its start. */
TwRefusal tw_collect_types(TwEmit *e, const TwTbRef *tb);
uint32_t tw_type_index(TwEmit *e, TwSig sig);
enum { TW_LOOKUP_SIG = TW_SIG_I32 | 2 << 2 };
TwSig tw_qmem_sig(TwInsn insn);
size_t tw_put_head(TwEmit *e);

bool tw_put_names(TwEmit *e); /* emit-names.c; false: no memory */

/* emit-function.c */
TwRefusal tw_emit_function(TwEmit *e, uint32_t member);

#endif
