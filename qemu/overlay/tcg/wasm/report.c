/*
 * Counts, the timeline and the statistics; see report.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/timer.h"
#include "tcg/startup.h"
#include "tcg/tcg.h"
#include "lib/host.h"
#include "report.h"
#include "state.h"

enum { REPORT_NS = 20 * 1000 * 1000 };

uint64_t tw_epoch_ms(void)
{
    return get_clock_realtime() / SCALE_MS;
}

void tw_settle(TwHeader *header)
{
    tier_settle(tw.engine, header->id, header->countdown);
    if (header->tier1_count) {
        tier_executed(tw.engine, header->id, 1, header->tier1_count);
        header->tier1_count = 0;
    }
}

void tw_settle_all(void)
{
    for (guint i = 0; i < tw.headers->len; i++) {
        TwHeader *header = g_ptr_array_index(tw.headers, i);

        if (header) {
            tw_settle(header);
        }
    }
}

static void write_timeline(void)
{
    const TierCounters *c = tier_counters(tw.engine);
    const struct {
        const char *name;
        uint64_t value;
    } columns[] = {
        { "t_ms", tw_epoch_ms() - c->start_epoch_ms },
        { "modules", c->modules_alive },
        { "modules_installed", c->modules_installed },
        { "retired", c->modules_retired },
        { "slots", c->table_slots_used },
        { "wasm_bytes", c->wasm_bytes_alive },
        { "tbs_live", c->tbs_live },
        { "tb_flushes", c->tb_flushes },
        { "memory_bytes", tw_host_memory_size() },
        { "tbs_translated", c->tbs_translated },
        { "tbs_compiled", c->tbs_compiled },
        { "tbs_in_modules", c->tbs_in_modules },
        { "translate_ns", c->translate_ns },
        { "compile_ns", c->emit_ns + c->instantiate_ns },
        { "exec_tier0", c->exec_tier0 },
        { "exec_tier1", c->exec_tier1 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        fprintf(tw.report.timeline, "%c\"%s\":%" PRIu64, i ? ',' : '{',
                columns[i].name, columns[i].value);
    }
    fputs("}\n", tw.report.timeline);
    fflush(tw.report.timeline);
}

void tw_report_timeline(int64_t now)
{
    if (!tw.report.timeline || now < tw.report.next_sample) {
        return;
    }
    tw.report.next_sample = now + (int64_t)tw.settings.timeline_ms * SCALE_MS;
    /* This reads every header: only if the user pays for counting anyway. */
    if (tw.settings.counts != TW_COUNTS_OFF) {
        tw_settle_all();
    }
    write_timeline();
}

/* Executions in tier 1 are in the headers until they are settled. */
void tw_report_counts(int64_t now)
{
    if (tw.settings.counts == TW_COUNTS_OFF || now < tw.report.next_counts) {
        return;
    }
    tw.report.next_counts = now + REPORT_NS;
    for (guint i = 0; i < tw.headers->len; i++) {
        TwHeader *header = g_ptr_array_index(tw.headers, i);

        if (header && header->tier1_count) {
            tw_settle(header);
        }
    }
}

/* An exit that another thread makes just now may be missing. */
static void sum_exits(TierCounters *counters)
{
    const GPtrArray *tables = tw.cache.tables;

    for (guint i = 0; i < tables->len; i++) {
        const TwThread *thread =
            container_of(g_ptr_array_index(tables, i), TwThread, table);

        counters->exits_dispatched += thread->exits.dispatched;
        counters->exits_exit_tb += thread->exits.exit_tb;
        counters->exits_requested += thread->exits.requested;
        counters->exits_longjmp += thread->exits.longjmp;
    }
}

static void write_text(void *opaque, const char *text, size_t len)
{
    fwrite(text, 1, len, opaque);
}

static void write_stats(void)
{
    TierCounters *counters = tier_counters(tw.engine);
    FILE *file;

    qemu_mutex_lock(&tw.lock);
    tw_settle_all();
    sum_exits(counters);
    counters->memory_bytes = tw_host_memory_size();
    counters->code_buffer_bytes = tcg_code_size();
    counters->code_buffer_size_bytes = tcg_code_capacity();

    file = fopen(tw.settings.stats_path, "w");
    if (file) {
        tier_stats_json(tw.engine, write_text, file);
    }
    if (!file || fclose(file) != 0) {
        error_report("tierlab: cannot write statistics to %s: %s",
                     tw.settings.stats_path, strerror(errno));
    }
    qemu_mutex_unlock(&tw.lock);
}

static FILE *open_timeline(const char *path)
{
    FILE *file = path ? fopen(path, "w") : NULL;

    if (path && !file) {
        error_report("tierlab: cannot write the timeline to %s: %s", path,
                     strerror(errno));
        exit(2);
    }
    return file;
}

void tw_report_init(void)
{
    tw.report.timeline = open_timeline(tw.settings.timeline_path);
    if (tw.settings.stats_path) {
        atexit(write_stats);
    }
}
