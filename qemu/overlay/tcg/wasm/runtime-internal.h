/*
 * Shared by the runtime's files only.
 *
 *   runtime.c   the life of TBs and modules, the dispatcher
 *   compile.c   from a decision to code that is executed
 *   report.c    counts, the timeline, the statistics
 *   lookup.c    jumps by lookup
 *   interp.c    tier 0
 *   ticks.c     the host's ticks
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_WASM_RUNTIME_INTERNAL_H
#define TCG_WASM_RUNTIME_INTERNAL_H

#include "qemu/thread.h"
#include "lib/emit.h"
#include "tiers/engine.h"
#include "code-cache.h"
#include "settings.h"

enum {
    /* In TwHeader.flags: compiled, but its module is watched. */
    TW_HEADER_WATCHED = 1,

    /* Executions that TW_COUNTS_SAMPLED counts at once: prime, so that loops do
       not fall in step with it. */
    TW_SAMPLE_PERIOD = 127,
};

/* One for the program; tw_runtime_init() makes it. */
typedef struct TwRuntime {
    QemuMutex lock; /* of what follows, but the settings, which stay */
    TwSettings settings;
    TierEngine *engine;
    GPtrArray *headers; /* TwHeader * by id - first_id; NULL: gone */
    uint32_t first_id; /* of the TBs since the last flush */
} TwRuntime;

extern TwRuntime tw;

/* Offset of CPUTLBDescFast[0] from env: it ends right before it. */
#define TW_ENV_TLB_OFS \
    ((int)(offsetof(CPUNegativeOffsetState, tlb.f[0]) - \
           sizeof(CPUNegativeOffsetState)))

/* The byte that says whether an instruction may do I/O. */
#define TW_ENV_CAN_DO_IO_OFS \
    ((int)(offsetof(CPUState, neg.can_do_io) - sizeof(CPUState)))

TwTbFn tw_interpret;

/* QEMU's jump cache, as LOOKUPs use it. */
const TwJumpCache *tw_jump_cache(void);

/* Make LOOKUPs of the jumps by lookup in @tb's code, where that is right. */
void tw_speed_lookups(const struct TranslationBlock *tb, uint64_t *code,
                      size_t nwords);

/*
 * @header's countdown ran out. Decides, compiles if that is the decision, and
 * sets the countdown anew; true if compiled code is to be entered now.
 */
bool tw_hot(TwHeader *header);

uint64_t tw_epoch_ms(void);

/*
 * All that follows wants the lock held, unless it says otherwise.
 */

/* The header of the TB @id; NULL: it is gone. */
TwHeader *tw_header(uint32_t id);

/* Take @module's code from its members, and give it up. */
void tw_retire(TwModule *module);

/* The watched @module was entered: its members execute its code again. */
void tw_put_back(TwModule *module);

/* Do to modules what the engine wants done to them. */
void tw_handle_events(void);

/* Before a guest runs, without the lock. */
void tw_compile_init(void);

/* When the globals of TCG are known, before anything is compiled. */
void tw_find_globals(void);

/*
 * Compile the decision's group. @at_once: the entry that asked waits for it, if
 * a vCPU compiles.
 */
void tw_compile_group(const TierDecision *decision, bool at_once);

/* Before a guest runs, without the lock. */
void tw_report_init(void);

/* Hand what the header, or all of them, have counted to the engine. */
void tw_settle(TwHeader *header);
void tw_settle_all(void);

/* Now and then: counts to the engine, a line of the timeline to its file. */
void tw_report_counts(int64_t now);
void tw_report_timeline(int64_t now);

#endif
