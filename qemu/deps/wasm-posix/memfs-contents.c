/*
 * The contents of files: see memfs-contents.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "linux-errno.h"
#include "memfs-contents.h"
#include "memfs.h"

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

int64_t tw_mem_get(const TwMemContents *contents, void *to, size_t size,
                   int64_t pos)
{
    size_t done = 0;

    if (pos >= contents->size) {
        return 0;
    }
    if ((int64_t)size > contents->size - pos) {
        size = (size_t)(contents->size - pos);
    }
    while (done < size) {
        uint64_t at = (uint64_t)pos + done;
        uint64_t page = at / TW_MEM_PAGE;
        size_t offset = at % TW_MEM_PAGE;
        size_t n = smaller(size - done, TW_MEM_PAGE - offset);
        uint8_t *out = (uint8_t *)to + done;

        if (page < contents->n_pages && contents->pages[page]) {
            memcpy(out, contents->pages[page] + offset, n);
        } else {
            memset(out, 0, n);
        }
        done += n;
    }
    return (int64_t)done;
}

/* Makes the table long enough for that page; false if there is no memory. */
static bool reach(TwMemContents *contents, size_t page)
{
    size_t n = contents->n_pages ? contents->n_pages : 1;
    uint8_t **pages;

    if (page < contents->n_pages) {
        return true;
    }
    while (n <= page) {
        n *= 2;
    }
    pages = realloc(contents->pages, n * sizeof(*pages));
    if (!pages) {
        return false;
    }
    memset(pages + contents->n_pages, 0,
           (n - contents->n_pages) * sizeof(*pages));
    contents->pages = pages;
    contents->n_pages = n;
    return true;
}

/* Makes the page where there is a hole. Returns 0 or minus an error number. */
static int make_page(TwMemContents *contents, TwMemRoom *room, uint64_t page)
{
    if (page >= TW_MEM_MAX_PAGES) {
        return -LINUX_EFBIG;
    }
    if (page < contents->n_pages && contents->pages[page]) {
        return 0;
    }
    if (room->used >= room->limit) {
        return -LINUX_ENOSPC;
    }
    if (!reach(contents, (size_t)page)) {
        return -LINUX_ENOMEM;
    }
    contents->pages[page] = calloc(1, TW_MEM_PAGE);
    if (!contents->pages[page]) {
        return -LINUX_ENOMEM;
    }
    contents->used++;
    room->used++;
    return 0;
}

int64_t tw_mem_put(TwMemContents *contents, TwMemRoom *room, const void *from,
                   size_t size, int64_t pos)
{
    size_t done = 0;

    while (done < size) {
        uint64_t at = (uint64_t)pos + done;
        uint64_t page = at / TW_MEM_PAGE;
        size_t offset = at % TW_MEM_PAGE;
        size_t n = smaller(size - done, TW_MEM_PAGE - offset);
        int result = make_page(contents, room, page);

        if (result < 0) {
            return done ? (int64_t)done : result;
        }
        memcpy(contents->pages[page] + offset, (const uint8_t *)from + done, n);
        done += n;
        if ((int64_t)(at + n) > contents->size) {
            contents->size = (int64_t)(at + n);
        }
    }
    return (int64_t)done;
}

void tw_mem_resize(TwMemContents *contents, TwMemRoom *room, int64_t size)
{
    uint64_t first = ((uint64_t)size + TW_MEM_PAGE - 1) / TW_MEM_PAGE;
    size_t rest = (uint64_t)size % TW_MEM_PAGE;

    for (uint64_t i = first; i < contents->n_pages; i++) {
        if (contents->pages[i]) {
            free(contents->pages[i]);
            contents->pages[i] = NULL;
            contents->used--;
            room->used--;
        }
    }
    /* Bytes beyond the new end must read as zeros if the file grows again. */
    if (size < contents->size && rest && first - 1 < contents->n_pages &&
        contents->pages[first - 1]) {
        memset(contents->pages[first - 1] + rest, 0, TW_MEM_PAGE - rest);
    }
    if (size == 0) {
        free(contents->pages);
        contents->pages = NULL;
        contents->n_pages = 0;
    }
    contents->size = size;
}
