/*
 * The compiler thread: groups wait in a queue and are compiled one after the other
 * beside the vCPUs.
 *
 * A job has a copy of its members' bytecode, as tier 0 writes hints into the
 * original. What else compilation reads of a TB stays where it is until the code
 * buffer is flushed, and a flush stops the compiler first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_WASM_COMPILER_H
#define TCG_WASM_COMPILER_H

#include "qemu/queue.h"
#include "qemu/thread.h"
#include "lib/emit.h"
#include "tiers/policy.h"

/* A group to be compiled. */
typedef struct TwJob {
    QSIMPLEQ_ENTRY(TwJob) next;
    unsigned tier;
    TierShape shape;
    uint32_t n;
    uint32_t *ids;
    TwTbRef *refs;
    uint64_t *code; /* what refs point into; NULL: the originals */
} TwJob;

void tw_job_free(TwJob *job);

/*
 * @compile does a job, in the thread, without @lock, which guards all else here;
 * the job is freed afterwards.
 */
void tw_compiler_init(QemuMutex *lock, void (*compile)(TwJob *job));

/* With the lock held. The first one starts the thread. */
void tw_compiler_add(TwJob *job);

/*
 * With the lock held, which is given up meanwhile: forget the jobs that wait, and
 * wait for the one that is being done.
 */
void tw_compiler_stop(void);

#endif
