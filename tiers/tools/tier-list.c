/*
 * tier-list: what this library declares, for other programs to use.
 *
 *   tier-list              all that is declared, as JSON
 *   tier-list check SPEC   the canonical spec; or one line on stderr, status 2
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <string.h>

#include "../counters.h"
#include "../spec.h"

enum { DONE = 0, FAILED = 1, USAGE = 2 };

static void to_stdout(void *opaque, const char *text, size_t len)
{
    (void)opaque;
    fwrite(text, 1, len, stdout);
}

static void policies_json(TierJson *json)
{
    tier_json_key(json, "policies");
    tier_json_open(json, '[');
    for (const TierPolicy *const *p = tier_policies; *p; p++) {
        tier_json_newline(json);
        tier_policy_json(*p, json);
    }
    tier_json_close(json, ']');
}

static void counters_json(TierJson *json)
{
    tier_json_key(json, "counters");
    tier_json_open(json, '[');
    for (const TierCounterInfo *i = tier_counter_infos; i->name; i++) {
        tier_json_newline(json);
        tier_json_open(json, '{');
        tier_json_key(json, "name");
        tier_json_string(json, i->name);
        tier_json_key(json, "unit");
        tier_json_string(json, i->unit);
        tier_json_key(json, "kind");
        tier_json_string(json, tier_counter_kind_name(i->kind));
        tier_json_key(json, "meaning");
        tier_json_string(json, i->meaning);
        tier_json_close(json, '}');
    }
    tier_json_close(json, ']');
}

static void refusals_json(TierJson *json)
{
    tier_json_key(json, "refusals");
    tier_json_open(json, '[');
    for (unsigned why = 1; why < TIER_NB_REFUSALS; why++) {
        tier_json_newline(json);
        tier_json_open(json, '{');
        tier_json_key(json, "key");
        tier_json_string(json, tier_refusal_key((TierRefusal)why));
        tier_json_key(json, "meaning");
        tier_json_string(json, tier_refusal_meaning((TierRefusal)why));
        tier_json_close(json, '}');
    }
    tier_json_close(json, ']');
}

static void list(void)
{
    TierJson json;

    tier_json_start(&json, to_stdout, NULL);
    tier_json_open(&json, '{');
    tier_json_key(&json, "schema");
    tier_json_u64(&json, 1);
    tier_json_key(&json, "default");
    tier_json_string(&json, TIER_DEFAULT_SPEC);
    policies_json(&json);
    tier_json_key(&json, "common");
    tier_common_json(&json);
    tier_json_key(&json, "evictions");
    tier_evictions_json(&json);
    tier_json_key(&json, "buffers");
    tier_buffers_json(&json);
    counters_json(&json);
    refusals_json(&json);
    tier_json_close(&json, '}');
    tier_json_end(&json);
    putchar('\n');
}

static int check(const char *text)
{
    char line[TIER_ERR_MAX];
    TierSpec spec;

    if (!tier_spec_parse(text, &spec, line, sizeof(line))) {
        fprintf(stderr, "tier-list: %s\n", line);
        return USAGE;
    }
    if (!tier_spec_print(&spec, line, sizeof(line))) {
        fprintf(stderr, "tier-list: the canonical spec is too long\n");
        return FAILED;
    }
    puts(line);
    return DONE;
}

int main(int argc, char **argv)
{
    int status = DONE;

    if (argc == 1) {
        list();
    } else if (argc == 3 && strcmp(argv[1], "check") == 0) {
        status = check(argv[2]);
    } else {
        fprintf(stderr, "tier-list: wrong arguments: "
                        "use `tier-list` or `tier-list check SPEC`\n");
        return USAGE;
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "tier-list: cannot write to standard output: "
                        "is the disk full?\n");
        return FAILED;
    }
    return status;
}
