/*
 * libtwposix: the few POSIX calls that emscripten lacks, or that are slow in
 * emscripten. Only the calls of hostfs.h and runfs.h leave Wasm; the others
 * need nothing but linear memory.
 *
 *   eventfd()              counters that poll() can sleep on
 *   poll(), ppoll()        sleep on a futex that every eventfd write wakes
 *   mmap(), munmap()       anonymous memory, untouched until it is used
 *   exit()                 from any thread, see exit.c
 *   open() and the like    for the host's own files, see hostfs.h
 *
 * The program is linked with -Wl,--wrap=NAME for each of WRAPPED in the recipe,
 * so that glib and QEMU use these functions without a change.
 *
 * Calls on any other descriptor go on to emscripten. Nothing wakes a sleeper
 * for such a descriptor, so a poll() that includes one looks again every
 * TW_REAL_FD_POLL_MS.
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
 * Sleeps until another thread wakes @word, or @ns have passed (< 0: for ever),
 * or not at all if *@word is not @seen. Only threads that may block may call
 * this.
 */
void tw_futex_wait(uint32_t *word, uint32_t seen, int64_t ns);

/* Wakes all threads that sleep on @word. */
void tw_futex_wake(uint32_t *word);

/* The program may define this. The thread that calls exit() calls it first. */
void tw_before_exit(void) __attribute__((weak));

#endif
