/*
 * Instruction selection: host and guest memory.
 *
 * A guest access is QEMU's TLB lookup, the comparison with the entry's tag, and
 * either a plain access or the slow path's helper:
 *
 *     entry = desc.table + ((addr >> (page_bits - ENTRY_BITS)) & desc.mask)
 *     if (((addr + excess) & (page_mask | align_mask)) == entry->tag)
 *         value = *(addr + entry->addend)
 *     else
 *         value = helper(env, addr, oi, retaddr)
 *
 * where an access that may be unaligned is looked up by its last aligned unit,
 * so that one which crosses the page misses.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-insns.h"

#include "emit-host.h"
#include "emit-regs.h"
#include "emit-slots.h"

typedef struct Access {
    uint8_t wop;
    uint8_t size;       /* log2 of bytes */
} Access;

/* clang-format off */
static const Access accesses[TW_NB_OPS] = {
    [TW_OP_LD8U] = { W_I64_LOAD8_U, 0 }, [TW_OP_LD8S] = { W_I64_LOAD8_S, 0 },
    [TW_OP_LD16U] = { W_I64_LOAD16_U, 1 },
    [TW_OP_LD16S] = { W_I64_LOAD16_S, 1 },
    [TW_OP_LD32U] = { W_I64_LOAD32_U, 2 },
    [TW_OP_LD32S] = { W_I64_LOAD32_S, 2 }, [TW_OP_LD64] = { W_I64_LOAD, 3 },
    [TW_OP_ST8] = { W_I64_STORE8, 0 }, [TW_OP_ST16] = { W_I64_STORE16, 1 },
    [TW_OP_ST32] = { W_I64_STORE32, 2 }, [TW_OP_ST64] = { W_I64_STORE, 3 },
    [TW_OP_LDE8U] = { W_I64_LOAD8_U, 0 },
    [TW_OP_LDE8S] = { W_I64_LOAD8_S, 0 },
    [TW_OP_LDE16U] = { W_I64_LOAD16_U, 1 },
    [TW_OP_LDE16S] = { W_I64_LOAD16_S, 1 },
    [TW_OP_LDE32U] = { W_I64_LOAD32_U, 2 },
    [TW_OP_LDE32S] = { W_I64_LOAD32_S, 2 }, [TW_OP_LDE64] = { W_I64_LOAD, 3 },
    [TW_OP_STE8] = { W_I64_STORE8, 0 }, [TW_OP_STE16] = { W_I64_STORE16, 1 },
    [TW_OP_STE32] = { W_I64_STORE32, 2 }, [TW_OP_STE64] = { W_I64_STORE, 3 },
    [TW_OP_STEI8] = { W_I64_STORE8, 0 },
    [TW_OP_STEI16] = { W_I64_STORE16, 1 },
    [TW_OP_STEI32] = { W_I64_STORE32, 2 }, [TW_OP_STEI64] = { W_I64_STORE, 3 },
    [TW_OP_QLD8U] = { W_I64_LOAD8_U, 0 },
    [TW_OP_QLD8S] = { W_I64_LOAD8_S, 0 },
    [TW_OP_QLD16U] = { W_I64_LOAD16_U, 1 },
    [TW_OP_QLD16S] = { W_I64_LOAD16_S, 1 },
    [TW_OP_QLD32U] = { W_I64_LOAD32_U, 2 },
    [TW_OP_QLD32S] = { W_I64_LOAD32_S, 2 }, [TW_OP_QLD64] = { W_I64_LOAD, 3 },
    [TW_OP_QST8] = { W_I64_STORE8, 0 }, [TW_OP_QST16] = { W_I64_STORE16, 1 },
    [TW_OP_QST32] = { W_I64_STORE32, 2 }, [TW_OP_QST64] = { W_I64_STORE, 3 },
};
/* clang-format on */

/* Host memory: env and the program's own data. */
static void emit_load(TwEmit *e, TwInsn insn)
{
    unsigned slot = e->plan->words[e->at].slot;
    uint32_t ofs;

    if (slot != NO_SLOT) {
        tw_slot_load(e, slot);
        return;
    }
    tw_touch_slots(e, insn);
    ofs = tw_push_address(e, insn);
    put_mem(e, accesses[insn.op].wop, 0, ofs);
    tw_write(e, insn.a);
}

