/*
 * Superinstructions: which sequences become one. See opcodes.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "insn.h"

/* clang-format off */
const uint8_t tw_fused_first[256 - TW_NB_OPS] = {
#define F(a, b) [TW_FUSED_##a##_##b - TW_NB_OPS] = TW_OP_##a,
    TW_FUSED2(F)
#undef F
#define F(a, b, c) [TW_FUSED_##a##_##b##_##c - TW_NB_OPS] = TW_OP_##a,
    TW_FUSED3(F)
#undef F
    /* There are no such opcodes: tw_insn_at() gives one that is unknown. */
    [TW_NB_CODES - TW_NB_OPS ... 255 - TW_NB_OPS] = 255,
};

static unsigned fused2(unsigned a, unsigned b)
{
    switch (a << 8 | b) {
#define F(a, b) case TW_OP_##a << 8 | TW_OP_##b: return TW_FUSED_##a##_##b;
    TW_FUSED2(F)
#undef F
    default: return 0;
    }
}

static unsigned fused3(unsigned a, unsigned b, unsigned c)
{
    switch (a << 16 | b << 8 | c) {
#define F(a, b, c) \
    case TW_OP_##a << 16 | TW_OP_##b << 8 | TW_OP_##c: \
        return TW_FUSED_##a##_##b##_##c;
    TW_FUSED3(F)
#undef F
    default: return 0;
    }
}
/* clang-format on */

/* The plain opcode at word @at; TW_NB_OPS beyond the end. */
static unsigned op_at(const uint64_t *code, size_t at, size_t nwords)
{
    return at < nwords ? tw_insn_at(code, at).op : TW_NB_OPS;
}

bool tw_fused_matches(const uint64_t *code, size_t at, size_t nwords)
{
    unsigned raw = code[at] & 0xff;
    unsigned a = op_at(code, at, nwords);
    unsigned b = op_at(code, at + 1, nwords);
    unsigned c = op_at(code, at + 2, nwords);

    return raw < TW_NB_OPS || raw == fused2(a, b) || raw == fused3(a, b, c);
}

void tw_fuse(uint64_t *code, size_t nwords)
{
    size_t at = TW_HEADER_WORDS;

    /* The interpreter executes these two along with the header. */
    at += op_at(code, at, nwords) == TW_OP_BR_ENV_LT0;
    at += at > TW_HEADER_WORDS && op_at(code, at, nwords) == TW_OP_STEI8;

    /* Each instruction of a sequence but the last is one word long. */
    while (at < nwords) {
        unsigned a = op_at(code, at, nwords);
        unsigned b = op_at(code, at + 1, nwords);
        unsigned fused = fused3(a, b, op_at(code, at + 2, nwords));
        unsigned length = 3;

        if (tw_op_words(a) > 1) {
            at += tw_op_words(a);
            continue;
        }
        if (!fused) {
            fused = fused2(a, b);
            length = 2;
        }
        if (!fused) {
            at++;
            continue;
        }
        code[at] = (code[at] & ~(uint64_t)0xff) | fused;
        at += b == TW_OP_GOTO_TB ? 3 : length;
    }
}
