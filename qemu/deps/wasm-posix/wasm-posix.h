/*
 * The few POSIX calls that emscripten lacks or that would be slow there,
 * in linear memory: but for hostfs.h, no call here leaves Wasm.
 *
 *   eventfd()        counters that poll() can sleep on
 *   poll(), ppoll()  sleep on a futex that every eventfd write wakes
 *   mmap(), munmap() anonymous memory that stays untouched until used
 *   exit()           from any thread, see exit.c
 *   open() and the like   for the host's own files, see hostfs.h
 *
 * The program is linked with -Wl,--wrap=NAME for each of WRAPPED in
 * the recipe, so that glib and QEMU use these without a change.
 *
 * Real descriptors go on to emscripten; as nothing wakes a sleeper for those,
 * a poll() that includes one looks again every TW_REAL_FD_POLL_MS.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_WASM_POSIX_H
#define TW_WASM_POSIX_H

#include <stdbool.h>
#include <stdint.h>

enum {
    TW_EVENTFD_BASE = 1 << 16,  /* above any descriptor of emscripten's */
    TW_EVENTFD_MAX = 512,
    TW_REAL_FD_POLL_MS = 20,
};

static inline bool tw_is_eventfd(int fd)
{
    return fd >= TW_EVENTFD_BASE && fd < TW_EVENTFD_BASE + TW_EVENTFD_MAX;
}

/*
 * Sleep until *@word is no longer @seen or @ns have passed (< 0: for ever);
 * tw_futex_wake() wakes all sleepers. Only for threads that may block.
 */
void tw_futex_wait(uint32_t *word, uint32_t seen, int64_t ns);
void tw_futex_wake(uint32_t *word);

/* The program's, if it has one: called by the thread that calls exit(). */
void tw_before_exit(void) __attribute__((weak));

#endif