static void emit_store(TwEmit *e, TwInsn insn)
{
    unsigned slot = e->plan->words[e->at].slot;
    uint32_t ofs;

    if (tw_store_waits(e->plan, e->at)) {
        tw_slot_store(e, slot);
        return;
    }
    if (slot == NO_SLOT) {
        tw_touch_slots(e, insn);
    }
    ofs = tw_open_store(e, insn);
    if (tw_op_format(insn.op) == TW_FMT_STEI) {
        put_i64(e, insn.rel);
    } else {
        tw_read(e, insn.a);
    }
    if (slot != NO_SLOT) {
        tw_slot_stored(e, slot);
    }
    put_mem(e, accesses[insn.op].wop, 0, ofs);
}

/*
 * Guest memory.
 */

typedef struct Guest {
    unsigned size;          /* log2 of bytes */
    uint64_t tag_mask;
    uint64_t excess;        /* added to the address before it is compared */
} Guest;

static Guest guest_access(const TwEmit *e, TwInsn insn)
{
    uint32_t oi = (uint32_t)insn.imm;
    unsigned size = TW_MEMOP_SIZE(oi);
    unsigned align = (oi >> 9) & 7;
    Guest g = { .size = size };

    align = align == 7 ? size : align;
    g.tag_mask = -(UINT64_C(1) << e->group->target->page_bits) |
                 ((UINT64_C(1) << align) - 1);
    if (align < size) {
        g.excess = (UINT64_C(1) << size) - (UINT64_C(1) << align);
    }
    return g;
}

/* Is the access's lookup kept for others, or does it use the one kept? */
static bool keeps_page(const TwEmit *e)
{
    return e->plan->words[e->at].info & INFO_PAGE_KEPT;
}

static bool uses_page(const TwEmit *e)
{
    return e->plan->words[e->at].info & INFO_PAGE_USED;
}

static unsigned page_local(const TwEmit *e, TwInsn insn)
{
    return e->plan
        ->scratch[tw_qmem_is_store(insn.op) ? TW_STORE_PAGE : TW_LOAD_PAGE];
}

static unsigned addend_local(const TwEmit *e, TwInsn insn)
{
    return e->plan
        ->scratch[tw_qmem_is_store(insn.op) ? TW_STORE_ADDEND : TW_LOAD_ADDEND];
}

/* The page on which the whole access is, or what is no page's address. */
static void put_page(TwEmit *e, TwInsn insn, const Guest *g)
{
    tw_peek(e, insn.b);
    if (g->excess) {
        put_i64(e, (int64_t)g->excess);
        put_byte(e, W_I64_ADD);
    }
    put_i64(e, (int64_t)g->tag_mask);
    put_byte(e, W_I64_AND);
}

/*
 * Put the address of the TLB entry into T0, and push an i32: does the entry
 * match the guest address?
 */
static void put_lookup(TwEmit *e, TwInsn insn, const Guest *g, unsigned tag)
{
    int32_t desc = e->group->target->tlb_desc_ofs + insn.c * DESC_SIZE;
    uint32_t ofs;

    if (uses_page(e)) {
        put_page(e, insn, g);
        put_get(e, page_local(e, insn));
        put_byte(e, W_I64_EQ);
        return;
    }
    tw_peek(e, insn.b);
    put_i64(e, e->group->target->page_bits - TW_TLB_ENTRY_BITS);
    put_byte(e, W_I64_SHR_U);
    put_byte(e, W_I32_WRAP);
    ofs = tw_push_env(e, desc + DESC_MASK);
    put_mem(e, W_I32_LOAD, 2, ofs);
    put_byte(e, W_I32_AND);
    ofs = tw_push_env(e, desc + DESC_TABLE);
    put_mem(e, W_I32_LOAD, 2, ofs);
    put_byte(e, W_I32_ADD);
    put_tee(e, e->plan->scratch[TW_T0]);
    put_mem(e, W_I64_LOAD, 3, tag);
    put_page(e, insn, g);
    if (keeps_page(e)) {
        put_tee(e, page_local(e, insn));
    }
    put_byte(e, W_I64_EQ);
}

/* The lookup missed: nothing is kept. */
static void lose_page(TwEmit *e, TwInsn insn)
{
    if (keeps_page(e)) {
        put_i64(e, -1);
        put_set(e, page_local(e, insn));
    }
}

