/*
 * The disassembler: one line per instruction, as
 *
 *     0012  addi      r1, r2, -8
 *     0013  bri.ne    r1, 0, ->0019
 *
 * without the word number, which the caller prints. Never reads past @nwords
 * and shows malformed words as data, so that it can be used on what the
 * verifier refused.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "insn.h"
#include "layout.h"

typedef struct Text {
    char *buf;
    size_t size;
    size_t len;
} Text;

static void __attribute__((format(printf, 2, 3))) put(Text *t,
                                                      const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(t->buf + t->len, t->size - t->len, format, args);
    va_end(args);
    if (n > 0) {
        t->len +=
            (size_t)n < t->size - t->len ? (size_t)n : t->size - t->len - 1;
    }
}

static void put_reg(Text *t, unsigned reg)
{
    if (reg == TW_REG_ENV) {
        put(t, "env");
    } else if (reg == TW_REG_FRAME) {
        put(t, "frame");
    } else if (reg >= TW_REG_V0 && reg < TW_NB_ALL_REGS) {
        put(t, "v%u", reg - TW_REG_V0);
    } else {
        put(t, "r%u", reg);
    }
}

static void put_regs(Text *t, unsigned n, ...)
{
    va_list args;

    va_start(args, n);
    for (unsigned i = 0; i < n; i++) {
        put(t, "%s", i ? ", " : "");
        put_reg(t, va_arg(args, unsigned));
    }
    va_end(args);
}

static void put_target(Text *t, size_t at, int16_t rel)
{
    put(t, "->%04td", (ptrdiff_t)at + rel);
}

static void put_mem(Text *t, unsigned base, int32_t imm)
{
    put(t, "[");
    put_reg(t, base);
    put(t, "%+" PRId32 "]", imm);
}

static void put_sig(Text *t, TwSig sig)
{
    static const char *const kinds[] = { "void", "i32", "i64", "i128" };

    put(t, "%s(", kinds[tw_sig_ret(sig)]);
    for (unsigned i = 0; i < tw_sig_nargs(sig); i++) {
        put(t, "%s%s", i ? "," : "", tw_sig_arg_is64(sig, i) ? "i64" : "i32");
    }
    put(t, ")");
}

static void put_memop(Text *t, uint32_t oi)
{
    unsigned align = (oi >> 9) & 7;

    put(t, "mmu%u %u%s%s", oi & 15, 8u << TW_MEMOP_SIZE(oi),
        oi & 0x80 ? "s" : "u", oi & 0x100 ? " bswap" : "");
    if (align == 7) {
        put(t, " aligned");
    } else if (align) {
        put(t, " align%u", 1u << align);
    }
}

static void put_entry(Text *t, const uint64_t *code)
{
    TwHeader header;

    memcpy(&header, code, sizeof(header));
    put(t, "tb %" PRIu32 ", %u insns, %" PRIu32 " bytes, fn %" PRIu32,
        header.id, header.guest_insns, header.size, header.fn);
}

static void put_call(Text *t, TwInsn insn, uint64_t fn)
{
    static const struct {
        uint8_t flag;
        const char *name;
    } flags[] = {
        { TW_CALL_NO_READ_GLOBALS, "no-read" },
        { TW_CALL_NO_WRITE_GLOBALS, "no-write" },
        { TW_CALL_NO_SIDE_EFFECTS, "no-effects" },
        { TW_CALL_NO_RETURN, "no-return" },
    };

    put_sig(t, (TwSig)insn.imm);
    put(t, " 0x%" PRIx64, fn);
    for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (insn.c & flags[i].flag) {
            put(t, " %s", flags[i].name);
        }
    }
}

/* In the place of the mnemonic: what the operation is. */
static void put_vop_name(Text *t, TwInsn insn)
{
    unsigned op = tw_vop_op(insn.imm), size = tw_vop_size(insn.imm);
    char name[24];

    if (tw_vec_kinds[op] <= TW_VEC_KIND_SELECT_BITS) {
        snprintf(name, sizeof(name), "v.%s", tw_vec_names[op]);
    } else {
        snprintf(name, sizeof(name), "v%u.%s", 8u << size, tw_vec_names[op]);
    }
    t->len = 0;
    put(t, "%-9s ", name);
}

static void put_vop(Text *t, TwInsn insn)
{
    unsigned op = tw_vop_op(insn.imm);

    if (op >= TW_NB_VEC_OPS || tw_vop_size(insn.imm) > 3) {
        put_regs(t, 3, insn.a, insn.b, insn.c);
        put(t, ", 0x%" PRIx32, (uint32_t)insn.imm);
        return;
    }
    put_vop_name(t, insn);
    put_regs(t, 2, insn.a, insn.b);
    switch (tw_vec_kinds[op]) {
    case TW_VEC_KIND_SELECT_BITS:
        put(t, ", ");
        put_regs(t, 2, insn.c, tw_vop_d(insn.imm));
        break;
    case TW_VEC_KIND_BINARY_BITS:
    case TW_VEC_KIND_BINARY:
    case TW_VEC_KIND_SHIFTS:
        put(t, ", ");
        put_regs(t, 1, insn.c);
        break;
    case TW_VEC_KIND_SHIFTI:
        put(t, ", %u", insn.c);
        break;
    default:
        break;
    }
}

