/*
 * LOOKUP's short cut: probing the host's jump cache in the compiled code.
 *
 * Where tier 0 has left a hint, all but the guest's pc is known when the code is
 * made: which TB is expected, so which tag its entry has. That the entry's pc is
 * the guest's says that the TB is at this address still, as the host clears
 * entries when mappings change. A hit needs no call and no precise env.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-int.h"

enum {
    INDEX_PAGE_BITS = 6, /* of the index, those of the address in a page */
    INDEX_LOW = 0x3f,
    INDEX_HIGH = 0xfc0,
};

bool tw_lookup_expects(const TwEmit *e, const uint64_t *words, uint32_t header,
                       TwExpected *expected)
{
    const TwJumpCache *cache = e->target->jump_cache;

    return cache && cache->expect(words[2], header, expected);
}

TwEnvAccess tw_lookup_access(const TwEmit *e)
{
    return (TwEnvAccess){ .ofs = e->target->jump_cache->env_pc, .size = 3 };
}

void tw_lookup_note(TwEmit *e)
{
    e->scratch_used |= 1u << TW_T0 | 1u << TW_T1 | 1u << TW_S0;
    if (e->target->jump_cache) {
        tw_note_env(e, e->target->jump_cache->ptr);
        tw_note_env(e, e->target->jump_cache->busy);
    }
}

/* Push the guest's pc. */
static void put_pc(TwEmit *e)
{
    TwEnvAccess access = tw_lookup_access(e);

    if (e->words[e->at].slot != NO_SLOT) {
        tw_slot_push(e, e->words[e->at].slot);
    } else {
        tw_slots_touch(e, &access);
        put_mem(e, W_I64_LOAD, 0, tw_push_env(e, access.ofs));
    }
}

/* From the pc in S0, the address of its entry - entries, into T0. */
static void put_entry(TwEmit *e)
{
    const TwJumpCache *cache = e->target->jump_cache;
    uint32_t shift = e->target->page_bits - INDEX_PAGE_BITS;

    put_get(e, e->scratch[TW_S0]);
    put_byte(e, W_I32_WRAP);
    put_tee(e, e->scratch[TW_T0]);
    put_get(e, e->scratch[TW_T0]);
    put_i32(e, shift);
    put_byte(e, W_I32_SHR_U);
    put_byte(e, W_I32_XOR);
    put_tee(e, e->scratch[TW_T0]);
    put_i32(e, shift - cache->entry_bits);
    put_byte(e, W_I32_SHR_U);
    put_i32(e, INDEX_HIGH << cache->entry_bits);
    put_byte(e, W_I32_AND);
    put_get(e, e->scratch[TW_T0]);
    put_i32(e, cache->entry_bits);
    put_byte(e, W_I32_SHL);
    put_i32(e, INDEX_LOW << cache->entry_bits);
    put_byte(e, W_I32_AND);
    put_byte(e, W_I32_OR);
    put_mem(e, W_I32_LOAD, 2, tw_push_env(e, cache->ptr));
    put_byte(e, W_I32_ADD);
    put_set(e, e->scratch[TW_T0]);
}

void tw_put_probe(TwEmit *e, const TwExpected *expected)
{
    const TwJumpCache *cache = e->target->jump_cache;

    put_pc(e);
    put_set(e, e->scratch[TW_S0]);
    put_entry(e);
    put_get(e, e->scratch[TW_T0]);
    put_mem(e, W_I32_LOAD, 2, cache->entries + cache->tag);
    put_i32(e, expected->tag);
    put_byte(e, W_I32_EQ);
    put_get(e, e->scratch[TW_T0]);
    put_mem(e, W_I64_LOAD, 3, cache->entries + cache->pc);
    put_get(e, e->scratch[TW_S0]);
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
