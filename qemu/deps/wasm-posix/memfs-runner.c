/*
 * The calls that the runner makes and QEMU does not: see memfs.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>

#include "memfs-lock.h"
#include "memfs.h"

/* Only the runner's main thread uses the buffer, so it needs no lock. */
static struct {
    void *bytes;
    size_t size;
} buffer;

TW_FOR_RUNNER int tw_mem_mount(const char *path)
{
    TW_MEM_LOCKED(int, tw_mem_mount_at(fs, path));
}

TW_FOR_RUNNER void tw_mem_set_limit(double bytes)
{
    TwMemFs *fs = tw_mem_lock();

    fs->tree.room.limit = (int64_t)(bytes / TW_MEM_PAGE);
    tw_mem_unlock();
}

TW_FOR_RUNNER void *tw_mem_buffer(size_t size)
{
    if (size > buffer.size) {
        free(buffer.bytes);
        buffer.bytes = malloc(size);
        buffer.size = buffer.bytes ? size : 0;
    }
    return buffer.bytes;
}
