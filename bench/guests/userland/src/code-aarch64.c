/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest code for AArch64. */
#if defined(__aarch64__)

#include "code.h"

enum { SUM = 0, COUNT = 1, NODE = 2, NEXT = 3, FIRST = 4 };
enum { TEMP = 8, BACK = 9, LINK = 30 };

static void word(Code *code, uint32_t insn)
{
    *(uint32_t *)code->at = insn;
    code->at += 4;
    code->insns++;
}

/* add wRD, wRN, #imm */
static uint32_t add_imm(uint32_t rd, uint32_t rn, uint32_t imm)
{
    return 0x11000000u | imm << 10 | rn << 5 | rd;
}

/* b or bl: 26 bits of words */
static void branch(Code *code, uint32_t opcode, const unsigned char *to)
{
    word(code, opcode | ((uint32_t)((to - code->at) / 4) & 0x3ffffff));
}

static void move(Code *code, uint32_t rd, uint32_t rm)
{
    word(code, 0xaa0003e0u | rm << 16 | rd); /* orr xRD, xzr, xRM */
}

static void triple(Code *code)
{
    /* add wSUM, wSUM, wSUM, lsl #1 */
    word(code, 0x0b000400u | SUM << 16 | SUM << 5 | SUM);
}

void code_begin(Code *code)
{
    move(code, BACK, LINK);
}

void code_end(Code *code)
{
    word(code, 0xd65f0000u | BACK << 5); /* ret xBACK */
}

void code_step(Code *code, uint32_t k)
{
    triple(code);
    word(code, add_imm(SUM, SUM, k));
}

void code_patch(unsigned char *step, uint32_t k)
{
    *(uint32_t *)(step + 4) = add_imm(SUM, SUM, k);
}

void code_visit(Code *code)
{
    triple(code);
    word(code, 0xb9400000u | 2 << 10 | NODE << 5 | TEMP); /* ldr w, [node, 8] */
    word(code, 0x0b000000u | TEMP << 16 | SUM << 5 | SUM);
    word(code, 0xb9000000u | 3 << 10 | NODE << 5 | SUM); /* str w, [node, 12] */
    word(code, 0xf9400000u | NODE << 5 | NODE); /* ldr x, [node] */
}

void code_jump(Code *code, const unsigned char *to)
{
    branch(code, 0x14000000u, to);
}

void code_loop(Code *code, const unsigned char *to)
{
    word(code, 0xf1000400u | COUNT << 5 | COUNT); /* subs x, x, #1 */
    /* b.ne */
    word(code, 0x54000001u | ((uint32_t)((to - code->at) / 4) & 0x7ffff) << 5);
}

void code_call(Code *code, const unsigned char *to)
{
    branch(code, 0x94000000u, to);
}

void code_return(Code *code)
{
    word(code, 0xd65f0000u | LINK << 5);
}

void code_dispatch(Code *code)
{
    word(code, 0xf8400400u | 8 << 12 | NEXT << 5 | TEMP); /* ldr x, [next], 8 */
    word(code, 0xd61f0000u | TEMP << 5); /* br x */
}

void code_restart(Code *code)
{
    move(code, NEXT, FIRST);
}

void code_flush(const unsigned char *begin, const unsigned char *end)
{
    uint64_t cache_type;
    uintptr_t data, code;

    __asm__("mrs %0, ctr_el0" : "=r"(cache_type));
    data = 4ul << (cache_type >> 16 & 15);
    code = 4ul << (cache_type & 15);
    for (uintptr_t at = (uintptr_t)begin & -data; at < (uintptr_t)end;
         at += data) {
        __asm__ volatile("dc cvau, %0" ::"r"(at) : "memory");
    }
    __asm__ volatile("dsb ish" ::: "memory");
    for (uintptr_t at = (uintptr_t)begin & -code; at < (uintptr_t)end;
         at += code) {
        __asm__ volatile("ic ivau, %0" ::"r"(at) : "memory");
    }
    __asm__ volatile("dsb ish\n"
                     "isb" ::
                         : "memory");
}

uint32_t code_run(const unsigned char *code, uint32_t sum, unsigned long count,
                  Node *node, const Target *first)
{
    register unsigned long x0 __asm__("x0") = sum;
    register unsigned long x1 __asm__("x1") = count;
    register Node *x2 __asm__("x2") = node;
    register const Target *x3 __asm__("x3") = first;
    register const Target *x4 __asm__("x4") = first;

    __asm__ volatile("blr %[code]"
                     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
                     : [code] "r"(code), "r"(x4)
                     : "x8", "x9", "x30", "cc", "memory");
    return (uint32_t)x0;
}

#endif
