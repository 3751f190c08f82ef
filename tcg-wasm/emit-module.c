/*
 * The sections of a module in Wasm's order: types, import of memory and table,
 * functions, elements, code; and behind these the custom section "name".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-module.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "wasm-ops.h"

enum {
    SECTION_CUSTOM = 0,
    SECTION_TYPE = 1,
    SECTION_IMPORT = 2,
    SECTION_FUNCTION = 3,
    SECTION_ELEMENT = 9,
    SECTION_CODE = 10
};

enum {
    TYPE_MAX_BYTES = 20,
    MEMBER_MAX_BYTES = 8, /* in the sections of functions and elements */
    FIXED_BYTES = 200, /* all else before the code */
    SUBSECTION_FUNCTIONS = 1,
    NAME_MAX_BYTES = 32,
};

size_t tw_module_head_size(const TwGroup *group, const TwTypes *types)
{
    return TYPE_MAX_BYTES * (size_t)types->n + MEMBER_MAX_BYTES * group->ntbs +
           FIXED_BYTES;
}

static unsigned wasm_type(bool is64)
{
    return is64 ? W_TYPE_I64 : W_TYPE_I32;
}

static void put_type(TwBuf *out, TwSig sig)
{
    tw_put_byte(out, W_TYPE_FUNC);
    tw_put_u32(out, tw_sig_nargs(sig));
    for (unsigned i = 0; i < tw_sig_nargs(sig); i++) {
        tw_put_byte(out, wasm_type(tw_sig_arg_is64(sig, i)));
    }
    tw_put_byte(out, tw_sig_ret(sig) != TW_SIG_VOID);
    if (tw_sig_ret(sig) != TW_SIG_VOID) {
        tw_put_byte(out, wasm_type(tw_sig_ret(sig) == TW_SIG_I64));
    }
}

static size_t open_section(TwBuf *out, unsigned id)
{
    tw_put_byte(out, id);
    return tw_put_size_later(out);
}

/* A name of one letter. */
static void put_letter(TwBuf *out, char name)
{
    tw_put_byte(out, 1);
    tw_put_byte(out, (uint8_t)name);
}

size_t tw_put_module_head(TwBuf *out, const TwGroup *group,
                          const TwTypes *types)
{
    static const uint8_t magic[] = { 0, 'a', 's', 'm', 1, 0, 0, 0 };
    size_t section;

    memcpy(out->data + out->len, magic, sizeof(magic));
    out->len += sizeof(magic);

    section = open_section(out, SECTION_TYPE);
    tw_put_u32(out, types->n);
    for (uint32_t i = 0; i < types->n; i++) {
        put_type(out, types->sigs[i]);
    }
    tw_patch_size(out, section);

    section = open_section(out, SECTION_IMPORT);
    tw_put_byte(out, 2);
    put_letter(out, 'e');
    put_letter(out, 'm');
    tw_put_byte(out, 2); /* memory */
    tw_put_byte(out, 3); /* shared, with a maximum */
    tw_put_u32(out, group->target->mem_min_pages);
    tw_put_u32(out, group->target->mem_max_pages);
    put_letter(out, 'e');
    put_letter(out, 't');
    tw_put_byte(out, 1); /* table */
    tw_put_byte(out, W_TYPE_FUNCREF);
    tw_put_byte(out, 0);
    tw_put_u32(out, 0);
    tw_patch_size(out, section);

    section = open_section(out, SECTION_FUNCTION);
    tw_put_u32(out, (uint32_t)group->ntbs);
    for (size_t i = 0; i < group->ntbs; i++) {
        tw_put_byte(out, 0);
    }
    tw_patch_size(out, section);

    section = open_section(out, SECTION_ELEMENT);
    tw_put_byte(out, 1);
    tw_put_byte(out, 0); /* active, table 0 */
    tw_put_byte(out, W_I32_CONST);
    tw_put_s64(out, (int32_t)group->options->table_base);
    tw_put_byte(out, W_END);
    tw_put_u32(out, (uint32_t)group->ntbs);
    for (size_t i = 0; i < group->ntbs; i++) {
        tw_put_u32(out, (uint32_t)i);
    }
    tw_patch_size(out, section);

    section = open_section(out, SECTION_CODE);
    tw_put_u32(out, (uint32_t)group->ntbs);
    return section;
}

/*
 * Names.
 */

static void put_text(TwBuf *out, const char *text, size_t len)
{
    tw_put_u32(out, (uint32_t)len);
    for (size_t i = 0; i < len; i++) {
        tw_put_byte(out, (uint8_t)text[i]);
    }
}

static void put_function_name(TwBuf *out, const TwGroup *group,
                              const TwRegions *regions, uint32_t member)
{
    bool region = regions && tw_regions_joins(regions, member);
    char name[NAME_MAX_BYTES];
    int len = snprintf(name, sizeof(name), "%s:%" PRIx64,
                       region ? "region" : "tb", group->tbs[member].pc);

    tw_put_u32(out, member);
    put_text(out, name, (size_t)len);
}

bool tw_put_names(TwBuf *out, const TwGroup *group, const TwRegions *regions)
{
    size_t section, functions;

    if (!tw_buf_need(out, (NAME_MAX_BYTES + MEMBER_MAX_BYTES) * group->ntbs +
                              FIXED_BYTES)) {
        return false;
    }
    tw_put_byte(out, SECTION_CUSTOM);
    section = tw_put_size_later(out);
    put_text(out, "name", 4);
    tw_put_byte(out, SUBSECTION_FUNCTIONS);
    functions = tw_put_size_later(out);
    tw_put_u32(out, (uint32_t)group->ntbs);
    for (size_t i = 0; i < group->ntbs; i++) {
        put_function_name(out, group, regions, (uint32_t)i);
    }
    tw_patch_size(out, functions);
    tw_patch_size(out, section);
    return true;
}
