/*
 * Names of the functions, for profilers: the guest address of the TB, and whether
 * the function is a region or one TB. Custom section "name", subsection 1.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>

#include "emit-int.h"

enum {
    SECTION_CUSTOM = 0,
    SUBSECTION_FUNCTIONS = 1,
    NAME_MAX_BYTES = 32,
};

static void put_text(TwEmit *e, const char *text, size_t len)
{
    put_u32(e, (uint32_t)len);
    for (size_t i = 0; i < len; i++) {
        put_byte(e, (uint8_t)text[i]);
    }
}

static void put_function_name(TwEmit *e, uint32_t member)
{
    bool region =
        e->options->shape == TW_SHAPE_REGIONS && e->plan.count[member] > 1;
    char name[NAME_MAX_BYTES];
    int len = snprintf(name, sizeof(name), "%s:%" PRIx64,
                       region ? "region" : "tb", e->tbs[member].pc);

    put_u32(e, member);
    put_text(e, name, (size_t)len);
}

bool tw_put_names(TwEmit *e)
{
    size_t section, functions;

    if (!tw_buf_need(e->out, (NAME_MAX_BYTES + 8) * e->ntbs + ROOM)) {
        return false;
    }
    put_byte(e, SECTION_CUSTOM);
    section = put_size_later(e);
    put_text(e, "name", 4);
    put_byte(e, SUBSECTION_FUNCTIONS);
    functions = put_size_later(e);
    put_u32(e, (uint32_t)e->ntbs);
    for (size_t i = 0; i < e->ntbs; i++) {
        put_function_name(e, (uint32_t)i);
    }
    patch_size(e, functions);
    patch_size(e, section);
    return true;
}
