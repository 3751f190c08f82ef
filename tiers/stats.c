/*
 * The run's statistics as JSON.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine-int.h"

static const char *fate_name(const TierTbRecord *record)
{
    switch ((TierFate)record->fate) {
    case TIER_TB_ABSENT:
        break;
    case TIER_TB_LIVE:
        return "live";
    case TIER_TB_INVALIDATED:
        return "invalidated";
    case TIER_TB_EVICTED:
        return "evicted";
    case TIER_TB_FLUSHED:
        return "flushed";
    }
    return NULL;
}

static const char *refused_name(const TierTbRecord *record)
{
    TierRefusal why = (TierRefusal)record->refused;

    return why != TIER_REFUSED_NONE ? tier_refusal_key(why) : NULL;
}

static const char *shape_name(const TierTbRecord *record)
{
    if (record->tier == 0) {
        return NULL;
    }
    return record->shape == TIER_REGIONS ? "regions" : "functions";
}

/* The columns of a row: X(name, writer, value). */
#define COLUMNS(X) \
    X(id, u64, id) \
    X(guest_pc, hex, d->tb.guest_pc) \
    X(guest_page, hex, d->tb.guest_page) \
    X(hash, hex, d->tb.hash) \
    X(guest_insns, u64, d->tb.guest_insns) \
    X(bytecode_bytes, u64, d->tb.bytecode_bytes) \
    X(wasm_bytes, u64, d->wasm_bytes) \
    X(translate_ns, u64, d->tb.translate_ns) \
    X(compile_ns, u64, d->compile_ns) \
    X(wait_ns, u64, d->wait_ns) \
    X(tier, u64, r->tier) \
    X(shape, string, shape_name(r)) \
    X(exec_tier0, u64, tier_tb_executed(engine, id, 0)) \
    X(exec_tier1, u64, tier_tb_executed(engine, id, 1)) \
    X(refused, string, refused_name(r)) \
    X(fate, string, fate_name(r))

static void row_json(const TierEngine *engine, uint32_t id, TierJson *json)
{
    const TierTbRecord *r = tier_tb_record(engine, id);
    const TierTbDetail *d = tier_tb_detail(engine, id);

    tier_json_newline(json);
    tier_json_open(json, '[');
#define X(name, writer, value) tier_json_##writer(json, value);
    COLUMNS(X)
#undef X
    tier_json_close(json, ']');
}

void tier_stats_json(const TierEngine *engine, TierSinkFn *sink, void *opaque)
{
    const TierRecords *records = &engine->records;
    uint32_t id = tier_records_from(records, 0);
    TierJson json;

    tier_json_start(&json, sink, opaque);
    tier_json_open(&json, '{');
    tier_json_key(&json, "schema");
    tier_json_u64(&json, 1);
    tier_json_key(&json, "policy");
    tier_json_open(&json, '{');
    tier_spec_json(&engine->spec, &json);
    tier_json_key(&json, "seed");
    tier_json_u64(&json, engine->seed);
    tier_json_close(&json, '}');
    tier_json_key(&json, "counters");
    tier_counters_json(&engine->counters, &json);
    tier_json_key(&json, "tbs");
    tier_json_open(&json, '{');
    tier_json_key(&json, "columns");
    tier_json_open(&json, '[');
#define X(name, writer, value) tier_json_string(&json, #name);
    COLUMNS(X)
#undef X
    tier_json_close(&json, ']');
    tier_json_key(&json, "rows");
    tier_json_open(&json, '[');
    for (; id != TIER_NO_TB; id = tier_records_from(records, id + 1)) {
        row_json(engine, id, &json);
    }
    tier_json_close(&json, ']');
    tier_json_close(&json, '}');
    tier_json_close(&json, '}');
    tier_json_end(&json);
}
