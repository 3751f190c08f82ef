/*
 * The runtime's settings, from the environment. A setting that makes no sense
 * ends the program with status 2 and one line.
 *
 *   TIERLAB_TIER=SPEC      the policy and its parameters
 *   TIERLAB_SEED=N         for policies that need random numbers
 *   TIERLAB_CHAIN=dispatch|tail       how TBs of different modules are chained
 *   TIERLAB_COUNTS=off|sampled|exact  how executions in tier 1 are counted
 *   TIERLAB_FP=inline|call  how compiled code does floating point: by Wasm's
 *                          instructions where these give the helper's result,
 *                          or by the helper
 *   TIERLAB_TLB=page|each  which guest accesses compiled code looks up in the
 *                          TLB: one of those that share a page, or each
 *   TIERLAB_FAULT=KIND:N,...          let every N-th module fail with a reason
 *                          of refusals.def: engine-refused, table-full,
 *                          no-memory...
 *   TIERLAB_NAMES=off|on   names in modules, for profilers
 *   TIERLAB_TSC_KHZ=N      the rate of an x86 guest's time stamp counter; by
 *                          default 1 GHz
 *   TIERLAB_STATS=FILE     write the run's statistics there, at its end
 *   TIERLAB_TIMELINE=FILE  write a line of JSON there, now and then
 *   TIERLAB_TIMELINE_MS=N  how often; by default every half second
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_WASM_SETTINGS_H
#define TCG_WASM_SETTINGS_H

#include "lib/emit.h"

enum { TW_NANOSECONDS_KHZ = 1000 * 1000 };

typedef struct TwSettings {
    const char *tier;
    uint64_t seed;
    TwChaining chaining;
    TwCounts counts;
    bool names;
    bool inline_fp;
    bool keeps_pages;
    uint32_t fault_every[TW_NB_REFUSALS];   /* 0: none */
    const char *stats_path;     /* NULL: none */
    const char *timeline_path;
    uint32_t timeline_ms;
    uint32_t tsc_khz;
} TwSettings;

void tw_settings_read(TwSettings *settings);

#endif
