/*
 * A full memory fence that stays in the program: Binaryen 120's pass
 * "precompute" removes atomic.fence. An atomic read-modify-write orders as
 * much.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_FENCE_H
#define TW_FENCE_H

#ifdef __wasm__
#define tw_fence() \
    do { \
        volatile int tw_fence_word = 0; \
        (void)__atomic_fetch_or(&tw_fence_word, 0, __ATOMIC_SEQ_CST); \
    } while (0)
#else
#define tw_fence() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif

#endif
