/*
 * Probing the jump cache.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-lookup.h"

#include "emit-regs.h"
#include "emit-slots.h"

enum {
    /*
     * so many low bits of the index come from the address in a page
     */
    INDEX_PAGE_BITS = 6,
    INDEX_LOW = 0x3f,
    INDEX_HIGH = 0xfc0,
};

/* Push the guest's pc. */
static void put_pc(TwEmit *e)
{
    TwEnvAccess access = tw_lookup_access(e->group->target);

    if (e->plan->words[e->at].slot != NO_SLOT) {
        tw_slot_push(e, e->plan->words[e->at].slot);
    } else {
        tw_slots_touch(e, &access);
        put_mem(e, W_I64_LOAD, 0, tw_push_env(e, access.ofs));
    }
}

/*
 * Put the address of the entry for the pc in S0 into T0, less the offset of the
 * first entry, which the loads add.
 */
static void put_entry(TwEmit *e)
{
    const TwJumpCache *cache = e->group->target->jump_cache;
    uint32_t shift = e->group->target->page_bits - INDEX_PAGE_BITS;

    put_get(e, e->plan->scratch[TW_S0]);
    put_byte(e, W_I32_WRAP);
    put_tee(e, e->plan->scratch[TW_T0]);
    put_get(e, e->plan->scratch[TW_T0]);
    put_i32(e, shift);
    put_byte(e, W_I32_SHR_U);
    put_byte(e, W_I32_XOR);
    put_tee(e, e->plan->scratch[TW_T0]);
    put_i32(e, shift - cache->entry_bits);
    put_byte(e, W_I32_SHR_U);
    put_i32(e, INDEX_HIGH << cache->entry_bits);
    put_byte(e, W_I32_AND);
    put_get(e, e->plan->scratch[TW_T0]);
    put_i32(e, cache->entry_bits);
    put_byte(e, W_I32_SHL);
    put_i32(e, INDEX_LOW << cache->entry_bits);
    put_byte(e, W_I32_AND);
    put_byte(e, W_I32_OR);
    put_mem(e, W_I32_LOAD, 2, tw_push_env(e, cache->ptr));
    put_byte(e, W_I32_ADD);
    put_set(e, e->plan->scratch[TW_T0]);
}

void tw_put_probe(TwEmit *e, const TwExpected *expected)
{
    const TwJumpCache *cache = e->group->target->jump_cache;

    put_pc(e);
    put_set(e, e->plan->scratch[TW_S0]);
    put_entry(e);
    put_get(e, e->plan->scratch[TW_T0]);
    put_mem(e, W_I32_LOAD, 2, cache->entries + cache->tag);
    put_i32(e, expected->tag);
    put_byte(e, W_I32_EQ);
    put_get(e, e->plan->scratch[TW_T0]);
    put_mem(e, W_I64_LOAD, 3, cache->entries + cache->pc);
    put_get(e, e->plan->scratch[TW_S0]);
    put_byte(e, W_I32_EQ + CMP_64);
    put_byte(e, W_I32_AND);
    put_i32(e, expected->valid_at);
    put_mem(e, W_I32_LOAD, 2, 0);
    put_i32(e, expected->valid);
    put_byte(e, W_I32_EQ);
    put_byte(e, W_I32_AND);
    put_mem(e, W_I32_LOAD, 2, tw_push_env(e, cache->busy));
    put_byte(e, W_I32_EQZ);
    put_byte(e, W_I32_AND);
}
