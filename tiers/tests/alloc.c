/*
 * The allocator, counted, and failing at will.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "alloc.h"

#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

Alloc alloc;

static bool may_allocate(void)
{
    return ++alloc.calls != alloc.fail_at;
}

void *__wrap_malloc(size_t size)
{
    void *block = may_allocate() ? __real_malloc(size) : NULL;

    alloc.blocks += block != NULL;
    return block;
}

void *__wrap_calloc(size_t n, size_t size)
{
    void *block = may_allocate() ? __real_calloc(n, size) : NULL;

    alloc.blocks += block != NULL;
    return block;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    void *block = may_allocate() ? __real_aligned_alloc(alignment, size) : NULL;

    alloc.blocks += block != NULL;
    return block;
}

void *__wrap_realloc(void *old, size_t size)
{
    void *block = may_allocate() ? __real_realloc(old, size) : NULL;

    alloc.blocks += block != NULL && old == NULL;
    return block;
}

void __wrap_free(void *block)
{
    alloc.blocks -= block != NULL;
    __real_free(block);
}
