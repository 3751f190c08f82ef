/*
 * TB bytecode: what the "wasm" TCG target emits, and the input of every tier.
 *
 * A TB is a sequence of 64-bit little-endian words in the code buffer. It
 * starts with a TwHeader (four words, the first of which decodes as ENTRY), and
 * its last reachable instruction leaves it. Most instructions are one word:
 *
 *     bits   0-7   8-15  16-23 24-31  32-63
 *            op    a     b     c      imm (signed)
 *                        '- rel ----'         branches: signed words from the
 *                                             branch's own word
 *
 * Formats (which fields mean what):
 *     R        goto the TB whose header's address is a; leave if a is 0. imm:
 *              the low 32 bits of that address when tier 0 executed this last,
 *              a hint for later tiers
 *     LOOKUP   as R, to the TB that the function in word 1 finds, a TwLookupFn;
 *              word 2 is the function's second argument
 *     I        imm
 *     RR       a = op b
 *     RRR      a = b op c
 *     RI       a = imm                        RRI   a = b op imm
 *     RI64     a = word 1
 *     FIELD    a = bits [c, c + imm) of b     (extract, sextract)
 *     DEPOSIT  a = b with bits [ofs, ofs + len) replaced by c;
 *              imm = ofs | len << 8
 *     R4       a, b = op(c, d);               imm = d
 *     R6       a, b = op(c:d, e:f);           imm = d | e << 8 | f << 16
 *     MOVCOND  a = (b cond c) ? d : e;        imm = d | e << 8 | cond << 16
 *     B        goto rel
 *     RRB      if (a cond imm as register) goto rel
 *     RIB      if (a cond imm) goto rel
 *     EB       a = 32 bits at env + imm, zero-extended;
 *              if ((int32_t)a < 0) goto rel
 *     LD, ST   a <-> host memory at b + imm
 *     LDE, STE a <-> host memory at env + imm
 *     STEI     env + imm <- rel as a constant
 *     QMEM     a <-> guest memory at b;       c = MMU index, imm = MemOpIdx
 *     VLD      a = host memory at b + imm;    c = TwVecLoad
 *     VST      host memory at b + imm = a;    c = log2 of the bytes, 3 or 4
 *     VI64     both halves of a = word 1
 *     VOP      a = op(b, c, d);               see vec-ops.h;
 *              imm = TwVecOp | log2 of an element's bytes << 8 | d << 16
 *     CALL     c = TCG_CALL_* flags, imm = TwSig, word 1 = function pointer;
 *              arguments in r0, r1..., result in r0 (and r1)
 *     EXIT     leave with word 1 as tcg_qemu_tb_exec()'s value
 *     GOTO_TB  a = exit number (0 or 1), word 1 = the target's code address,
 *              which the host changes at any time (aligned, at once); while it
 *              is the address of the next instruction, the exit is not chained:
 *              fall through
 *
 * Registers r0 to r23 have 64 bits. v0 to v7, which are numbers 24 to 31, have
 * 128, and are what VLD, VST, VI64 and VOP work on, but for their addresses,
 * DUP's element and SHIFTS' count.
 *
 * 32-bit operations read low halves and write zero-extended results; a 32-bit
 * immediate comparison compares with (uint32_t)imm or (int32_t)imm.
 *
 * What a TB function or the interpreter returns: see TW_CHAIN.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_BYTECODE_H
#define TW_BYTECODE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "opcodes.h"
#include "vec-ops.h"

enum {
    TW_NB_REGS = 24,
    TW_NB_VREGS = 8,
    TW_NB_ALL_REGS = TW_NB_REGS + TW_NB_VREGS,
    TW_REG_V0 = TW_NB_REGS, /* the first vector register */
    TW_REG_TMP = 21,        /* the target's scratch register */
    TW_REG_ENV = 22,        /* never written by bytecode */
    TW_REG_FRAME = 23,      /* never written by bytecode */
    TW_MAX_CALL_REGS = 14,  /* arguments of a helper call, in words */
};

/* clang-format off */
typedef enum TwOp {
#define X(name, format, mnemonic) TW_OP_##name,
    TW_OPCODES(X)
#undef X
    TW_NB_OPS,

    /* Opcode bytes of superinstructions; see opcodes.h. */
    TW_FUSED_BEFORE_ = TW_NB_OPS - 1,
#define F(a, b) TW_FUSED_##a##_##b,
    TW_FUSED2(F)
#undef F
#define F(a, b, c) TW_FUSED_##a##_##b##_##c,
    TW_FUSED3(F)
#undef F
    TW_NB_CODES
} TwOp;

static_assert(TW_NB_CODES <= 256, "the opcode is one byte");

typedef enum TwFormat {
    /* The header, three words, those of two words; all others have one. */
    TW_FMT_ENTRY, TW_FMT_LOOKUP, TW_FMT_EXIT, TW_FMT_GOTO_TB, TW_FMT_CALL,
    TW_FMT_VI64, TW_FMT_RI64,
    TW_FMT_R, TW_FMT_I, TW_FMT_RR, TW_FMT_RRR, TW_FMT_RI, TW_FMT_RRI,
    TW_FMT_FIELD, TW_FMT_DEPOSIT, TW_FMT_R4, TW_FMT_R6,
    TW_FMT_MOVCOND, TW_FMT_B, TW_FMT_RRB, TW_FMT_RIB, TW_FMT_EB,
    TW_FMT_LD, TW_FMT_ST, TW_FMT_LDE, TW_FMT_STE, TW_FMT_STEI, TW_FMT_QMEM,
    TW_FMT_VLD, TW_FMT_VST, TW_FMT_VOP,
} TwFormat;

