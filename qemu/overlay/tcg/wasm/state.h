/*
 * The runtime's state: one struct for the program, one for each thread that
 * executes TBs. The runtime's files, each of which may use those below it:
 *
 *   runtime.c            the dispatcher, and the start
 *   tier0.c              the interpreter
 *   events.c             what happens to TBs: asks the policy, tells the engine
 *   buffer.c             what happens when the code buffer is full
 *   compile.c  report.c  from a decision to code; counts and statistics
 *   modules.c  lookup.c  whose code TBs execute; jumps by lookup
 *   state.c  ticks.c     this file; the host's ticks
 *   code-cache.c  compiler.c  settings.c
 *                        installed modules; the compiler thread; settings
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_WASM_STATE_H
#define TCG_WASM_STATE_H

#include "qemu/thread.h"
#include "lib/bytecode.h"
#include "lib/emit.h"
#include "tiers/engine.h"
#include "code-cache.h"
#include "compiler.h"
#include "settings.h"

/* What compile.c keeps from one module to the next. */
typedef struct TwEmission {
    TwTarget target;            /* set at the start, but for page_bits */
    TwEmitOptions options;      /* set at the start, but for base and shape */
    TwBuf buf;                  /* the module being written */
    uint64_t modules_tried;     /* of these, some fail on request */
    bool beside;                /* the compiler's thread compiles */
} TwEmission;

/* When report.c tells what next, in ns of get_clock(). */
typedef struct TwReport {
    int64_t next_counts;        /* executions in tier 1, to the engine */
    int64_t next_sample;        /* a line of the timeline */
    FILE *timeline;             /* NULL: none is wanted */
} TwReport;

/* The code buffer's sections; buffer.c's. */
typedef struct TwBuffer {
    uint32_t n;                 /* constant once a guest runs */
    uint64_t taken[TIER_MAX_SECTIONS]; /* the order; 0: the section is free */
    uint64_t last_taken;
    unsigned rounds;            /* evictions and flushes */
    bool evicts;                /* a section is being evicted */
    GPtrArray *broken;          /* TwModule * that lost a member */
} TwBuffer;

/* How TBs were left, in one thread. */
typedef struct TwExits {
    uint64_t dispatched;        /* to the next TB, by way of the dispatcher */
    uint64_t exit_tb;           /* to QEMU's main loop */
    uint64_t requested;         /* likewise, as something is pending */
    uint64_t longjmp;           /* in the middle of a TB */
} TwExits;

typedef struct TwRuntime {
    /* Set at the start, and constant once a guest runs */
    TwSettings settings;
    unsigned page_bits;         /* the guest's page size, log2 */

    /* Guards all that follows, unless a field says otherwise. */
    QemuMutex lock;
    bool started;               /* a guest instruction was executed */
    TierEngine *engine;
    GPtrArray *headers;         /* TwHeader * by id - first_id; NULL: gone */
    uint32_t first_id;          /* of those since the last flush */
    TwCodeCache cache;
    TwCompiler compiler;
    TwEmission emission;        /* of the thread that compiles: no lock */
    TwReport report;
    TwBuffer buffer;            /* has locks of its own: buffer.c */
    int64_t next_tick;          /* atomic: no lock */
    unsigned long *harmless;    /* lookup.c's, atomic: no lock */
} TwRuntime;

typedef struct TwThread {
    TwTable table;
    TwExits exits;              /* other threads read them */
    bool inside;                /* a TB was entered and has not returned */
    uint32_t entries_left; /* of the dispatcher, to a look at the clock */
    uint32_t entries_per_look; /* how many there were to be */
    int64_t last_look; /* its time, in ns */
} TwThread;

extern TwRuntime tw;

/* The calling thread's. */
extern __thread TwThread tw_thread;

/* The calling thread's as well; apart, because QEMU's GETPC() reads it. */
extern __thread TwFrame tw_frame;

/* The header of the TB @id; NULL: the TB is gone. Wants the lock. */
static inline TwHeader *tw_header(uint32_t id)
{
    uint32_t i = id - tw.first_id;

    return i < tw.headers->len ? g_ptr_array_index(tw.headers, i) : NULL;
}

#endif
