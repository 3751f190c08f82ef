/*
 * The store of TB records.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "records.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Make chunks[0..n) at least. */
static bool grow_directory(TierRecords *records, uint32_t n)
{
    if (n > records->cap) {
        uint32_t cap = n + n / 2 + 16;
        TierChunk **chunks = realloc(records->chunks, cap * sizeof(*chunks));

        if (!chunks) {
            return false;
        }
        records->chunks = chunks;
        records->cap = cap;
    }
    while (records->n < n) {
        records->chunks[records->n++] = NULL;
    }
    return true;
}

TierTbRecord *tier_records_add(TierRecords *records, uint32_t id)
{
    uint32_t number = id >> TIER_CHUNK_BITS;
    uint32_t i = number - records->base;
    TierTbRecord *record;
    TierChunk *chunk;

    if (id == TIER_NO_TB || number < records->base) {
        return NULL;
    }
    if (i >= records->n && !grow_directory(records, i + 1)) {
        return NULL;
    }
    chunk = records->chunks[i];
    if (!chunk) {
        chunk = aligned_alloc(alignof(TierChunk), sizeof(*chunk));
        if (!chunk) {
            return NULL;
        }
        memset(chunk, 0, sizeof(*chunk));
        records->chunks[i] = chunk;
    }
    record = &chunk->records[id % TIER_CHUNK_SIZE];
    if (record->fate != TIER_TB_ABSENT) {
        return NULL;
    }
    record->fate = TIER_TB_LIVE;
    chunk->live++;
    if (id >= records->next_id) {
        records->next_id = id + 1;
    }
    return record;
}

void tier_records_bury(TierRecords *records, uint32_t id, TierFate fate)
{
    TierChunk *chunk = tier_records_chunk(records, id);
    TierTbRecord *record = &chunk->records[id % TIER_CHUNK_SIZE];
    TierTbDetail *detail = &chunk->details[id % TIER_CHUNK_SIZE];

    assert(record->fate == TIER_TB_LIVE);
    record->fate = (uint8_t)fate;
    record->tier = 0;
    record->pending = false;
    detail->wasm_bytes = 0;
    record->module = TIER_NO_MODULE;
    chunk->live--;
    chunk->dead++;
    records->dead++;
}

uint32_t tier_records_trim(TierRecords *records)
{
    uint32_t dropped = 0;
    uint32_t gone = 0;

    for (uint32_t i = 0; i < records->n && records->dead > records->max_dead;
         i++) {
        TierChunk *chunk = records->chunks[i];

        /* The last chunk may yet get new TBs. */
        if (chunk && chunk->live == 0 &&
            records->base + i < records->next_id >> TIER_CHUNK_BITS) {
            dropped += chunk->dead;
            records->dead -= chunk->dead;
            free(chunk);
            records->chunks[i] = NULL;
        }
    }
    while (gone < records->n && !records->chunks[gone]) {
        gone++;
    }
    if (gone > 0) {
        records->base += gone;
        records->n -= gone;
        memmove(records->chunks, records->chunks + gone,
                records->n * sizeof(records->chunks[0]));
    }
    return dropped;
}

uint32_t tier_records_from(const TierRecords *records, uint32_t id)
{
    uint32_t first = records->base << TIER_CHUNK_BITS;

    for (id = id > first ? id : first; id < records->next_id; id++) {
        if (tier_records_get(records, id)) {
            return id;
        }
    }
    return TIER_NO_TB;
}

void tier_records_free(TierRecords *records)
{
    for (uint32_t i = 0; i < records->n; i++) {
        free(records->chunks[i]);
    }
    free(records->chunks);
}
