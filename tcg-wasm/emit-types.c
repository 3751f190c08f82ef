/*
 * Collecting the types of a module. There are some tens, so that a list will
 * do.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-types.h"

#include <stdlib.h>

#include "insn.h"
#include "layout.h"

enum { TB_SIG = TW_SIG_I32 | 3 << 2 };

uint32_t tw_type_index(const TwTypes *types, TwSig sig)
{
    uint32_t i = 0;

    while (types->sigs[i] != sig) {
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

static bool add_type(TwTypes *types, TwSig sig)
{
    for (uint32_t i = 0; i < types->n; i++) {
        if (types->sigs[i] == sig) {
            return true;
        }
    }
    if (types->n == types->cap) {
        uint32_t cap = types->cap ? 2 * types->cap : 32;
        TwSig *sigs = realloc(types->sigs, cap * sizeof(sigs[0]));

        if (!sigs) {
            return false;
        }
        types->sigs = sigs;
        types->cap = cap;
    }
    types->sigs[types->n++] = sig;
    return true;
}

TwRefusal tw_types_collect(TwTypes *types, const TwTbRef *tb)
{
    if (!add_type(types, TB_SIG)) {
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
        if (!add_type(types, sig)) {
            return TW_REFUSED_NO_MEMORY;
        }
    }
    return TW_REFUSED_NONE;
}

void tw_types_free(TwTypes *types)
{
    free(types->sigs);
    *types = (TwTypes){ 0 };
}
