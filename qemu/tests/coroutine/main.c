/*
 * A coroutine runs as the thread that entered it. It sees that thread's
 * variables, whichever file defines them, that thread's errno and that thread's
 * pthread_self().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <errno.h>
#include <pthread.h>
#include "qemu/coroutine_int.h"

extern __thread int elsewhere;
__thread int here;
static __thread int own;

static pthread_t enterer;
static Coroutine *leader, *coroutine;
static int failures;

static void expect(bool right, const char *what)
{
    if (!right) {
        failures++;
        printf("wrong: %s\n", what);
    }
}

static void yield(void)
{
    qemu_coroutine_switch(coroutine, leader, COROUTINE_YIELD);
}

static void look(int n)
{
    expect(elsewhere == n, "a variable of another file");
    expect(here == n, "a variable of this file");
    expect(own == n, "a static variable");
    expect(errno == n, "errno");
    expect(pthread_equal(pthread_self(), enterer), "pthread_self()");
    expect(qemu_coroutine_self() == coroutine, "qemu_coroutine_self()");
    elsewhere = here = own = errno = n + 1;
}

static void body(void *opaque)
{
    int *entries = opaque;

    look(10);
    ++*entries;
    yield();
    look(20);
    ++*entries;
}

static void enter(int n)
{
    leader = qemu_coroutine_self();
    enterer = pthread_self();
    elsewhere = here = own = errno = n;
    coroutine->caller = leader;
    qemu_coroutine_switch(leader, coroutine, COROUTINE_ENTER);
    expect(elsewhere == n + 1 && here == n + 1 && own == n + 1,
           "what the coroutine wrote");
    expect(errno == n + 1, "errno that the coroutine set");
    expect(qemu_coroutine_self() == leader, "the leader is itself again");
}

static void *second_thread(void *opaque)
{
    enter(20);
    expect(*(int *)opaque == 2, "the coroutine went on in another thread");
    return NULL;
}

int main(void)
{
    pthread_t thread;
    int entries = 0;

    coroutine = qemu_coroutine_new();
    coroutine->entry = body;
    coroutine->entry_arg = &entries;
    enter(10);
    expect(entries == 1, "the coroutine yielded");
    expect(pthread_create(&thread, NULL, second_thread, &entries) == 0 &&
               pthread_join(thread, NULL) == 0,
           "there is a second thread");
    expect(entries == 2, "the coroutine ended");
    expect(elsewhere == 11, "the first thread's variable");
    printf("%d wrong\n", failures);
    return failures != 0;
}