/* Conditions as MOVCOND's imm encodes them. */
typedef enum TwCond {
#define TW_COND_ENUM_(C, c, unused) TW_COND_##C,
    TW_CONDS_RI(TW_COND_ENUM_, 0)
#undef TW_COND_ENUM_
    TW_NB_CONDS
} TwCond;

/* clang-format on */

typedef struct TwInsn {
    uint8_t op;
    uint8_t a;
    union {
        struct {
            uint8_t b;
            uint8_t c;
        };
        int16_t rel;
    };
    int32_t imm;
} TwInsn;

static_assert(sizeof(TwInsn) == 8, "an instruction is one word");

/*
 * First words of each TB. @countdown is the only thing that tier 0 touches per
 * execution: at zero it asks the tier engine what to do and when to ask again.
 * @fn is nonzero once compiled code is installed: the function's index in the
 * shared table. @tier1_count is only maintained where exact counts are on.
 */
typedef struct TwHeader {
    uint8_t op;             /* TW_OP_ENTRY */
    uint8_t flags;
    uint16_t guest_insns;
    int32_t countdown;
    uint32_t fn;
    uint32_t id;            /* in the order of translation, since start */
    uint32_t size;          /* bytes, header included */
    uint32_t tier1_count;
    uint64_t host_tb;       /* the host's object, a TranslationBlock */
} TwHeader;

enum { TW_HEADER_WORDS = 4 };
static_assert(sizeof(TwHeader) == TW_HEADER_WORDS * 8, "header is 4 words");

/*
 * Per-thread state next to the registers; TW_REG_FRAME points at it.
 * @ret_pc: address of the instruction that runs, stored before each call that
 * may leave or look at guest state, and read where GETPC() is.
 * @sample_left: TBs to run until one is counted, see TW_COUNTS_SAMPLED.
 */
typedef struct TwFrame {
    uintptr_t ret_pc;
    uint32_t sample_left;
    uint64_t spill[128];    /* TCG's frame for temporaries */
    uint64_t call_stack[32];
} TwFrame;

/*
 * A function that runs a TB: (env, frame, header) -> next.
 * With TW_CHAIN set in the result the rest is the address of the header of the
 * TB to run next; without it, the result is tcg_qemu_tb_exec()'s value (a TB
 * pointer and TB_EXIT_* in the two low bits).
 */
#define TW_CHAIN ((uintptr_t)4)
typedef uintptr_t TwTbFn(void *env, TwFrame *frame, TwHeader *code);

/*
 * What LOOKUP calls: the header of the TB that runs next, by the state in env,
 * or 0. Looks at env, and writes nothing there that bytecode reads.
 */
typedef uintptr_t TwLookupFn(void *env, uintptr_t own);

/*
 * A helper's C signature: result kind in bits 0-1, number of arguments in bits
 * 2-5, bit 6 + i set where argument i is 64 bits wide. A 128-bit argument is
 * two 64-bit ones; pointers have the width of the host.
 */
typedef uint32_t TwSig;
enum { TW_SIG_VOID, TW_SIG_I32, TW_SIG_I64, TW_SIG_I128 };

static inline unsigned tw_sig_ret(TwSig sig)
{
    return sig & 3;
}

static inline unsigned tw_sig_nargs(TwSig sig)
{
    return (sig >> 2) & 15;
}

static inline bool tw_sig_arg_is64(TwSig sig, unsigned i)
{
    return (sig >> (6 + i)) & 1;
}

/* Flags in CALL's c field: the values of TCG_CALL_*. */
enum {
    TW_CALL_NO_READ_GLOBALS = 1,
    TW_CALL_NO_WRITE_GLOBALS = 2,
    TW_CALL_NO_SIDE_EFFECTS = 4,
    TW_CALL_NO_RETURN = 8,
};

extern const uint8_t tw_op_formats[TW_NB_OPS];
extern const uint8_t tw_op_lengths[TW_NB_OPS];

static inline TwFormat tw_op_format(TwOp op)
{
    return (TwFormat)tw_op_formats[op];
}

/* Words that an instruction of @op occupies: 1, 2, or TW_HEADER_WORDS. */
static inline unsigned tw_op_words(TwOp op)
{
    return tw_op_lengths[op];
}

const char *tw_op_name(TwOp op);

/*
 * Make superinstructions of the sequences that tier 0 has some for; @code is
 * verified bytecode. Means the same afterwards, to every tier.
 */
void tw_fuse(uint64_t *code, size_t nwords);

/*
 * Is @code, @nwords long, well-formed? True, or false with a reason in @why
 * (@whysize bytes): unknown opcode, register out of range or not writable,
 * branch outside or into the middle of an instruction, field out of range,
 * control that runs off the end.
 */
bool tw_verify(const uint64_t *code, size_t nwords, char *why, size_t whysize);

/*
 * One instruction as text, without newline, into @buf; returns its words.
 * @at: index of the instruction's first word, for branch targets.
 */
unsigned tw_disas_insn(const uint64_t *code, size_t at, size_t nwords,
                       char *buf, size_t bufsize);

#endif