static void put_operands(Text *t, const uint64_t *code, size_t at, TwInsn insn)
{
    uint32_t imm = (uint32_t)insn.imm;

    switch (tw_op_format(insn.op)) {
    case TW_FMT_ENTRY:
        put_entry(t, &code[at]);
        break;
    case TW_FMT_EXIT:
        put(t, "0x%" PRIx64, code[at + 1]);
        break;
    case TW_FMT_GOTO_TB:
        put(t, "%u, 0x%" PRIx64, insn.a, code[at + 1]);
        break;
    case TW_FMT_LOOKUP:
        put(t, "0x%" PRIx64 ", 0x%" PRIx64, code[at + 1], code[at + 2]);
        break;
    case TW_FMT_CALL:
        put_call(t, insn, code[at + 1]);
        break;
    case TW_FMT_R:
        put_regs(t, 1, insn.a);
        break;
    case TW_FMT_I:
        put(t, "0x%" PRIx32, imm);
        break;
    case TW_FMT_RR:
        put_regs(t, 2, insn.a, insn.b);
        break;
    case TW_FMT_RRR:
        put_regs(t, 3, insn.a, insn.b, insn.c);
        break;
    case TW_FMT_RI:
        put_regs(t, 1, insn.a);
        put(t, ", %" PRId32, insn.imm);
        break;
    case TW_FMT_RI64:
        put_regs(t, 1, insn.a);
        put(t, ", 0x%" PRIx64, code[at + 1]);
        break;
    case TW_FMT_RRI:
        put_regs(t, 2, insn.a, insn.b);
        put(t, ", %" PRId32, insn.imm);
        break;
    case TW_FMT_FIELD:
        put_regs(t, 2, insn.a, insn.b);
        put(t, ", %u, %" PRId32, insn.c, insn.imm);
        break;
    case TW_FMT_DEPOSIT:
        put_regs(t, 3, insn.a, insn.b, insn.c);
        put(t, ", %" PRIu32 ", %" PRIu32, imm & 0xff, imm >> 8);
        break;
    case TW_FMT_R4:
        put_regs(t, 4, insn.a, insn.b, insn.c, imm);
        break;
    case TW_FMT_R6:
        put_regs(t, 6, insn.a, insn.b, insn.c, imm & 0xff, (imm >> 8) & 0xff,
                 (imm >> 16) & 0xff);
        break;
    case TW_FMT_MOVCOND:
        put_regs(t, 1, insn.a);
        put(t, ", %s, ", tw_cond_name(imm >> 16));
        put_regs(t, 4, insn.b, insn.c, imm & 0xff, (imm >> 8) & 0xff);
        break;
    case TW_FMT_B:
        put_target(t, at, insn.rel);
        break;
    case TW_FMT_RRB:
        put_regs(t, 2, insn.a, imm);
        put(t, ", ");
        put_target(t, at, insn.rel);
        break;
    case TW_FMT_RIB:
        put_regs(t, 1, insn.a);
        put(t, ", %" PRId32 ", ", insn.imm);
        put_target(t, at, insn.rel);
        break;
    case TW_FMT_EB:
        put_regs(t, 1, insn.a);
        put(t, ", ");
        put_mem(t, TW_REG_ENV, insn.imm);
        put(t, ", ");
        put_target(t, at, insn.rel);
        break;
    case TW_FMT_LD:
    case TW_FMT_ST:
        put_regs(t, 1, insn.a);
        put(t, ", ");
        put_mem(t, insn.b, insn.imm);
        break;
    case TW_FMT_LDE:
    case TW_FMT_STE:
        put_regs(t, 1, insn.a);
        put(t, ", ");
        put_mem(t, TW_REG_ENV, insn.imm);
        break;
    case TW_FMT_STEI:
        put_mem(t, TW_REG_ENV, insn.imm);
        put(t, ", %d", insn.rel);
        break;
    case TW_FMT_QMEM:
        put_regs(t, 2, insn.a, insn.b);
        put(t, ", ");
        put_memop(t, imm);
        break;
    case TW_FMT_VLD:
    case TW_FMT_VST:
        put_regs(t, 1, insn.a);
        put(t, ", ");
        put_mem(t, insn.b, insn.imm);
        put(t, ", %u%s",
            8u << (insn.op == TW_OP_VST ? insn.c & 7 : tw_vld_size(insn.c) & 7),
            insn.op == TW_OP_VLD && insn.c < TW_VLD_64 ? " repeated" : "");
        break;
    case TW_FMT_VI64:
        put_regs(t, 1, insn.a);
        put(t, ", 0x%" PRIx64, code[at + 1]);
        break;
    case TW_FMT_VOP:
        put_vop(t, insn);
        break;
    }
}

unsigned tw_disas_insn(const uint64_t *code, size_t at, size_t nwords,
                       char *buf, size_t bufsize)
{
    Text t = { buf, bufsize, 0 };
    TwInsn insn;
    unsigned words;

    if (bufsize == 0) {
        return 1;
    }
    buf[0] = 0;
    if (at >= nwords) {
        return 1;
    }
    insn = tw_insn_at(code, at);
    words = insn.op < TW_NB_OPS ? tw_op_words(insn.op) : 1;
    if (insn.op >= TW_NB_OPS || words > nwords - at) {
        put(&t, ".word     0x%016" PRIx64, code[at]);
        return 1;
    }
    put(&t, "%-9s ", tw_op_name(insn.op));
    put_operands(&t, code, at, insn);
    return words;
}
