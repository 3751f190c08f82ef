/*
 * The compiler thread: groups wait in a queue, and are compiled one after the
 * other beside the vCPUs.
 *
 * A job has a copy of its members' bytecode, because tier 0 writes hints into
 * the original. Everything else that compilation reads of a TB stays in place
 * until the TB's section of the code buffer is evicted, or the buffer flushed:
 * an eviction waits for the job that is being done, a flush stops the compiler.
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
    uint64_t *code;             /* that refs point into; NULL: originals */
} TwJob;

void tw_job_free(TwJob *job);

typedef struct TwCompiler {
    QemuMutex *lock;            /* guards all that follows */
    void (*compile)(TwJob *job);
    QSIMPLEQ_HEAD(, TwJob) jobs; /* that wait */
    QemuCond added;             /* a job was added */
    QemuCond idle;              /* a job was done */
    QemuThread thread;
    bool started;               /* there is a thread */
    bool busy;                  /* the thread does a job */
} TwCompiler;

/*
 * @compile does a job in the thread, and is called without @lock. The job is
 * freed afterwards.
 */
void tw_compiler_init(TwCompiler *compiler, QemuMutex *lock,
                      void (*compile)(TwJob *job));

/* Wants the lock. The first job starts the thread. */
void tw_compiler_add(TwCompiler *compiler, TwJob *job);

/* Wait for the job that is being done. As tw_compiler_stop() in other ways. */
void tw_compiler_wait(TwCompiler *compiler);

/*
 * Forget the jobs that wait, and wait for the job that is being done. Wants the
 * lock, and gives it up while it waits.
 */
void tw_compiler_stop(TwCompiler *compiler);

#endif
