/*
 * The compiler thread; see compiler.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "compiler.h"

void tw_job_free(TwJob *job)
{
    g_free(job->ids);
    g_free(job->refs);
    g_free(job->code);
    g_free(job);
}

static void *run(void *opaque)
{
    TwCompiler *compiler = opaque;

    qemu_mutex_lock(compiler->lock);
    for (;;) {
        TwJob *job;

        while (QSIMPLEQ_EMPTY(&compiler->jobs)) {
            qemu_cond_wait(&compiler->added, compiler->lock);
        }
        job = QSIMPLEQ_FIRST(&compiler->jobs);
        QSIMPLEQ_REMOVE_HEAD(&compiler->jobs, next);
        compiler->busy = true;
        qemu_mutex_unlock(compiler->lock);

        compiler->compile(job);
        tw_job_free(job);

        qemu_mutex_lock(compiler->lock);
        compiler->busy = false;
        qemu_cond_broadcast(&compiler->idle);
    }
    return NULL;
}

void tw_compiler_init(TwCompiler *compiler, QemuMutex *lock,
                      void (*compile)(TwJob *job))
{
    compiler->lock = lock;
    compiler->compile = compile;
    QSIMPLEQ_INIT(&compiler->jobs);
    qemu_cond_init(&compiler->added);
    qemu_cond_init(&compiler->idle);
}

void tw_compiler_add(TwCompiler *compiler, TwJob *job)
{
    QSIMPLEQ_INSERT_TAIL(&compiler->jobs, job, next);
    if (!compiler->started) {
        compiler->started = true;
        qemu_thread_create(&compiler->thread, "compiler", run, compiler,
                           QEMU_THREAD_DETACHED);
    }
    qemu_cond_signal(&compiler->added);
}

void tw_compiler_wait(TwCompiler *compiler)
{
    while (compiler->busy) {
        qemu_cond_wait(&compiler->idle, compiler->lock);
    }
}

void tw_compiler_stop(TwCompiler *compiler)
{
    while (!QSIMPLEQ_EMPTY(&compiler->jobs)) {
        TwJob *job = QSIMPLEQ_FIRST(&compiler->jobs);

        QSIMPLEQ_REMOVE_HEAD(&compiler->jobs, next);
        tw_job_free(job);
    }
    tw_compiler_wait(compiler);
}
