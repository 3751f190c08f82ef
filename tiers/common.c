/*
 * The parameters that every policy has: how and when modules are given up,
 * which thread compiles, and what is evicted from a full code buffer.
 *
 * Linux grants a process 65,530 memory mappings, of which V8 needs two for each
 * module and dies when there are no more: hence max-modules and max-maps.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "spec.h"

/* evictions.def and buffers.def, as they are when a table may refer to them. */
static const char *const evictions[] = {
#define X(ident, name) name,
#include "evictions.def"
    NULL,
};

enum {
#define X(ident, name) EVICT_##ident,
#include "evictions.def"
};

static const char *const buffers[] = {
#define X(ident, name) name,
#include "buffers.def"
    NULL,
};

enum {
#define X(ident, name) BUFFER_##ident,
#include "buffers.def"
};

static const char *const compilers[] = {
    [TIER_COMPILER_VCPU] = "vcpu",
    [TIER_COMPILER_THREAD] = "thread",
    NULL,
};

const TierParam tier_common_params[] = {
    [TIER_COMMON_EVICT] = {
        .name = "evict",
        .unit = "",
        .meaning = "which modules are given up when a budget is full",
        .type = TIER_PARAM_ENUM,
        .choices = evictions,
        .def.choice = EVICT_clock,
    },
    [TIER_COMMON_MAX_MODULES] = {
        .name = "max-modules",
        .unit = "modules",
        .meaning = "budget: modules installed at once",
        .type = TIER_PARAM_U64,
        .def.u64 = 24000,
        .min.u64 = 1,
        .max.u64 = 1000000,
    },
    [TIER_COMMON_MAX_SLOTS] = {
        .name = "max-slots",
        .unit = "slots",
        .meaning = "budget: function table slots in use at once",
        .type = TIER_PARAM_U64,
        .def.u64 = 262144,
        .min.u64 = 1,
        .max.u64 = 10000000,
    },
    [TIER_COMMON_MAX_CODE] = {
        .name = "max-code",
        .unit = "MiB",
        .meaning = "budget: Wasm of the modules installed at once",
        .type = TIER_PARAM_U64,
        .def.u64 = 256,
        .min.u64 = 1,
        .max.u64 = 4096,
    },
    [TIER_COMMON_MAX_MAPS] = {
        .name = "max-maps",
        .unit = "mappings",
        .meaning = "budget: memory mappings of the modules installed at once",
        .type = TIER_PARAM_U64,
        .def.u64 = 48000,
        .min.u64 = 1,
        .max.u64 = 2000000,
    },
    [TIER_COMMON_COMPILER] = {
        .name = "compiler",
        .unit = "",
        .meaning = "who compiles: the vCPU that asks, which waits, or a thread",
        .type = TIER_PARAM_ENUM,
        .choices = compilers,
        .def.choice = TIER_COMPILER_VCPU,
    },
    [TIER_COMMON_BUFFER] = {
        .name = "buffer",
        .unit = "",
        .meaning = "what is evicted when the code buffer is full",
        .type = TIER_PARAM_ENUM,
        .choices = buffers,
        .def.choice = BUFFER_oldest,
    },
    [TIER_NB_COMMON] = { .name = NULL },
};
