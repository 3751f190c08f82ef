/*
 * The TB bytecode's instruction set: one line per opcode.
 *
 * X(NAME, FORMAT, "mnemonic")
 *
 * Everything that walks the instruction set (interpreter, emitter, verifier,
 * disassembler, tests) expands this list; no other place numbers opcodes.
 * Formats are described in bytecode.h.
 *
 * 32-bit TCG ops whose low 32 result bits do not depend on the high halves of
 * their inputs (add, and, shl, deposit...) use the 64-bit opcode: the high half
 * of an i32 value is unspecified to TCG, and each opcode still has one exact
 * 64-bit result, so that all tiers agree bit for bit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_OPCODES_H
#define TW_OPCODES_H

/* clang-format off */

/* The twelve conditions with an immediate operand. */
#define TW_CONDS_RI(Y, ...) \
    Y(EQ, eq, __VA_ARGS__) Y(NE, ne, __VA_ARGS__) \
    Y(LT, lt, __VA_ARGS__) Y(GE, ge, __VA_ARGS__) \
    Y(LE, le, __VA_ARGS__) Y(GT, gt, __VA_ARGS__) \
    Y(LTU, ltu, __VA_ARGS__) Y(GEU, geu, __VA_ARGS__) \
    Y(LEU, leu, __VA_ARGS__) Y(GTU, gtu, __VA_ARGS__) \
    Y(TSTEQ, tsteq, __VA_ARGS__) Y(TSTNE, tstne, __VA_ARGS__)

/* With two registers the other four are these with operands swapped. */
#define TW_CONDS_RR(Y, ...) \
    Y(EQ, eq, __VA_ARGS__) Y(NE, ne, __VA_ARGS__) \
    Y(LT, lt, __VA_ARGS__) Y(GE, ge, __VA_ARGS__) \
    Y(LTU, ltu, __VA_ARGS__) Y(GEU, geu, __VA_ARGS__) \
    Y(TSTEQ, tsteq, __VA_ARGS__) Y(TSTNE, tstne, __VA_ARGS__)

#define TW_OP_SET64_RR_(C, c, X) X(SET_##C, RRR, "set." #c)
#define TW_OP_SET32_RR_(C, c, X) X(SET32_##C, RRR, "set32." #c)
#define TW_OP_SET64_RI_(C, c, X) X(SETI_##C, RRI, "seti." #c)
#define TW_OP_SET32_RI_(C, c, X) X(SETI32_##C, RRI, "seti32." #c)
#define TW_OP_BR64_RR_(C, c, X) X(BR_##C, RRB, "br." #c)
#define TW_OP_BR32_RR_(C, c, X) X(BR32_##C, RRB, "br32." #c)
#define TW_OP_BR64_RI_(C, c, X) X(BRI_##C, RIB, "bri." #c)
#define TW_OP_BR32_RI_(C, c, X) X(BRI32_##C, RIB, "bri32." #c)

