/*
 * buffers.def as data: the only place that knows which buffer policies there
 * are.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "buffer.h"

#include <stddef.h>

const TierBuffer *const tier_buffers[] = {
#define X(ident, name) &tier_buffer_##ident,
#include "buffers.def"
    NULL,
};

const char *const tier_buffer_names[] = {
#define X(ident, name) name,
#include "buffers.def"
    NULL,
};
