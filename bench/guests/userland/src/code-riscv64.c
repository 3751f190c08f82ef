/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest code for RISC-V: all instructions have 4 bytes. */
#if defined(__riscv)

#include "code.h"

enum { T0 = 5, T1 = 6, RA = 1, SUM = 10, COUNT = 11, NODE = 12, NEXT = 13 };
enum { FIRST = 14, ZERO = 0 };
enum { LOAD = 0x03, IMM = 0x13, STORE = 0x23, REG = 0x33, BRANCH = 0x63 };
enum { JALR = 0x67, JAL = 0x6f };
enum { BRANCH_REACH = 4096 };

static void word(Code *code, uint32_t insn)
{
    *(uint32_t *)code->at = insn;
    code->at += 4;
    code->insns++;
}

static uint32_t type_i(uint32_t opcode, uint32_t funct3, uint32_t rd,
                       uint32_t rs1, uint32_t imm)
{
    return imm << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}

static void add(Code *code, uint32_t rd, uint32_t rs1, uint32_t rs2)
{
    word(code, rs2 << 20 | rs1 << 15 | rd << 7 | REG);
}

static void jal(Code *code, uint32_t rd, const unsigned char *to)
{
    uint32_t d = (uint32_t)(to - code->at);

    word(code, (d & 0x100000) << 11 | (d & 0x7fe) << 20 | (d & 0x800) << 9 |
                   (d & 0xff000) | rd << 7 | JAL);
}

static void branch(Code *code, uint32_t funct3, uint32_t d)
{
    word(code, (d & 0x1000) << 19 | (d & 0x7e0) << 20 | COUNT << 15 |
                   funct3 << 12 | (d & 0x1e) << 7 | (d & 0x800) >> 4 | BRANCH);
}

void code_begin(Code *code)
{
    word(code, type_i(IMM, 0, T1, RA, 0));
}

void code_end(Code *code)
{
    word(code, type_i(JALR, 0, ZERO, T1, 0));
}

static void triple(Code *code)
{
    word(code, type_i(IMM, 1, T0, SUM, 1));
    add(code, SUM, SUM, T0);
}

void code_step(Code *code, uint32_t k)
{
    triple(code);
    word(code, type_i(IMM, 0, SUM, SUM, k));
}

void code_patch(unsigned char *step, uint32_t k)
{
    *(uint32_t *)(step + 8) = type_i(IMM, 0, SUM, SUM, k);
}

void code_visit(Code *code)
{
    triple(code);
    word(code, type_i(LOAD, 2, T0, NODE, 8));
    add(code, SUM, SUM, T0);
    /* sw sum, 12(node) */
    word(code, SUM << 20 | NODE << 15 | 2 << 12 | 12 << 7 | STORE);
    word(code, type_i(LOAD, 3, NODE, NODE, 0));
}

void code_jump(Code *code, const unsigned char *to)
{
    jal(code, ZERO, to);
}

void code_loop(Code *code, const unsigned char *to)
{
    word(code, type_i(IMM, 0, COUNT, COUNT, 0xfff));
    if (code->at - to < BRANCH_REACH) {
        branch(code, 1, (uint32_t)(to - code->at));
    } else {
        branch(code, 0, 8);
        jal(code, ZERO, to);
    }
}

void code_call(Code *code, const unsigned char *to)
{
    jal(code, RA, to);
}

void code_return(Code *code)
{
    word(code, type_i(JALR, 0, ZERO, RA, 0));
}

void code_dispatch(Code *code)
{
    word(code, type_i(LOAD, 3, T0, NEXT, 0));
    word(code, type_i(IMM, 0, NEXT, NEXT, sizeof(Target)));
    word(code, type_i(JALR, 0, ZERO, T0, 0));
}

void code_restart(Code *code)
{
    word(code, type_i(IMM, 0, NEXT, FIRST, 0));
}

/*
 * Only this hart fetches the code. If the kernel moves the program to another
 * one, the kernel has to execute fence.i there.
 */
void code_flush(const unsigned char *begin, const unsigned char *end)
{
    (void)begin;
    (void)end;
    __asm__ volatile("fence.i" ::: "memory");
}

uint32_t code_run(const unsigned char *code, uint32_t sum, unsigned long count,
                  Node *node, const Target *first)
{
    register unsigned long a0 __asm__("a0") = sum;
    register unsigned long a1 __asm__("a1") = count;
    register Node *a2 __asm__("a2") = node;
    register const Target *a3 __asm__("a3") = first;
    register const Target *a4 __asm__("a4") = first;

    __asm__ volatile("jalr ra, 0(%[code])"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3)
                     : [code] "r"(code), "r"(a4)
                     : "ra", "t0", "t1", "memory");
    return (uint32_t)a0;
}

#endif