#define TW_OPCODES(X) \
    /* Control. ENTRY is the TB header (TwHeader), always and only word 0. */ \
    X(ENTRY, ENTRY, "entry") \
    X(EXIT_TB, EXIT, "exit_tb") \
    X(GOTO_TB, GOTO_TB, "goto_tb") \
    X(GOTO_PTR, R, "goto_ptr") \
    X(LOOKUP, LOOKUP, "lookup") \
    X(CALL, CALL, "call") \
    X(BR, B, "br") \
    X(MB, I, "mb") \
    /* Load 32 bits from env and branch if negative: the interrupt check */ \
    X(BR_ENV_LT0, EB, "br_env.lt0") \
    /* Moves */ \
    X(MOV, RR, "mov") \
    X(MOVI, RI, "movi") \
    X(MOVI64, RI64, "movi64") \
    /* 64-bit arithmetic and logic; shift counts are taken modulo width */ \
    X(ADD, RRR, "add") X(SUB, RRR, "sub") X(MUL, RRR, "mul") \
    X(AND, RRR, "and") X(OR, RRR, "or") X(XOR, RRR, "xor") \
    X(ANDC, RRR, "andc") X(ORC, RRR, "orc") X(EQV, RRR, "eqv") \
    X(NAND, RRR, "nand") X(NOR, RRR, "nor") \
    X(SHL, RRR, "shl") X(SHR, RRR, "shr") X(SAR, RRR, "sar") \
    X(ROTL, RRR, "rotl") X(ROTR, RRR, "rotr") \
    /* 32-bit: inputs are low halves, results are zero-extended */ \
    X(SHR32, RRR, "shr32") X(SAR32, RRR, "sar32") \
    X(ROTL32, RRR, "rotl32") X(ROTR32, RRR, "rotr32") \
    X(ADDI, RRI, "addi") X(MULI, RRI, "muli") X(ANDI, RRI, "andi") \
    X(ORI, RRI, "ori") X(XORI, RRI, "xori") X(SHLI, RRI, "shli") \
    X(SHRI, RRI, "shri") X(SARI, RRI, "sari") X(ROTLI, RRI, "rotli") \
    X(SHRI32, RRI, "shri32") X(SARI32, RRI, "sari32") \
    X(ROTLI32, RRI, "rotli32") \
    /* Division never traps: x/0 = 0, x%0 = x, MIN/-1 = MIN, MIN%-1 = 0 */ \
    X(DIV, RRR, "div") X(DIVU, RRR, "divu") \
    X(REM, RRR, "rem") X(REMU, RRR, "remu") \
    X(DIV32, RRR, "div32") X(DIVU32, RRR, "divu32") \
    X(REM32, RRR, "rem32") X(REMU32, RRR, "remu32") \
    X(NEG, RR, "neg") X(NOT, RR, "not") \
    X(EXT8U, RR, "ext8u") X(EXT8S, RR, "ext8s") \
    X(EXT16U, RR, "ext16u") X(EXT16S, RR, "ext16s") \
    X(EXT32U, RR, "ext32u") X(EXT32S, RR, "ext32s") \
    /* Byte swap of the low 16, 32 or 64 bits, zero-extended */ \
    X(BSWAP16, RR, "bswap16") X(BSWAP32, RR, "bswap32") \
    X(BSWAP64, RR, "bswap64") \
    /* a = b ? count(b) : c */ \
    X(CLZ, RRR, "clz") X(CTZ, RRR, "ctz") \
    X(CLZ32, RRR, "clz32") X(CTZ32, RRR, "ctz32") \
    X(CTPOP, RR, "ctpop") X(CTPOP32, RR, "ctpop32") \
    X(EXTRACT, FIELD, "extract") X(SEXTRACT, FIELD, "sextract") \
    X(DEPOSIT, DEPOSIT, "deposit") \
    /* a:b = low, high of c:d + e:f (or -) */ \
    X(ADD2, R6, "add2") X(SUB2, R6, "sub2") \
    X(ADD2_32, R6, "add2_32") X(SUB2_32, R6, "sub2_32") \
    /* a:b = low, high of c * d */ \
    X(MULU2, R4, "mulu2") X(MULS2, R4, "muls2") \
    X(MULU2_32, R4, "mulu2_32") X(MULS2_32, R4, "muls2_32") \
    TW_CONDS_RR(TW_OP_SET64_RR_, X) TW_CONDS_RR(TW_OP_SET32_RR_, X) \
    TW_CONDS_RI(TW_OP_SET64_RI_, X) TW_CONDS_RI(TW_OP_SET32_RI_, X) \
    TW_CONDS_RR(TW_OP_BR64_RR_, X) TW_CONDS_RR(TW_OP_BR32_RR_, X) \
    TW_CONDS_RI(TW_OP_BR64_RI_, X) TW_CONDS_RI(TW_OP_BR32_RI_, X) \
    X(MOVCOND, MOVCOND, "movcond") X(MOVCOND32, MOVCOND, "movcond32") \
    /* Host memory: register base */ \
    X(LD8U, LD, "ld8u") X(LD8S, LD, "ld8s") \
    X(LD16U, LD, "ld16u") X(LD16S, LD, "ld16s") \
    X(LD32U, LD, "ld32u") X(LD32S, LD, "ld32s") X(LD64, LD, "ld64") \
    X(ST8, ST, "st8") X(ST16, ST, "st16") \
    X(ST32, ST, "st32") X(ST64, ST, "st64") \
    /* Host memory: env base */ \
    X(LDE8U, LDE, "lde8u") X(LDE8S, LDE, "lde8s") \
    X(LDE16U, LDE, "lde16u") X(LDE16S, LDE, "lde16s") \
    X(LDE32U, LDE, "lde32u") X(LDE32S, LDE, "lde32s") \
    X(LDE64, LDE, "lde64") \
    X(STE8, STE, "ste8") X(STE16, STE, "ste16") \
    X(STE32, STE, "ste32") X(STE64, STE, "ste64") \
    /* env[imm] = the sign-extended 16-bit constant in b, c */ \
    X(STEI8, STEI, "stei8") X(STEI16, STEI, "stei16") \
    X(STEI32, STEI, "stei32") X(STEI64, STEI, "stei64") \
    /* Guest memory, host byte order, TLB hit inline */ \
    X(QLD8U, QMEM, "qld8u") X(QLD8S, QMEM, "qld8s") \
    X(QLD16U, QMEM, "qld16u") X(QLD16S, QMEM, "qld16s") \
    X(QLD32U, QMEM, "qld32u") X(QLD32S, QMEM, "qld32s") \
    X(QLD64, QMEM, "qld64") \
    X(QST8, QMEM, "qst8") X(QST16, QMEM, "qst16") \
    X(QST32, QMEM, "qst32") X(QST64, QMEM, "qst64") \
    /* Guest memory, any other MemOp (byte swap...), always the slow helper */ \
    X(QLDX, QMEM, "qldx") X(QSTX, QMEM, "qstx") \
    /* Vectors; what VOP does is in its imm */ \
    X(VLD, VLD, "vld") X(VST, VST, "vst") X(VI64, VI64, "vi64") \
    X(VOP, VOP, "v")

