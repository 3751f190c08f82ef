/*
 * What is known of registers, and pushing and writing them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-regs.h"

enum {
    ALWAYS_KNOWN = 1 << TW_REG_ENV | 1 << TW_REG_FRAME,
    /*
     * bytes: a constant's encoding up to which it is repeated, not kept
     */
    SMALL_CONST = 3,
};

static bool has(uint32_t set, unsigned reg)
{
    return (set >> reg) & 1;
}

void tw_regs_start(TwEmit *e)
{
    e->known = ALWAYS_KNOWN;
    e->pending = 0;
    e->values[TW_REG_ENV] = (TwKnown){ TW_ENV_PLUS, 0 };
    e->values[TW_REG_FRAME] = (TwKnown){ TW_FRAME_PLUS, 0 };
    e->set_end = 0;
    e->extend_end = 0;
    e->in_arm = false;
    e->base_pushed = false;
}

void tw_regs_label(TwEmit *e)
{
    e->known = ALWAYS_KNOWN;
    e->pending = 0;
}

/*
 * Find e->single: registers that this instruction reads once, and no later one.
 */
void tw_regs_insn(TwEmit *e)
{
    const TwWord *word = &e->plan->words[e->at];

    e->live = word->live;
    e->single = word->reads_once & ~(e->live & ~word->writes);
}

bool tw_just_set(const TwEmit *e, unsigned reg)
{
    return e->set_end == e->out->len && e->set_reg == reg;
}

/*
 * Push a register's local. True if this was done by taking back the local.set
 * just written, so that the value stays on the stack as it was made.
 */
static bool push_local(TwEmit *e, unsigned reg, bool only_read)
{
    if (!tw_just_set(e, reg)) {
        put_get(e, e->plan->local[reg]);
        return false;
    }
    e->set_end = 0;
    if (only_read && has(e->single, reg)) {
        e->out->len = e->set_start;
        return true;
    }
    e->out->data[e->set_start] = W_LOCAL_TEE;
    return false;
}

static void push_sum(TwEmit *e, unsigned local, int64_t value)
{
    put_get(e, local);
    put_byte(e, W_I64_EXTEND_U);
    if (value) {
        put_i64(e, value);
        put_byte(e, W_I64_ADD);
    }
}

static void push_value(TwEmit *e, TwKnown value)
{
    switch (value.kind) {
    case TW_CONST:
        put_i64(e, value.value);
        break;
    case TW_ENV_PLUS:
        push_sum(e, LOCAL_ENV, value.value);
        break;
    case TW_FRAME_PLUS:
        push_sum(e, LOCAL_FRAME, value.value);
        break;
    case TW_UNKNOWN:
        break;
    }
}

/* Push a known value: repeat it if that is cheap, else keep it in its local. */
static void push_known(TwEmit *e, unsigned reg)
{
    TwKnown value = e->values[reg];
    bool small =
        value.kind == TW_CONST && tw_s64_size(value.value) <= SMALL_CONST;

    if (small || has(ALWAYS_KNOWN, reg)) {
        push_value(e, value);
    } else if (!has(e->pending, reg)) {
        push_local(e, reg, false);
    } else {
        push_value(e, value);
        if (!e->in_arm && !has(e->single, reg)) {
            put_tee(e, e->plan->local[reg]);
            e->pending &= ~(UINT32_C(1) << reg);
        }
    }
}

static void push64(TwEmit *e, unsigned reg, bool only_read)
{
    if (has(e->known, reg)) {
        push_known(e, reg);
    } else {
        push_local(e, reg, only_read);
    }
}

static void push32(TwEmit *e, unsigned reg, bool only_read)
{
    TwKnown value = e->values[reg];

    if (!has(e->known, reg)) {
        if (push_local(e, reg, only_read) && e->extend_end == e->out->len) {
            e->out->len--;
            e->extend_end = 0;
        } else {
            put_byte(e, W_I32_WRAP);
        }
    } else if (value.kind == TW_CONST) {
        put_i32(e, (uint32_t)value.value);
    } else {
        put_get(e, value.kind == TW_ENV_PLUS ? LOCAL_ENV : LOCAL_FRAME);
        if (value.value) {
            put_i32(e, (uint32_t)value.value);
            put_byte(e, W_I32_ADD);
        }
    }
}

void tw_read(TwEmit *e, unsigned reg)
{
    push64(e, reg, true);
}

void tw_peek(TwEmit *e, unsigned reg)
{
    push64(e, reg, false);
}

void tw_read32(TwEmit *e, unsigned reg)
{
    push32(e, reg, true);
}

void tw_peek32(TwEmit *e, unsigned reg)
{
    push32(e, reg, false);
}

bool tw_is_const(const TwEmit *e, unsigned reg, int64_t *value)
{
    if (!has(e->known, reg) || e->values[reg].kind != TW_CONST) {
        return false;
    }
    *value = e->values[reg].value;
    return true;
}

static void forget(TwEmit *e, unsigned reg)
{
    e->known &= ~(UINT32_C(1) << reg);
    e->pending &= ~(UINT32_C(1) << reg);
}

void tw_write(TwEmit *e, unsigned reg)
{
    forget(e, reg);
    e->set_start = e->out->len;
    put_set(e, e->plan->local[reg]);
    e->set_end = e->out->len;
    e->set_reg = reg;
}

void tw_write_u32(TwEmit *e, unsigned reg)
{
    put_extend(e, W_I64_EXTEND_U);
    tw_write(e, reg);
}

void tw_write_known(TwEmit *e, unsigned reg, TwKind kind, int64_t value)
{
    e->known |= UINT32_C(1) << reg;
    e->pending |= UINT32_C(1) << reg;
    e->values[reg] = (TwKnown){ kind, value };
}

void tw_flush(TwEmit *e, uint32_t regs)
{
    uint32_t todo = e->pending & regs;

    for (; todo; todo &= todo - 1) {
        unsigned reg = (unsigned)__builtin_ctz(todo);

        push_value(e, e->values[reg]);
        put_set(e, e->plan->local[reg]);
        e->pending &= ~(UINT32_C(1) << reg);
    }
}

uint32_t tw_env_offset(const TwEmit *e, int32_t ofs)
{
    return (uint32_t)ofs - (ofs < 0 ? (uint32_t)e->plan->neg_ofs : 0);
}

uint32_t tw_push_env(TwEmit *e, int32_t ofs)
{
    put_get(e, ofs < 0 ? e->plan->scratch[TW_NEG] : LOCAL_ENV);
    return tw_env_offset(e, ofs);
}

uint32_t tw_push_base(TwEmit *e, unsigned reg, int32_t ofs)
{
    TwKnown value = e->values[reg];

    if (reg == TW_REG_ENV) {
        return tw_push_env(e, ofs);
    }
    if (has(e->known, reg) && value.kind == TW_CONST) {
        put_i32(e, (uint32_t)value.value + (uint32_t)ofs);
        return 0;
    }
    if (has(e->known, reg)) {
        int64_t sum = value.value + ofs; /* of two 32-bit values */

        if (sum >= 0 && sum <= INT32_MAX) {
            put_get(e, value.kind == TW_ENV_PLUS ? LOCAL_ENV : LOCAL_FRAME);
            return (uint32_t)sum;
        }
    }
    tw_read32(e, reg);
    if (ofs >= 0) {
        return (uint32_t)ofs;
    }
    put_i32(e, (uint32_t)ofs);
    put_byte(e, W_I32_ADD);
    return 0;
}