static void put_host_address(TwEmit *e, TwInsn insn)
{
    if (uses_page(e)) {
        put_get(e, addend_local(e, insn));
    } else {
        put_get(e, e->plan->scratch[TW_T0]);
        put_mem(e, W_I32_LOAD, 2, TLB_ADDEND);
        if (keeps_page(e)) {
            put_tee(e, addend_local(e, insn));
        }
    }
    tw_peek32(e, insn.b);
    put_byte(e, W_I32_ADD);
}

static void put_slow_args(TwEmit *e, TwInsn insn)
{
    put_i32(e, (uint32_t)insn.imm);
    put_i32(e, tw_address(e, e->at));
}

static void put_slow_load(TwEmit *e, TwInsn insn, unsigned size)
{
    static const uint8_t extends[] = {
        W_I64_EXTEND8_S,
        W_I64_EXTEND16_S,
        W_I64_EXTEND32_S,
    };
    bool is_signed;

    put_get(e, LOCAL_ENV);
    tw_peek(e, insn.b);
    put_slow_args(e, insn);
    put_call(e, e->group->target->fn_ld[size],
             tw_type_index(e->types, tw_qmem_sig(insn)));
    switch (insn.op) {
    case TW_OP_QLD8S:
    case TW_OP_QLD16S:
    case TW_OP_QLD32S:
        is_signed = true;
        break;
    case TW_OP_QLDX:
        is_signed = insn.imm & TW_MEMOP_SIGN;
        break;
    default:
        is_signed = false;
        break;
    }
    if (is_signed && size < 3) {
        put_byte(e, extends[size]);
    }
}

static void put_slow_store(TwEmit *e, TwInsn insn, unsigned size)
{
    put_get(e, LOCAL_ENV);
    tw_peek(e, insn.b);
    if (size == 3) {
        tw_peek(e, insn.a);
    } else {
        tw_peek32(e, insn.a);
    }
    put_slow_args(e, insn);
    put_call(e, e->group->target->fn_st[size],
             tw_type_index(e->types, tw_qmem_sig(insn)));
}

static void emit_guest_load(TwEmit *e, TwInsn insn)
{
    Guest g = guest_access(e, insn);

    if (insn.op == TW_OP_QLDX) {
        tw_slots_clean(e);
        put_slow_load(e, insn, g.size);
    } else {
        put_lookup(e, insn, &g, TLB_READ);
        put_if(e, W_TYPE_I64);
        e->in_arm = true;
        put_host_address(e, insn);
        put_mem(e, accesses[insn.op].wop, 0, 0);
        put_byte(e, W_ELSE);
        tw_slots_save_all(e);
        lose_page(e, insn);
        put_slow_load(e, insn, g.size);
        put_byte(e, W_END);
        e->in_arm = false;
    }
    tw_write(e, insn.a);
}

static void emit_guest_store(TwEmit *e, TwInsn insn)
{
    Guest g = guest_access(e, insn);

    if (insn.op == TW_OP_QSTX) {
        tw_slots_clean(e);
        put_slow_store(e, insn, g.size);
        return;
    }
    put_lookup(e, insn, &g, TLB_WRITE);
    put_if(e, W_TYPE_VOID);
    e->in_arm = true;
    put_host_address(e, insn);
    tw_peek(e, insn.a);
    put_mem(e, accesses[insn.op].wop, 0, 0);
    put_byte(e, W_ELSE);
    tw_slots_save_all(e);
    lose_page(e, insn);
    put_slow_store(e, insn, g.size);
    put_byte(e, W_END);
    e->in_arm = false;
}

bool tw_emit_mem(TwEmit *e)
{
    switch (tw_op_format(e->insn.op)) {
    case TW_FMT_LD:
    case TW_FMT_LDE:
        emit_load(e, e->insn);
        return true;
    case TW_FMT_ST:
    case TW_FMT_STE:
    case TW_FMT_STEI:
        emit_store(e, e->insn);
        return true;
    case TW_FMT_QMEM:
        if (tw_qmem_is_store(e->insn.op)) {
            emit_guest_store(e, e->insn);
        } else {
            emit_guest_load(e, e->insn);
        }
        return true;
    default:
        return false;
    }
}
