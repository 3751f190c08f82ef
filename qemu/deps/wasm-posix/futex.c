/*
 * Futexes, by Wasm's instructions for waiting and notifying.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "wasm-posix.h"

void tw_futex_wait(uint32_t *word, uint32_t seen, int64_t ns)
{
    __builtin_wasm_memory_atomic_wait32((int *)word, (int)seen, ns);
}

void tw_futex_wake(uint32_t *word)
{
    __builtin_wasm_memory_atomic_notify((int *)word, UINT32_MAX);
}
