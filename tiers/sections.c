/*
 * The choice of a section of the code buffer, when the buffer is full.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine-int.h"

/* Executions in tier 0. */
static uint64_t interpreted(const TierTbRecord *record,
                            const TierTbDetail *detail)
{
    uint64_t executions = record->executions;

    for (unsigned i = 1; i < TIER_NB_TIERS; i++) {
        executions -= detail->compiled[i - 1];
    }
    return executions;
}

/* Add what is known of the live TBs of @chunk to their sections' facts. */
static void add_uses(TierChunk *chunk, TierSection *const *by_index)
{
    for (uint32_t i = 0; i < TIER_CHUNK_SIZE; i++) {
        const TierTbRecord *record = &chunk->records[i];
        TierTbDetail *detail = &chunk->details[i];
        TierSection *section;
        uint64_t now;

        if (record->fate != TIER_TB_LIVE) {
            continue;
        }
        now = interpreted(record, detail);
        section = detail->tb.section < TIER_MAX_SECTIONS
                      ? by_index[detail->tb.section]
                      : NULL;
        if (section) {
            section->tbs++;
            section->compiled += record->module != TIER_NO_MODULE;
            section->interpreted += now - detail->weighed;
        }
        detail->weighed = now;
    }
}

static void find_uses(const TierRecords *records, TierSection *full, uint32_t n)
{
    TierSection *by_index[TIER_MAX_SECTIONS] = { NULL };

    for (uint32_t i = 0; i < n; i++) {
        if (full[i].index < TIER_MAX_SECTIONS) {
            by_index[full[i].index] = &full[i];
        }
    }
    for (uint32_t i = 0; i < records->n; i++) {
        if (records->chunks[i] && records->chunks[i]->live > 0) {
            add_uses(records->chunks[i], by_index);
        }
    }
}

uint32_t tier_choose_section(TierEngine *engine, TierSection *full, uint32_t n)
{
    const TierBuffer *buffer = engine->spec.buffer;
    uint32_t chosen;

    if (n == 0 || !buffer->choose) {
        return TIER_WHOLE_BUFFER;
    }
    for (uint32_t i = 0; i < n; i++) {
        full[i].tbs = full[i].compiled = 0;
        full[i].interpreted = 0;
    }
    if (buffer->wants_uses) {
        find_uses(&engine->records, full, n);
    }
    chosen = buffer->choose(full, n);
    if (chosen >= n) {
        return TIER_WHOLE_BUFFER;
    }
    engine->counters.sections_evicted++;
    return chosen;
}
