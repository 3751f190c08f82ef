/*
 * The slots' state, and the code that changes it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-slots.h"

#include <stdlib.h>

#include "emit-regs.h"

static uint64_t bit(unsigned slot)
{
    return UINT64_C(1) << slot;
}

/* Take the lowest slot out of a set. */
static unsigned next_slot(uint64_t *set)
{
    unsigned slot = (unsigned)__builtin_ctzll(*set);

    *set &= *set - 1;
    return slot;
}

void tw_slots_start(TwEmit *e)
{
    e->state.valid = 0;
    e->state.dirty = 0;
    e->state.known = 0;
    e->state.pending = 0;
    e->nsaved = 0;
}

/* Loads from env and stores to env. */

static void put_value(TwEmit *e, unsigned slot)
{
    if (e->state.pending & bit(slot)) {
        put_i64(e, e->state.values[slot]);
    } else {
        put_get(e, e->plan->slots[slot].local);
    }
}

static void put_save(TwEmit *e, uint64_t set)
{
    static const uint8_t ops[] = { W_I64_STORE8, W_I64_STORE16, W_I64_STORE32,
                                   W_I64_STORE };

    while (set) {
        unsigned slot = next_slot(&set);
        uint32_t ofs = tw_push_env(e, e->plan->slots[slot].ofs);

        put_value(e, slot);
        put_mem(e, ops[e->plan->slots[slot].size], 0, ofs);
    }
}

static void put_load(TwEmit *e, unsigned slot)
{
    static const uint8_t ops[] = { W_I64_LOAD8_U, W_I64_LOAD16_U,
                                   W_I64_LOAD32_U, W_I64_LOAD };
    uint32_t ofs = tw_push_env(e, e->plan->slots[slot].ofs);

    put_mem(e, ops[e->plan->slots[slot].size], 0, ofs);
}

void tw_slots_save_all(TwEmit *e)
{
    put_save(e, e->state.dirty);
}

void tw_slots_clean(TwEmit *e)
{
    put_save(e, e->state.dirty);
    e->state.dirty = 0;
}

static void forget(TwEmit *e, uint64_t set)
{
    e->state.valid &= ~set;
    e->state.dirty &= ~set;
    e->state.known &= ~set;
    e->state.pending &= ~set;
}

void tw_slots_forget(TwEmit *e)
{
    forget(e, ~UINT64_C(0));
}

void tw_slots_touch(TwEmit *e, const TwEnvAccess *access)
{
    uint64_t set = tw_slots_overlapping(e->plan, access);

    put_save(e, set & e->state.dirty);
    e->state.dirty &= ~set;
    if (access->is_store) {
        forget(e, set);
    }
}

/*
 * Labels.
 */

static bool has_one_way(const TwLabel *label)
{
    return label->edges == 1 && !label->loop_end;
}

static void settle(TwEmit *e, uint64_t set)
{
    set &= e->state.pending;
    e->state.pending &= ~set;
    while (set) {
        unsigned slot = next_slot(&set);

        put_i64(e, e->state.values[slot]);
        put_set(e, e->plan->slots[slot].local);
    }
}

void tw_slots_settle(TwEmit *e, const TwLabel *label)
{
    if (!has_one_way(label)) {
        settle(e, label->valid);
    }
}

bool tw_slots_edge_costs(const TwEmit *e, const TwLabel *label)
{
    return !has_one_way(label) && ((e->state.dirty & ~label->dirty) ||
                                   (label->valid & ~e->state.valid));
}

/* Keep the state for a label that has only this way to it. */
static void save_state(TwEmit *e, const TwLabel *label)
{
    const TwSlotState *state = &e->state;
    int64_t *saved;

    if (e->nsaved + 4 + MAX_SLOTS > e->saved_cap) {
        size_t cap = 2 * e->saved_cap + 4096;

        saved = realloc(e->saved, cap * sizeof(saved[0]));
        if (!saved) {
            e->out->failed = true;
            return;
        }
        e->saved = saved;
        e->saved_cap = cap;
    }
    e->labels[label - e->plan->labels].saved = e->nsaved;
    saved = &e->saved[e->nsaved];
    *saved++ = (int64_t)state->valid;
    *saved++ = (int64_t)state->dirty;
    *saved++ = (int64_t)state->known;
    *saved++ = (int64_t)state->pending;
    for (uint64_t set = state->known; set;) {
        *saved++ = state->values[next_slot(&set)];
    }
    e->nsaved = (size_t)(saved - e->saved);
}

