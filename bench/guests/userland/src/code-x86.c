/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest code for x86, in 64 and 32 bits: the encodings differ by the REX prefix
 * of what computes with addresses.
 *
 * sum is eax, count ecx, first rdx, node rsi, next rdi.
 */
#if defined(__x86_64__) || defined(__i386__)

#include "code.h"

#if defined(__x86_64__)
#define REX_W 0x48,
#else
#define REX_W
#endif

/* Write one instruction. */
#define INSN(code, ...) \
    do { \
        static const unsigned char bytes[] = { __VA_ARGS__ }; \
        insn(code, bytes, sizeof(bytes)); \
    } while (0)

static void insn(Code *code, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        *code->at++ = bytes[i];
    }
    code->insns++;
}

/* Write the four bytes that end the instruction before. */
static void operand(Code *code, uint32_t value)
{
    *(uint32_t *)code->at = value;
    code->at += 4;
}

/* Write how far it is to `to` from the end of the instruction. */
static void distance(Code *code, const unsigned char *to)
{
    operand(code, (uint32_t)(to - (code->at + 4)));
}

void code_begin(Code *code)
{
    (void)code; /* the stack has the address to return to */
}

void code_end(Code *code)
{
    INSN(code, 0xc3); /* ret */
}

void code_step(Code *code, uint32_t k)
{
    INSN(code, 0x8d, 0x84, 0x40); /* lea k(%rax, %rax, 2), %eax */
    operand(code, k);
}

void code_patch(unsigned char *step, uint32_t k)
{
    *(uint32_t *)(step + 3) = k;
}

void code_visit(Code *code)
{
    INSN(code, 0x8d, 0x04, 0x40);        /* lea (%rax, %rax, 2), %eax */
    INSN(code, 0x03, 0x46, 0x08);        /* add 8(%rsi), %eax */
    INSN(code, 0x89, 0x46, 0x0c);        /* mov %eax, 12(%rsi) */
    INSN(code, REX_W 0x8b, 0x36); /* mov (%rsi), %rsi */
}

void code_jump(Code *code, const unsigned char *to)
{
    INSN(code, 0xe9); /* jmp */
    distance(code, to);
}

void code_loop(Code *code, const unsigned char *to)
{
    INSN(code, REX_W 0x83, 0xe9, 0x01); /* sub $1, %rcx */
    INSN(code, 0x0f, 0x85);             /* jnz */
    distance(code, to);
}

void code_call(Code *code, const unsigned char *to)
{
    INSN(code, 0xe8); /* call */
    distance(code, to);
}

void code_return(Code *code)
{
    INSN(code, 0xc3); /* ret */
}

void code_dispatch(Code *code)
{
    INSN(code, REX_W 0x83, 0xc7, 0x08); /* add $8, %rdi */
    INSN(code, 0xff, 0x67, 0xf8);       /* jmp *-8(%rdi) */
}

void code_restart(Code *code)
{
    INSN(code, REX_W 0x89, 0xd7); /* mov %rdx, %rdi */
}

void code_flush(const unsigned char *begin, const unsigned char *end)
{
    (void)begin; /* the CPU sees to it */
    (void)end;
}

uint32_t code_run(const unsigned char *code, uint32_t sum, unsigned long count,
                  Node *node, const Target *first)
{
    const Target *next = first;

    /* A leaf function uses what is below the stack pointer. */
    __asm__ volatile(
#if defined(__x86_64__)
        "sub $128, %%rsp\n"
        "call *%[code]\n"
        "add $128, %%rsp"
#else
        "call *%[code]"
#endif
        : "+a"(sum), "+c"(count), "+S"(node), "+D"(next)
        : "d"(first), [code] "r"(code)
        : "cc", "memory");
    return sum;
}

#endif
