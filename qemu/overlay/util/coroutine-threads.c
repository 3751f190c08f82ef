/*
 * Coroutines for Wasm: a thread each, of which one runs at a time.
 *
 * Wasm cannot switch stacks, and instrumenting the whole program so that it can
 * unwind and rewind them (Asyncify) costs half its speed. Coroutines are rare
 * (block I/O, the monitor), so each has a thread of its own, and a switch hands
 * over by futex: about 10 us a round trip. QEMU's pool of terminated coroutines
 * keeps their threads.
 *
 * The rest of QEMU must not notice. A coroutine belongs to the thread that
 * entered it: coroutine-tls.h expects thread-local variables to be that
 * thread's, and mutexes that know their owner expect the same. Two Wasm globals
 * of the running instance make a thread's identity: the base of thread-local
 * storage and the pthread. At each switch, a coroutine's thread takes over both
 * from its caller. Only malloc() still uses the coroutine thread's own heap.
 *
 *     caller thread                     coroutine's thread
 *     switch(ENTER): turn = MINE,   ->  takes identity of the caller,
 *       wake, sleep until turn = 0      runs co->entry() ...
 *     <- wakes, returns             <-  switch(YIELD): turn = 0, wake,
 *                                         sleep until its turn comes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <pthread.h>
#include "qemu/coroutine_int.h"
#include "qemu/coroutine-tls.h"
#include "qemu/units.h"
#include "qemu/atomic.h"

typedef struct {
    Coroutine base;
    pthread_t thread;
    bool has_thread;
    /* Futex: 1 while this coroutine is to run (or, deleted, to end). */
    uint32_t turn;
    bool deleted;
    CoroutineAction action;
    /* The identity to run under: that of the thread that switched to us. */
    void *tls_base;
    pthread_t self;
} CoroutineThread;

QEMU_DEFINE_STATIC_CO_TLS(Coroutine *, current);
QEMU_DEFINE_STATIC_CO_TLS(CoroutineThread *, leader);

enum { COROUTINE_THREAD_STACK = 256 * KiB };

/* emscripten's: sets the pthread that this instance says it is. */
void __set_thread_state(pthread_t self, int is_main, int is_runtime,
                        int can_block);

static void __attribute__((noinline)) set_identity(void *tls_base,
                                                   pthread_t self)
{
    asm volatile(".globaltype __tls_base, i32\n"
                 "local.get %0\n"
                 "global.set __tls_base\n"
                 :
                 : "r"(tls_base));
    __set_thread_state(self, 0, 0, 1);
}

static void wait_for_turn(CoroutineThread *co)
{
    while (qatomic_load_acquire(&co->turn) == 0) {
        __builtin_wasm_memory_atomic_wait32((int *)&co->turn, 0, -1);
    }
    qatomic_set(&co->turn, 0);
}

static void give_turn(CoroutineThread *co)
{
    qatomic_store_release(&co->turn, 1);
    __builtin_wasm_memory_atomic_notify((int *)&co->turn, 1);
}

static void *coroutine_thread(void *opaque)
{
    CoroutineThread *co = opaque;
    void *own_tls = __builtin_wasm_tls_base();
    pthread_t own_self = pthread_self();

    /*
     * Make this thread's heap before the identity changes. mimalloc finds the
     * heap by a global that is not part of the identity (the linker's, for a
     * thread-local variable of another file), but makes it by one that is.
     */
    g_free(g_malloc(1));

    for (;;) {
        wait_for_turn(co);
        if (co->deleted) {
            break;
        }
        set_identity(co->tls_base, co->self);
        co->base.entry(co->base.entry_arg);
        qemu_coroutine_switch(&co->base, co->base.caller, COROUTINE_TERMINATE);
        /* A terminated coroutine is entered again with a new entry. */
        co->turn = 1;
    }
    set_identity(own_tls, own_self);
    g_free(co);
    return NULL;
}

Coroutine *qemu_coroutine_new(void)
{
    CoroutineThread *co = g_new0(CoroutineThread, 1);
    pthread_attr_t attr;
    int ret;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, COROUTINE_THREAD_STACK);
    ret = pthread_create(&co->thread, &attr, coroutine_thread, co);
    pthread_attr_destroy(&attr);
    if (ret != 0) {
        fprintf(stderr, "no thread for a coroutine: %s\n", strerror(ret));
        abort();
    }
    co->has_thread = true;
    return &co->base;
}

void qemu_coroutine_delete(Coroutine *co_)
{
    CoroutineThread *co = DO_UPCAST(CoroutineThread, base, co_);

    co->deleted = true;
    give_turn(co);
}

/*
 * For a coroutine that terminates, this function returns when the coroutine is
 * entered anew: see coroutine_thread().
 */
CoroutineAction __attribute__((noinline)) qemu_coroutine_switch(
    Coroutine *from_, Coroutine *to_, CoroutineAction action)
{
    CoroutineThread *from = DO_UPCAST(CoroutineThread, base, from_);
    CoroutineThread *to = DO_UPCAST(CoroutineThread, base, to_);

    set_current(to_);
    to->action = action;
    to->tls_base = __builtin_wasm_tls_base();
    to->self = pthread_self();
    give_turn(to);

    wait_for_turn(from);
    if (from->has_thread && !from->deleted) {
        set_identity(from->tls_base, from->self);
    }
    return from->action;
}

Coroutine *qemu_coroutine_self(void)
{
    Coroutine *self = get_current();

    if (!self) {
        CoroutineThread *own = get_leader();

        if (!own) {
            own = g_new0(CoroutineThread, 1);
            set_leader(own);
        }
        self = &own->base;
        set_current(self);
    }
    return self;
}

bool qemu_in_coroutine(void)
{
    Coroutine *self = get_current();

    return self && self->caller;
}
