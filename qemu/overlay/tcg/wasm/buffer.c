/*
 * The code buffer; see buffer.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "exec/tb-flush.h"
#include "exec/translation-block.h"
#include "hw/boards.h"
#include "hw/core/cpu.h"
#include "accel/tcg/internal-common.h"
#include "tcg/tcg.h"
#include "tcg/tcg-internal.h"
#include "lib/host.h"
#include "buffer.h"
#include "modules.h"
#include "report.h"
#include "state.h"

/*
 * Size
 */

enum {
    MIN_DEFAULT_MIB = 32,
    MAX_DEFAULT_MIB = 512,
    /* Linear memory for QEMU itself, disks' caches and the like. */
    OTHER_MIB = 1024,
    /* A share of the machine's memory, and of the linear memory that is left */
    MACHINE_SHARE = 8,
    LINEAR_SHARE = 2,
};

/*
 * The buffer takes linear memory at once, but the machine's memory only as it
 * is filled: so it may be as large as programs with much code need.
 */
size_t tw_buffer_default_size(void)
{
    uint64_t machine = tw_host_physical_memory() / MiB / MACHINE_SHARE;
    uint64_t linear = tw_host_memory_max() / MiB;
    uint64_t used = current_machine->ram_size / MiB + OTHER_MIB;
    uint64_t size = MAX_DEFAULT_MIB;

    if (machine) {
        size = MIN(size, machine);
    }
    if (linear) {
        size = MIN(size, linear > used ? (linear - used) / LINEAR_SHARE : 0);
    }
    return MAX(size, MIN_DEFAULT_MIB) * MiB;
}

enum {
    MIN_SECTIONS = 4, /* if they are not too small then */
    SECTION_BYTES = 512 * KiB, /* of a buffer of usual size */
    MIN_SECTION_BYTES = 256 * KiB, /* a TB and its headers fit well */
};

size_t tw_buffer_sections(size_t bytes, unsigned cpus)
{
    size_t n = MAX(bytes / SECTION_BYTES, MAX(MIN_SECTIONS, 2 * cpus));

    n = MIN(n, MIN(bytes / MIN_SECTION_BYTES, TIER_MAX_SECTIONS));
    tw.buffer.n = MAX(n, 1);
    return tw.buffer.n;
}

/*
 * Sections. Under QEMU's lock of its regions, or while no vCPU runs.
 */

bool tw_buffer_take(size_t *section)
{
    TwBuffer *buffer = &tw.buffer;

    for (uint32_t i = 0; i < buffer->n; i++) {
        if (buffer->taken[i] == 0) {
            buffer->taken[i] = ++buffer->last_taken;
            *section = i;
            return true;
        }
    }
    return false;
}

void tw_buffer_flushed(void)
{
    memset(tw.buffer.taken, 0, sizeof(tw.buffer.taken));
}

bool tw_buffer_evicts(void)
{
    return tw.buffer.evicts;
}

/*
 * Eviction. No vCPU is inside a TB.
 */

/* Does a thread fill the section? */
static bool is_being_filled(uint32_t section)
{
    unsigned n = qatomic_read(&tcg_cur_ctxs);

    for (unsigned i = 0; i < n; i++) {
        const TCGContext *context = qatomic_read(&tcg_ctxs[i]);

        if (context->code_gen_buffer &&
            tw_region_of(context->code_gen_buffer) == section) {
            return true;
        }
    }
    return false;
}

static uint32_t find_full(TierSection *full)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < tw.buffer.n; i++) {
        if (tw.buffer.taken[i] && !is_being_filled(i)) {
            full[n++] = (TierSection){
                .index = i,
                .filled = tw.buffer.taken[i],
            };
        }
    }
    return n;
}

static gboolean collect(gpointer key, gpointer value, gpointer opaque)
{
    g_ptr_array_add(opaque, value);
    return false;
}

/* Retire every module that has a member which is dead. */
static void retire_broken(TwModule *module)
{
    for (uint32_t i = 0; i < module->n; i++) {
        if (!tw_header(module->ids[i])) {
            g_ptr_array_add(tw.buffer.broken, module);
            return;
        }
    }
}

static void retire_modules(void)
{
    g_ptr_array_set_size(tw.buffer.broken, 0);
    tw_cache_for_each(&tw.cache, retire_broken);
    for (guint i = 0; i < tw.buffer.broken->len; i++) {
        tw_modules_retire(g_ptr_array_index(tw.buffer.broken, i),
                          TIER_REFUSED_NONE);
    }
}

/* Ids of dead TBs at the beginning need no place. Most are in one section. */
static void forget_first_ids(void)
{
    guint n = 0;

    while (n < tw.headers->len && !g_ptr_array_index(tw.headers, n)) {
        n++;
    }
    if (n > tw.headers->len / 2) {
        g_ptr_array_remove_range(tw.headers, 0, n);
        tw.first_id += n;
    }
}

static void evict_section(uint32_t section)
{
    g_autoptr(GPtrArray) tbs = g_ptr_array_new();
    CPUState *cpu;

    tw_region_foreach(section, collect, tbs);
    tw.buffer.evicts = true;
    for (guint i = 0; i < tbs->len; i++) {
        tw_tb_unlink(g_ptr_array_index(tbs, i));
    }
    tw.buffer.evicts = false;
    CPU_FOREACH(cpu) {
        tcg_flush_jmp_cache(cpu);
    }
    qemu_mutex_lock(&tw.lock);
    retire_modules();
    forget_first_ids();
    qemu_mutex_unlock(&tw.lock);
    tw_region_empty(section);
    tw.buffer.taken[section] = 0;
}

/* The section to evict, or TIER_WHOLE_BUFFER. */
static uint32_t choose(void)
{
    TierSection full[TIER_MAX_SECTIONS];
    uint32_t n = find_full(full);
    uint32_t chosen;

    qemu_mutex_lock(&tw.lock);
    tw_compiler_wait(&tw.compiler);
    if (tier_engine_spec(tw.engine)->buffer->wants_uses) {
        tw_settle_all();
    }
    chosen = tier_choose_section(tw.engine, full, n);
    qemu_mutex_unlock(&tw.lock);
    return chosen == TIER_WHOLE_BUFFER ? chosen : full[chosen].index;
}

/* @rounds: of evictions, when it was asked for. */
static void make_room(CPUState *cpu, run_on_cpu_data rounds)
{
    uint32_t section;
    int64_t began;

    if (tw.buffer.rounds != (unsigned)rounds.host_int) {
        return; /* another thread's request made room already */
    }
    tw.buffer.rounds++;
    began = get_clock();
    section = choose();
    if (section == TIER_WHOLE_BUFFER) {
        tb_flush(cpu);
    } else {
        evict_section(section);
    }
    qemu_mutex_lock(&tw.lock);
    tier_counters(tw.engine)->evict_ns += get_clock() - began;
    qemu_mutex_unlock(&tw.lock);
}

void tw_buffer_full(CPUState *cpu)
{
    run_on_cpu_data rounds =
        RUN_ON_CPU_HOST_INT((int)qatomic_read(&tw.buffer.rounds));

    if (cpu_in_serial_context(cpu)) {
        make_room(cpu, rounds);
    } else {
        async_safe_run_on_cpu(cpu, make_room, rounds);
    }
}
