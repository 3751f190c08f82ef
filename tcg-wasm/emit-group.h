/*
 * The group that is compiled: what the emitter was given, with the members
 * sorted by address, so that an exit's target is found. Const once it is made.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_EMIT_GROUP_H
#define TW_EMIT_GROUP_H

#include "emit-given.h"

/* A member's address and its index in the group's @tbs. */
typedef struct TwMember {
    uint32_t addr;
    uint32_t index;
} TwMember;

typedef struct TwGroup {
    const TwEmitOptions *options;
    const TwTarget *target;
    const TwTbRef *tbs;
    size_t ntbs;
    TwMember *members; /* sorted by address */
} TwGroup;

/* False if memory is short. tw_group_free() in either case. */
bool tw_group_init(TwGroup *group, const TwEmitOptions *options,
                   const TwTbRef *tbs, size_t n);
void tw_group_free(TwGroup *group);

/*
 * Does the exit at @words, an instruction of @tb, probably lead to a member of
 * the group? If so, *@member is its index. Instructions that are no exits lead
 * nowhere.
 */
bool tw_find_successor(const TwGroup *group, const TwTbRef *tb,
                       const uint64_t *words, uint32_t *member);

/*
 * May the LOOKUP at @words find the TB with @header in the jump cache? If so,
 * *@expected is what the cache then holds. False if there is no cache.
 */
bool tw_lookup_expects(const TwGroup *group, const uint64_t *words,
                       uint32_t header, TwExpected *expected);

#endif
