/*
 * The module around the functions: types, and the sections before the code.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>

#include "emit-int.h"

enum { TB_SIG = TW_SIG_I32 | 3 << 2 };

enum {
    SECTION_TYPE = 1,
    SECTION_IMPORT = 2,
    SECTION_FUNCTION = 3,
    SECTION_ELEMENT = 9,
    SECTION_CODE = 10
};

uint32_t tw_type_index(TwEmit *e, TwSig sig)
{
    uint32_t i = 0;

    while (e->types[i] != sig) {
        i++;
    }
    return i;
}

TwSig tw_qmem_sig(TwInsn insn)
{
    uint32_t addr64 = 1 << 1 << 6;
    uint32_t val64 = TW_MEMOP_SIZE((uint32_t)insn.imm) == 3 ? 1 << 2 << 6 : 0;

    return tw_qmem_is_store(insn.op) ? (TW_SIG_VOID | 5 << 2 | addr64 | val64)
                                     : (TW_SIG_I64 | 4 << 2 | addr64);
}

static bool add_type(TwEmit *e, TwSig sig)
{
    for (uint32_t i = 0; i < e->ntypes; i++) {
        if (e->types[i] == sig) {
            return true;
        }
    }
    if (e->ntypes == e->types_cap) {
        uint32_t cap = e->types_cap ? 2 * e->types_cap : 32;
        uint32_t *types = realloc(e->types, cap * sizeof(types[0]));

        if (!types) {
            return false;
        }
        e->types = types;
        e->types_cap = cap;
    }
    e->types[e->ntypes++] = sig;
    return true;
}

TwRefusal tw_collect_types(TwEmit *e, const TwTbRef *tb)
{
    if (!add_type(e, TB_SIG)) {
        return TW_REFUSED_NO_MEMORY;
    }
    for (uint32_t at = 0; at < tb->nwords;) {
        TwInsn insn = tw_insn_at(tb->code, at);
        TwFormat format = tw_op_format(insn.op);
        TwSig sig;

        at += tw_op_words(insn.op);
        if (format == TW_FMT_CALL) {
            sig = (TwSig)insn.imm;
            if (tw_sig_ret(sig) == TW_SIG_I128) {
                return TW_REFUSED_BAD_BYTECODE; /* not on 32-bit hosts */
            }
        } else if (format == TW_FMT_LOOKUP) {
            sig = TW_LOOKUP_SIG;
        } else if (format == TW_FMT_QMEM) {
            sig = tw_qmem_sig(insn);
        } else {
            continue;
        }
        if (!add_type(e, sig)) {
            return TW_REFUSED_NO_MEMORY;
        }
    }
    return TW_REFUSED_NONE;
}

static void put_type(TwEmit *e, TwSig sig)
{
    put_byte(e, W_TYPE_FUNC);
    put_u32(e, tw_sig_nargs(sig));
    for (unsigned i = 0; i < tw_sig_nargs(sig); i++) {
        put_byte(e, wasm_type(tw_sig_arg_is64(sig, i)));
    }
    put_byte(e, tw_sig_ret(sig) != TW_SIG_VOID);
    if (tw_sig_ret(sig) != TW_SIG_VOID) {
        put_byte(e, wasm_type(tw_sig_ret(sig) == TW_SIG_I64));
    }
}

static size_t open_section(TwEmit *e, unsigned id)
{
    put_byte(e, id);
    return put_size_later(e);
}

static void put_name(TwEmit *e, char name)
{
    put_byte(e, 1);
    put_byte(e, (uint8_t)name);
}

size_t tw_put_head(TwEmit *e)
{
    static const uint8_t magic[] = { 0, 'a', 's', 'm', 1, 0, 0, 0 };
    size_t section;

    memcpy(e->out->data + e->out->len, magic, sizeof(magic));
    e->out->len += sizeof(magic);

    section = open_section(e, SECTION_TYPE);
    put_u32(e, e->ntypes);
    for (uint32_t i = 0; i < e->ntypes; i++) {
        put_type(e, e->types[i]);
    }
    patch_size(e, section);

    section = open_section(e, SECTION_IMPORT);
    put_byte(e, 2);
    put_name(e, 'e');
    put_name(e, 'm');
    put_byte(e, 2); /* memory */
    put_byte(e, 3); /* shared, with a maximum */
    put_u32(e, e->target->mem_min_pages);
    put_u32(e, e->target->mem_max_pages);
    put_name(e, 'e');
    put_name(e, 't');
    put_byte(e, 1); /* table */
    put_byte(e, W_TYPE_FUNCREF);
    put_byte(e, 0);
    put_u32(e, 0);
    patch_size(e, section);

    section = open_section(e, SECTION_FUNCTION);
    put_u32(e, (uint32_t)e->ntbs);
    for (size_t i = 0; i < e->ntbs; i++) {
        put_byte(e, 0);
    }
    patch_size(e, section);

    section = open_section(e, SECTION_ELEMENT);
    put_byte(e, 1);
    put_byte(e, 0); /* active, table 0 */
    put_i32(e, e->options->table_base);
    put_byte(e, W_END);
    put_u32(e, (uint32_t)e->ntbs);
    for (size_t i = 0; i < e->ntbs; i++) {
        put_u32(e, (uint32_t)i);
    }
    patch_size(e, section);

    section = open_section(e, SECTION_CODE);
    put_u32(e, (uint32_t)e->ntbs);
    return section;
}
