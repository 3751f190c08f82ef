/*
 * host.h for native builds: nothing can be compiled, tier 0 does it all.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "host.h"

uint32_t tw_host_reserve(uint32_t n, TwTbFn *stub)
{
    (void)n;
    (void)stub;
    return 0;
}

bool tw_host_install(const uint8_t *bytes, uint32_t len)
{
    (void)bytes;
    (void)len;
    return false;
}

bool tw_host_prepare(const uint8_t *bytes, uint32_t len)
{
    (void)bytes;
    (void)len;
    return false;
}

void tw_host_release(uint32_t base, uint32_t n, TwTbFn *stub)
{
    (void)base;
    (void)n;
    (void)stub;
}

uint32_t tw_host_index(const void *fn)
{
    (void)fn;
    return 0;
}

TwTbFn *tw_host_fn(uint32_t index)
{
    (void)index;
    return NULL;
}

void tw_host_memory_limits(uint32_t *min_pages, uint32_t *max_pages)
{
    *min_pages = 0;
    *max_pages = 0;
}

bool tw_host_is_tso(void)
{
#if defined(__x86_64__) || defined(__i386__)
    return true;
#else
    return false;
#endif
}

uint64_t tw_host_physical_memory(void)
{
    return 0;
}

uint64_t tw_host_memory_max(void)
{
    return 0;
}

uint64_t tw_host_memory_size(void)
{
    return 0;
}