static void restore_state(TwEmit *e, const int64_t *saved)
{
    TwSlotState *state = &e->state;

    state->valid = (uint64_t)*saved++;
    state->dirty = (uint64_t)*saved++;
    state->known = (uint64_t)*saved++;
    state->pending = (uint64_t)*saved++;
    for (uint64_t set = state->known; set;) {
        state->values[next_slot(&set)] = *saved++;
    }
}

void tw_slots_edge(TwEmit *e, const TwLabel *label)
{
    uint64_t loads = label->valid & ~e->state.valid;

    if (!e->plan->nslots) {
        return;
    }
    if (has_one_way(label)) {
        save_state(e, label);
        return;
    }
    put_save(e, e->state.dirty & ~label->dirty);
    while (loads) {
        unsigned slot = next_slot(&loads);

        put_load(e, slot);
        put_set(e, e->plan->slots[slot].local);
    }
}

void tw_slots_label(TwEmit *e, const TwLabel *label)
{
    size_t saved = e->labels[label - e->plan->labels].saved;

    if (saved != NOT_SAVED) {
        restore_state(e, &e->saved[saved]);
    } else {
        tw_slots_forget(e);
        e->state.valid = label->valid;
        e->state.dirty = label->dirty;
    }
}

/*
 * Instructions.
 */

/* @value as a load of 1 << @size bytes extends it to 64 bits. */
static int64_t extended(int64_t value, unsigned size, bool is_signed)
{
    unsigned unused = 64 - (8u << size);
    uint64_t high = (uint64_t)value << unused;

    return is_signed ? (int64_t)high >> unused : (int64_t)(high >> unused);
}

/* Write the i64 on the stack to the register, extended as a load does. */
static void put_extended(TwEmit *e, unsigned size, bool is_signed)
{
    static const uint8_t extends[] = { W_I64_EXTEND8_S, W_I64_EXTEND16_S,
                                       W_I64_EXTEND32_S };

    if (size == 2 && !is_signed) {
        put_byte(e, W_I32_WRAP);
        tw_write_u32(e, e->insn.a);
        return;
    }
    if (size < 3 && is_signed) {
        put_byte(e, extends[size]);
    } else if (size < 3) {
        put_i64(e, size ? 0xffff : 0xff);
        put_byte(e, W_I64_AND);
    }
    tw_write(e, e->insn.a);
}

void tw_slot_push(TwEmit *e, unsigned slot)
{
    if (e->state.known & bit(slot)) {
        put_i64(e, e->state.values[slot]);
    } else if (e->state.valid & bit(slot)) {
        put_get(e, e->plan->slots[slot].local);
    } else {
        put_load(e, slot);
        put_tee(e, e->plan->slots[slot].local);
        e->state.valid |= bit(slot);
    }
}

void tw_slot_load(TwEmit *e, unsigned slot)
{
    TwOp first =
        tw_op_format(e->insn.op) == TW_FMT_LD ? TW_OP_LD8U : TW_OP_LDE8U;
    unsigned size = e->plan->slots[slot].size;
    bool is_signed = (e->insn.op - first) & 1;

    if (e->state.known & bit(slot)) {
        tw_write_known(e, e->insn.a, TW_CONST,
                       extended(e->state.values[slot], size, is_signed));
        return;
    }
    tw_slot_push(e, slot);
    put_extended(e, size, is_signed);
}

/* The value that the instruction stores, if it is a constant. */
static bool constant_stored(const TwEmit *e, int64_t *value)
{
    if (tw_op_format(e->insn.op) == TW_FMT_STEI) {
        *value = e->insn.rel;
        return true;
    }
    return tw_is_const(e, e->insn.a, value);
}

static void set_known(TwEmit *e, unsigned slot, int64_t value)
{
    e->state.valid |= bit(slot);
    e->state.known |= bit(slot);
    e->state.pending |= bit(slot);
    e->state.values[slot] = extended(value, e->plan->slots[slot].size, true);
}

void tw_slot_store(TwEmit *e, unsigned slot)
{
    int64_t value;

    if (constant_stored(e, &value)) {
        set_known(e, slot, value);
    } else {
        tw_read(e, e->insn.a);
        put_set(e, e->plan->slots[slot].local);
        forget(e, bit(slot));
        e->state.valid |= bit(slot);
    }
    e->state.dirty |= bit(slot);
}

void tw_slot_stored(TwEmit *e, unsigned slot)
{
    int64_t value;

    forget(e, bit(slot));
    if (constant_stored(e, &value)) {
        set_known(e, slot, value);
    } else {
        put_tee(e, e->plan->slots[slot].local);
        e->state.valid |= bit(slot);
    }
}
