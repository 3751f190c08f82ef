/*
 * Policy specs and declarations as JSON.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "spec.h"

static void value_json(const TierParam *param, TierValue value, TierJson *json)
{
    char text[TIER_VALUE_MAX];

    tier_value_print(param, value, text, sizeof(text));
    switch (param->type) {
    case TIER_PARAM_U64:
    case TIER_PARAM_DOUBLE:
        tier_json_raw(json, text);
        break;
    case TIER_PARAM_BOOL:
        tier_json_bool(json, value.on);
        break;
    case TIER_PARAM_ENUM:
    case TIER_PARAM_TEXT:
        tier_json_string(json, text);
        break;
    }
}

static void values_json(const TierParam *params, const TierValue *values,
                        TierJson *json)
{
    tier_json_open(json, '{');
    for (unsigned i = 0; params && params[i].name; i++) {
        tier_json_key(json, params[i].name);
        value_json(&params[i], values[i], json);
    }
    tier_json_close(json, '}');
}

void tier_spec_json(const TierSpec *spec, TierJson *json)
{
    char text[TIER_ERR_MAX];

    tier_json_key(json, "name");
    tier_json_string(json, spec->policy->name);
    tier_json_key(json, "spec");
    tier_json_string(json,
                     tier_spec_print(spec, text, sizeof(text)) ? text : NULL);
    tier_json_key(json, "params");
    values_json(spec->policy->params, spec->values, json);
    tier_json_key(json, "common");
    values_json(tier_common_params, spec->common, json);
}

static void param_json(const TierParam *param, TierJson *json)
{
    char range[TIER_ERR_MAX];

    tier_json_open(json, '{');
    tier_json_key(json, "name");
    tier_json_string(json, param->name);
    tier_json_key(json, "type");
    tier_json_string(json, tier_param_type_name(param->type));
    tier_json_key(json, "unit");
    tier_json_string(json, param->unit);
    tier_json_key(json, "default");
    value_json(param, param->def, json);
    if (param->type == TIER_PARAM_U64 || param->type == TIER_PARAM_DOUBLE) {
        tier_json_key(json, "min");
        value_json(param, param->min, json);
        tier_json_key(json, "max");
        value_json(param, param->max, json);
    }
    if (param->type == TIER_PARAM_ENUM) {
        tier_json_key(json, "choices");
        tier_json_open(json, '[');
        for (unsigned i = 0; param->choices[i]; i++) {
            tier_json_string(json, param->choices[i]);
        }
        tier_json_close(json, ']');
    }
    tier_param_print_range(param, range, sizeof(range));
    tier_json_key(json, "range");
    tier_json_string(json, range);
    tier_json_key(json, "meaning");
    tier_json_string(json, param->meaning);
    tier_json_close(json, '}');
}

static void params_json(const TierParam *params, TierJson *json)
{
    tier_json_open(json, '[');
    for (const TierParam *p = params; p && p->name; p++) {
        param_json(p, json);
    }
    tier_json_close(json, ']');
}

/* Defaults of common parameters are the policy's, which may have its own. */
static void common_defaults_json(const TierPolicy *policy, TierJson *json)
{
    char err[TIER_ERR_MAX];
    TierSpec spec;

    tier_json_key(json, "common");
    if (tier_spec_parse(policy->name, &spec, err, sizeof(err))) {
        values_json(tier_common_params, spec.common, json);
    } else {
        tier_json_null(json);
    }
}

void tier_policy_json(const TierPolicy *policy, TierJson *json)
{
    tier_json_open(json, '{');
    tier_json_key(json, "name");
    tier_json_string(json, policy->name);
    tier_json_key(json, "summary");
    tier_json_string(json, policy->summary);
    tier_json_key(json, "source");
    tier_json_string(json, policy->source);
    tier_json_key(json, "params");
    params_json(policy->params, json);
    common_defaults_json(policy, json);
    tier_json_close(json, '}');
}

void tier_common_json(TierJson *json)
{
    params_json(tier_common_params, json);
}

static void choice_json(const char *name, const char *summary,
                        const char *source, TierJson *json)
{
    tier_json_open(json, '{');
    tier_json_key(json, "name");
    tier_json_string(json, name);
    tier_json_key(json, "summary");
    tier_json_string(json, summary);
    tier_json_key(json, "source");
    tier_json_string(json, source);
    tier_json_close(json, '}');
}

void tier_evictions_json(TierJson *json)
{
    tier_json_open(json, '[');
    for (unsigned i = 0; tier_evictions[i]; i++) {
        choice_json(tier_eviction_names[i], tier_evictions[i]->summary,
                    tier_evictions[i]->source, json);
    }
    tier_json_close(json, ']');
}

void tier_buffers_json(TierJson *json)
{
    tier_json_open(json, '[');
    for (unsigned i = 0; tier_buffers[i]; i++) {
        choice_json(tier_buffer_names[i], tier_buffers[i]->summary,
                    tier_buffers[i]->source, json);
    }
    tier_json_close(json, ']');
}
