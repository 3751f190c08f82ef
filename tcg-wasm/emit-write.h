/*
 * Writing a function: the state of the files that write Wasm instructions, and
 * the instructions' encoding.
 *
 * TwEmit has the emitter's state in three parts: what it is given and what it
 * has planned, which are const here, and what it writes, with what is known at
 * this point of the code.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_EMIT_WRITE_H
#define TW_EMIT_WRITE_H

#include "emit-buf.h"
#include "emit-layout.h"
#include "emit-types.h"
#include "plan.h"
#include "wasm-ops.h"

/* What is known about a register's value at this point of the function. */
typedef enum TwKind { TW_UNKNOWN, TW_CONST, TW_ENV_PLUS, TW_FRAME_PLUS } TwKind;

typedef struct TwKnown {
    TwKind kind;
    int64_t value; /* the constant, or what is added to env or frame */
} TwKnown;

/* What is known of the slots at this point of the function: sets of bits. */
typedef struct TwSlotState {
    uint64_t valid; /* the value is known, or in the local */
    uint64_t dirty; /* ... and env may hold another */
    uint64_t known; /* the value is the constant in @values */
    uint64_t pending; /* ... which the local does not hold yet */
    int64_t values[MAX_SLOTS];
} TwSlotState;

/* A label, as far as it has been written. */
typedef struct TwLabelState {
    uint32_t block_depth; /* scopes open outside its block */
    uint32_t loop_depth; /* scopes open outside its loop */
    size_t saved; /* slots' state on the only way to it, or NOT_SAVED */
} TwLabelState;

enum { NOT_SAVED = SIZE_MAX };

typedef struct TwEmit {
    /* Given. */
    const TwGroup *group;
    const TwTypes *types;

    /* Planned. */
    const TwPlan *plan;

    /* Written. */
    TwBuf *out;

    /* This instruction. */
    uint32_t at;
    TwInsn insn;
    TwPlace place;
    uint32_t live; /* registers live after it */
    uint32_t single; /* registers read just once, dead afterwards */
    bool base_pushed; /* the base of a later store is on the stack */
    bool in_arm; /* inside an if: registers must stay as they are */

    /* Scopes. */
    uint32_t depth; /* scopes open */
    uint32_t *scopes; /* word at which each open scope ends */
    TwLabelState *labels; /* by index of label */

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
    int64_t *saved; /* states for labels with one way to them */
    size_t nsaved;
    size_t saved_cap;
} TwEmit;

/* Address of the instruction at word @at of this segment. */
static inline uint32_t tw_address(const TwEmit *e, uint32_t at)
{
    return e->place.tb->addr + (at - e->place.start) * 8;
}

/*
 * tw_buf_need() makes room for this many bytes before each instruction, more
 * than the code of any one takes. The functions below do not check.
 */
enum { ROOM = 8192 };

static inline void put_byte(TwEmit *e, unsigned byte)
{
    tw_put_byte(e->out, byte);
}

static inline void put_u32(TwEmit *e, uint32_t v)
{
    tw_put_u32(e->out, v);
}

static inline void put_i32(TwEmit *e, uint32_t v)
{
    put_byte(e, W_I32_CONST);
    tw_put_s64(e->out, (int32_t)v);
}

static inline void put_i64(TwEmit *e, int64_t v)
{
    put_byte(e, W_I64_CONST);
    tw_put_s64(e->out, v);
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

/* Call the function at table index @fn, of the module's type @type. */
static inline void put_call(TwEmit *e, uint32_t fn, uint32_t type)
{
    put_i32(e, fn);
    put_byte(e, W_CALL_INDIRECT);
    put_u32(e, type);
    put_byte(e, 0);
}

/* @type: of the value that the if leaves, or W_TYPE_VOID */
static inline void put_if(TwEmit *e, unsigned type)
{
    put_byte(e, W_IF);
    put_byte(e, type);
}

#endif
