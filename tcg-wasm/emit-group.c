/*
 * Members by address, and where exits lead.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-group.h"

#include <stdlib.h>

#include "insn.h"

static int compare_members(const void *a, const void *b)
{
    const TwMember *x = a, *y = b;

    if (x->addr != y->addr) {
        return x->addr < y->addr ? -1 : 1;
    }
    return x->index < y->index ? -1 : x->index > y->index;
}

bool tw_group_init(TwGroup *group, const TwEmitOptions *options,
                   const TwTbRef *tbs, size_t n)
{
    *group = (TwGroup){
        .options = options,
        .target = options->target,
        .tbs = tbs,
        .ntbs = n,
        .members = malloc((n + 1) * sizeof(group->members[0])),
    };
    if (!group->members) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        group->members[i] = (TwMember){ tbs[i].addr, (uint32_t)i };
    }
    qsort(group->members, n, sizeof(group->members[0]), compare_members);
    return true;
}

void tw_group_free(TwGroup *group)
{
    free(group->members);
    group->members = NULL;
}

static bool find_member(const TwGroup *group, uint32_t addr, uint32_t *index)
{
    size_t low = 0, high = group->ntbs;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (group->members[mid].addr < addr) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    if (low == group->ntbs || group->members[low].addr != addr) {
        return false;
    }
    *index = group->members[low].index;
    return true;
}

bool tw_lookup_expects(const TwGroup *group, const uint64_t *words,
                       uint32_t header, TwExpected *expected)
{
    const TwJumpCache *cache = group->target->jump_cache;

    return cache && cache->expect(words[2], header, expected);
}

bool tw_find_successor(const TwGroup *group, const TwTbRef *tb,
                       const uint64_t *words, uint32_t *member)
{
    TwInsn insn = tw_insn_at(words, 0);
    TwExpected unused;
    uint32_t addr = 0;

    if (insn.op == TW_OP_GOTO_TB) {
        addr = tb->succ[insn.a];
    } else if (insn.op == TW_OP_GOTO_PTR || insn.op == TW_OP_LOOKUP) {
        addr = (uint32_t)insn.imm;
    }
    return addr && find_member(group, addr, member) &&
           (insn.op != TW_OP_LOOKUP ||
            tw_lookup_expects(group, words, addr, &unused));
}
