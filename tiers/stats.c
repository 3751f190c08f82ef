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
    X(id, u64, r->tb.id) \
    X(guest_pc, hex, r->tb.guest_pc) \
    X(guest_page, hex, r->tb.guest_page) \
    X(hash, hex, r->tb.hash) \
    X(guest_insns, u64, r->tb.guest_insns) \
    X(bytecode_bytes, u64, r->tb.bytecode_bytes) \
    X(wasm_bytes, u64, r->wasm_bytes) \
    X(translate_ns, u64, r->tb.translate_ns) \
    X(compile_ns, u64, r->compile_ns) \
    X(wait_ns, u64, r->wait_ns) \
    X(tier, u64, r->tier) \
    X(shape, string, shape_name(r)) \
    X(exec_tier0, u64, r->exec[0]) \
    X(exec_tier1, u64, r->exec[1]) \
    X(exec_tier2, u64, r->exec[2]) \
    X(refused, string, refused_name(r)) \
    X(fate, string, fate_name(r))

static void row_json(const TierTbRecord *r, TierJson *json)
{
    tier_json_newline(json);
    tier_json_open(json, '[');
#define X(name, writer, value) tier_json_##writer(json, value);
    COLUMNS(X)
#undef X
    tier_json_close(json, ']');
}

void tier_stats_json(const TierEngine *engine, TierSinkFn *sink, void *opaque)
{
    const TierTbRecord *record = tier_records_from(&engine->records, 0);
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
    while (record) {
        row_json(record, &json);
        record = tier_records_from(&engine->records, record->tb.id + 1);
    }
    tier_json_close(&json, ']');
    tier_json_close(&json, '}');
    tier_json_close(&json, '}');
    tier_json_end(&json);
}
