/*
 * Anonymous memory. emscripten's mmap() allocates memory and clears it, which
 * touches hundreds of MiB for guest RAM and the code buffer. Fresh memory above
 * the break is zero already, so mmap() takes memory from there and does not
 * touch it.
 *
 * getpagesize() says 4 KiB, as on most hosts, although Wasm's pages have 64
 * KiB. Nothing here protects pages, so their real size does not matter. But
 * QEMU rounds sizes of memory up to pages: with 64 KiB a native QEMU could not
 * resume a machine that was saved here.
 *
 * An area that is unmapped as a whole is kept for the next caller. Unmapped
 * parts are not tracked; QEMU only trims the guard areas of its mappings.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "wasm-posix.h"

enum { PAGE = 4096, GRANULE = 65536, MAX_AREAS = 256 };

typedef struct Area {
    char *base;
    size_t size;
    int in_use;
} Area;

static Area areas[MAX_AREAS];
static int nb_areas;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void *__real_mmap(void *addr, size_t len, int prot, int flags, int fd,
                  off_t off);
int __real_munmap(void *addr, size_t len);

/* The area that the address is in. */
static Area *find(void *addr)
{
    for (int i = 0; i < nb_areas; i++) {
        if ((char *)addr >= areas[i].base &&
            (char *)addr < areas[i].base + areas[i].size) {
            return &areas[i];
        }
    }
    return NULL;
}

/* Zeroed memory: an area that was given back, or fresh memory. */
static void *take(size_t size)
{
    intptr_t brk;

    for (int i = 0; i < nb_areas; i++) {
        if (!areas[i].in_use && areas[i].size == size) {
            areas[i].in_use = 1;
            memset(areas[i].base, 0, size);
            return areas[i].base;
        }
    }
    if (nb_areas == MAX_AREAS) {
        return NULL;
    }
    /*
     * Other threads' malloc() moves the break, too: use only sbrk()'s answer.
     */
    brk = (intptr_t)sbrk((intptr_t)(size + GRANULE));
    if (brk == -1) {
        return NULL;
    }
    areas[nb_areas] = (Area){
        .base = (char *)(((uintptr_t)brk + GRANULE - 1) &
                         ~(uintptr_t)(GRANULE - 1)),
        .size = size,
        .in_use = 1,
    };
    return areas[nb_areas++].base;
}

void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd,
                  off_t off)
{
    void *p;

    if (fd != -1 || !(flags & MAP_ANONYMOUS)) {
        return __real_mmap(addr, len, prot, flags, fd, off);
    }
    pthread_mutex_lock(&lock);
    if (flags & MAP_FIXED) {
        p = find(addr) ? addr : NULL;
    } else {
        p = take((len + GRANULE - 1) & ~(size_t)(GRANULE - 1));
    }
    pthread_mutex_unlock(&lock);
    if (!p) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return p;
}

int __wrap_munmap(void *addr, size_t len)
{
    Area *area;

    pthread_mutex_lock(&lock);
    area = find(addr);
    if (area && area->base == addr && len >= area->size) {
        area->in_use = 0;
    }
    pthread_mutex_unlock(&lock);
    return area ? 0 : __real_munmap(addr, len);
}

int getpagesize(void)
{
    return PAGE;
}

/* All of linear memory can be read and written; nothing changes that. */
int __wrap_mprotect(void *addr, size_t len, int prot)
{
    (void)addr;
    (void)len;
    (void)prot;
    return 0;
}