/*
 * Superinstructions: frequent sequences that tier 0 runs in one dispatch. Only
 * the opcode byte of a sequence's first instruction changes. The words after it
 * stay ordinary instructions, which branches may lead to; and all but the
 * interpreter and tw_fuse() see the plain opcode, by tw_insn_at(). The
 * sequences are those that a boot of a riscv64 Linux executes most.
 */
#define TW_FUSED2(F) \
    F(ADDI, STE64) F(ADD, STE64) F(SUB, STE64) F(MUL, STE64) F(AND, STE64) \
    F(OR, STE64) F(XOR, STE64) F(ANDI, STE64) F(SHLI, STE64) F(SHRI, STE64) \
    F(EXT32S, STE64) F(MOV, STE64) F(MOVI, STE64) F(LDE64, STE64) \
    F(QLD64, STE64) F(QLD32S, STE64) F(QLD8U, STE64) \
    F(LDE64, ADDI) F(LDE64, ADD) F(LDE64, SUB) F(LDE64, AND) F(LDE64, OR) \
    F(LDE64, XOR) F(LDE64, SHLI) F(LDE64, SHRI) F(LDE64, ANDI) \
    F(LDE64, LDE64) F(LDE64, QLD64) F(LDE64, QST64) F(LDE64, QST32) \
    F(LDE64, BRI_EQ) F(LDE64, BRI_NE) F(LDE64, BR_EQ) F(LDE64, BR_NE) \
    F(LDE64, BR_LTU) F(LDE64, BR_GEU) \
    F(ADDI, QLD64) F(ADDI, QST64) F(ADDI, EXT32S) F(SHLI, ADD) \
    F(STE64, GOTO_TB) F(STEI64, GOTO_TB) F(STEI8, LDE64) F(STE64, STEI8)

#define TW_FUSED3(F) \
    F(LDE64, ADDI, STE64) F(LDE64, ADD, STE64) F(LDE64, SHLI, STE64) \
    F(ADDI, QLD64, STE64) F(ADDI, EXT32S, STE64) F(SHLI, ADD, STE64)

/* clang-format on */

#endif
