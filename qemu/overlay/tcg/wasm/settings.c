/*
 * The runtime's settings; see settings.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "tiers/spec.h"
#include "settings.h"

static void G_NORETURN refuse(const char *name, const char *text,
                              const char *wanted)
{
    error_report("tierlab: %s=%s will not do: give %s", name, text, wanted);
    exit(2);
}

static uint64_t number(const char *name, const char *text, uint64_t min,
                       uint64_t max)
{
    g_autofree char *wanted = NULL;
    uint64_t value;

    if (!g_ascii_string_to_unsigned(text, 10, min, max, &value, NULL)) {
        wanted = g_strdup_printf("a whole number from %" PRIu64 " to %" PRIu64,
                                 min, max);
        refuse(name, text, wanted);
    }
    return value;
}

static uint64_t env_number(const char *name, uint64_t fallback, uint64_t min,
                           uint64_t max)
{
    const char *text = g_getenv(name);

    return text ? number(name, text, min, max) : fallback;
}

/* The index of the variable's value in @choices; 0 if it is not set. */
static int env_choice(const char *name, const char *const *choices)
{
    const char *text = g_getenv(name);
    g_autofree char *wanted = NULL;

    for (int i = 0; choices[i]; i++) {
        if (!text || strcmp(text, choices[i]) == 0) {
            return i;
        }
    }
    wanted = g_strjoinv("|", (char **)choices);
    refuse(name, text, wanted);
}

static void read_fault(TwSettings *settings, const char *item)
{
    static const char name[] = "TIERLAB_FAULT";
    g_auto(GStrv) parts = g_strsplit(item, ":", 2);

    for (int why = TW_REFUSED_NONE + 1; why < TW_NB_REFUSALS; why++) {
        if (parts[0] && strcmp(parts[0], tw_refusal_key(why)) == 0 &&
            parts[1]) {
            settings->fault_every[why] = number(name, parts[1], 1, UINT32_MAX);
            return;
        }
    }
    refuse(name, item,
           "KIND:N, as engine-refused:7, table-full:7 or no-memory:7");
}

static void read_faults(TwSettings *settings)
{
    const char *text = g_getenv("TIERLAB_FAULT");
    g_auto(GStrv) items = g_strsplit(text ? text : "", ",", 0);

    for (char **item = items; *item; item++) {
        read_fault(settings, *item);
    }
}

void tw_settings_read(TwSettings *settings)
{
    static const char *const chainings[] = { "dispatch", "tail", NULL };
    static const char *const switches[] = { "off", "on", NULL };
    static const char *const fp[] = { "inline", "call", NULL };
    static const char *const lookups[] = { "page", "each", NULL };
    static const char *const counts[] = { "off", "sampled", "exact", NULL };
    const char *tier = g_getenv("TIERLAB_TIER");

    *settings = (TwSettings){
        .tier = tier ? tier : TIER_DEFAULT_SPEC,
        .seed = env_number("TIERLAB_SEED", 0, 0, INT64_MAX),
        .chaining = env_choice("TIERLAB_CHAIN", chainings),
        .counts = env_choice("TIERLAB_COUNTS", counts),
        .inline_fp = env_choice("TIERLAB_FP", fp) == 0,
        .keeps_pages = env_choice("TIERLAB_TLB", lookups) == 0,
        .stats_path = g_getenv("TIERLAB_STATS"),
        .timeline_path = g_getenv("TIERLAB_TIMELINE"),
        .names = env_choice("TIERLAB_NAMES", switches),
        .tsc_khz =
            env_number("TIERLAB_TSC_KHZ", TW_NANOSECONDS_KHZ, 1, UINT32_MAX),
        .timeline_ms = env_number("TIERLAB_TIMELINE_MS", 500, 10, 3600 * 1000),
    };
    read_faults(settings);
}
