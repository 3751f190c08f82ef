/*
 * The contents of a file of memfs.h, in pages. A page exists once something was
 * written to it. Before that it is a hole, which reads as zeros.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_MEMFS_CONTENTS_H
#define TW_MEMFS_CONTENTS_H

#include <stddef.h>
#include <stdint.h>

enum {
    /* Of one file. A hole at its end may reach further. */
    TW_MEM_MAX_PAGES = 4 * 1024 * 1024,
};

typedef struct TwMemContents {
    uint8_t **pages; /* NULL in the place of a page that is a hole */
    size_t n_pages;  /* places in that table */
    int64_t used;    /* pages that exist */
    int64_t size;    /* in bytes */
} TwMemContents;

/* How many pages all files have, and may have. */
typedef struct TwMemRoom {
    int64_t used;
    int64_t limit;
} TwMemRoom;

/* Reads up to @size bytes; returns how many there were. */
int64_t tw_mem_get(const TwMemContents *contents, void *to, size_t size,
                   int64_t pos);

/*
 * Writes up to @size bytes. Returns how many it wrote, or, if it wrote none,
 * minus an error number of Linux: EFBIG, ENOSPC or ENOMEM.
 */
int64_t tw_mem_put(TwMemContents *contents, TwMemRoom *room, const void *from,
                   size_t size, int64_t pos);

/* Frees the pages beyond @size. To grow a file makes a hole. */
void tw_mem_resize(TwMemContents *contents, TwMemRoom *room, int64_t size);

#endif
