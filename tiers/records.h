/*
 * The engine's store of TB records, by id. Ids only grow, so records live in
 * chunks of consecutive ids, found by a shift; chunks whose TBs are all dead
 * are freed, oldest first, once there are too many dead records.
 * Private to the engine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_RECORDS_H
#define TIER_RECORDS_H

#include "engine.h"

enum {
    TIER_CHUNK_BITS = 9,
    TIER_CHUNK_SIZE = 1 << TIER_CHUNK_BITS,
};

typedef struct TierChunk {
    uint32_t live, dead;
    TierTbRecord records[TIER_CHUNK_SIZE];
    TierTbDetail details[TIER_CHUNK_SIZE];
} TierChunk;

typedef struct TierRecords {
    TierChunk **chunks;         /* NULL where freed or never needed */
    uint32_t base;              /* number of chunks[0] */
    uint32_t n, cap;
    uint32_t next_id;           /* greatest id so far, plus 1 */
    uint32_t dead, max_dead;    /* records kept of dead TBs, and limit */
} TierRecords;

static inline TierChunk *tier_records_chunk(const TierRecords *records,
                                            uint32_t id)
{
    uint32_t i = (id >> TIER_CHUNK_BITS) - records->base;

    /* An id before the first chunk wraps to a great number. */
    return i < records->n ? records->chunks[i] : NULL;
}

/* NULL if there is no record. Here, because decisions do little else. */
static inline TierTbRecord *tier_records_get(const TierRecords *records,
                                             uint32_t id)
{
    TierChunk *chunk = tier_records_chunk(records, id);
    TierTbRecord *record;

    if (!chunk) {
        return NULL;
    }
    record = &chunk->records[id % TIER_CHUNK_SIZE];
    return record->fate != TIER_TB_ABSENT ? record : NULL;
}

/*
 * GCC 12 takes a function that only prefetches for one that does nothing, and
 * leaves calls of it out.
 */
#define TIER_PREFETCHES inline __attribute__((always_inline))

/* Soon @id's record will be looked at, if there is one. */
static TIER_PREFETCHES void tier_records_prefetch(const TierRecords *records,
                                                  uint32_t id)
{
    const TierChunk *chunk = tier_records_chunk(records, id);

    if (chunk) {
        __builtin_prefetch(&chunk->records[id % TIER_CHUNK_SIZE], 1);
    }
}

/* The details of @id, which has a record. */
static inline TierTbDetail *tier_records_detail(const TierRecords *records,
                                                uint32_t id)
{
    return &tier_records_chunk(records, id)->details[id % TIER_CHUNK_SIZE];
}

/*
 * A zeroed record for the new @id, live. NULL if memory is short, or the id is
 * in use, or so old that its chunk was freed.
 */
TierTbRecord *tier_records_add(TierRecords *records, uint32_t id);

/* @id, which was live, is dead. */
void tier_records_bury(TierRecords *records, uint32_t id, TierFate fate);

/* Free what is over the limit; returns how many records went. O(chunks). */
uint32_t tier_records_trim(TierRecords *records);

/* The smallest id with a record that is at least @id; TIER_NO_TB at the end. */
uint32_t tier_records_from(const TierRecords *records, uint32_t id);

void tier_records_free(TierRecords *records);

#endif
