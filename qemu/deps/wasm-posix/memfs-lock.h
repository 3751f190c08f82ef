/*
 * The one file system of memfs.h, and the lock around it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_MEMFS_LOCK_H
#define TW_MEMFS_LOCK_H

#include "memfs-lookup.h"

#ifdef __EMSCRIPTEN__
#include <emscripten.h>
#define TW_FOR_RUNNER EMSCRIPTEN_KEEPALIVE
#else
#define TW_FOR_RUNNER
#endif

/* Waits until no other thread uses the file system, and returns it. */
TwMemFs *tw_mem_lock(void);
void tw_mem_unlock(void);

/*
 * The body of a call: returns the result of @work, done on @fs under the lock.
 */
#define TW_MEM_LOCKED(type, work) \
    do { \
        TwMemFs *fs = tw_mem_lock(); \
        type locked_result = (work); \
        tw_mem_unlock(); \
        return locked_result; \
    } while (0)

#endif
