/*
 * An allocator that fails on request: see memfs-alloc.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "memfs-alloc.h"

static struct {
    long live;  /* blocks */
    long until; /* allocations until one fails; 0: none fails */
    bool failed;
} state;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *block);

/* The linker's names for what replaces the C library's functions. */
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *block);

void alloc_fail_at(long n)
{
    state.until = n;
    state.failed = false;
}

bool alloc_failed(void)
{
    state.until = 0;
    return state.failed;
}

long alloc_live(void)
{
    return state.live;
}

static bool refuses(void)
{
    if (state.until && --state.until == 0) {
        state.failed = true;
        return true;
    }
    return false;
}

static void *counted(void *block)
{
    state.live += block != NULL;
    return block;
}

void *__wrap_malloc(size_t size)
{
    return refuses() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return refuses() ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *old, size_t size)
{
    void *block = refuses() ? NULL : __real_realloc(old, size);

    return old ? block : counted(block);
}

char *__wrap_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = __wrap_malloc(size);

    return copy ? memcpy(copy, text, size) : NULL;
}

void __wrap_free(void *block)
{
    state.live -= block != NULL;
    __real_free(block);
}
