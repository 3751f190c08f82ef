/*
 * What a buffer policy is, for those who write one.
 *
 * The code buffer holds the bytecode of all live TBs. QEMU fills it one section
 * after another. When all sections are full, a buffer policy chooses one, whose
 * TBs die together with all modules that have one of them as a member; or it
 * chooses the whole buffer. TBs that are needed again are translated again.
 *
 * A buffer policy is one C file in buffers/, everything static but one const
 * TierBuffer, and one line in buffers.def. A spec names it, as
 * `region:buffer=least-used`. It has no state: it sees the facts of all
 * sections at each choice, and decides the same in a replay.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_BUFFER_H
#define TIER_BUFFER_H

#include <stdbool.h>
#include <stdint.h>

enum { TIER_MAX_SECTIONS = 64 };

/* The choice of the whole buffer: QEMU flushes it. */
#define TIER_WHOLE_BUFFER UINT32_MAX

/* Facts about a section that is full. */
typedef struct TierSection {
    uint32_t index;             /* in the code buffer */
    uint64_t filled; /* smaller: it was begun to be filled earlier */

    /* The rest is 0 unless the policy wants uses. */
    uint32_t tbs; /* live */
    uint32_t compiled; /* of these, TBs with code in a module */

    /* of these TBs in tier 0, since the last choice or their translation */
    uint64_t interpreted;
} TierSection;

typedef struct TierBuffer {
    const char *summary; /* one line */
    const char *source; /* of the rule: a paper, program, "baseline" */

    /*
     * The section to evict, as an index into @full[0..n), n > 0, in no
     * particular order; or TIER_WHOLE_BUFFER. NULL: always the whole buffer.
     */
    uint32_t (*choose)(const TierSection *full, uint32_t n);
    bool wants_uses; /* at the cost of a look at every live TB */
} TierBuffer;

#define X(ident, name) extern const TierBuffer tier_buffer_##ident;
#include "buffers.def"

/* All buffer policies, and their names; both NULL-terminated. */
extern const TierBuffer *const tier_buffers[];
extern const char *const tier_buffer_names[];

#endif
