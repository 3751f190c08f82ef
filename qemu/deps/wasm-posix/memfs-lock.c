/*
 * The one file system and its lock: see memfs-lock.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <pthread.h>

#include "memfs-lock.h"

#define DEFAULT_LIMIT (256 * INT64_C(1048576) / TW_MEM_PAGE)

static struct {
    pthread_mutex_t lock;
    TwMemFs fs;
} mem = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .fs.tree.room.limit = DEFAULT_LIMIT,
};

TwMemFs *tw_mem_lock(void)
{
    pthread_mutex_lock(&mem.lock);
    return &mem.fs;
}

void tw_mem_unlock(void)
{
    pthread_mutex_unlock(&mem.lock);
}
