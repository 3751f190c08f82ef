/* SPDX-License-Identifier: GPL-2.0-or-later */
typedef enum {
    COROUTINE_YIELD = 1,
    COROUTINE_TERMINATE = 2,
    COROUTINE_ENTER = 3,
} CoroutineAction;

typedef struct Coroutine {
    void (*entry)(void *opaque);
    void *entry_arg;
    struct Coroutine *caller;
} Coroutine;

Coroutine *qemu_coroutine_new(void);
void qemu_coroutine_delete(Coroutine *co);
CoroutineAction qemu_coroutine_switch(Coroutine *from, Coroutine *to,
                                      CoroutineAction action);
Coroutine *qemu_coroutine_self(void);
bool qemu_in_coroutine(void);
