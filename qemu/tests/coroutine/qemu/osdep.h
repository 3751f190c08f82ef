/*
 * What util/coroutine-threads.c needs of QEMU, and no more.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DO_UPCAST(type, field, p) ((type *)(p)) /* the field is the first */
#define g_new0(type, n) ((type *)calloc(n, sizeof(type)))
#define g_malloc malloc
#define g_free free
