/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The entry of every program: from the stack that the kernel made to program(),
 * and back.
 */
#include "sys.h"

#if defined(__x86_64__)
__asm__(".globl _start\n"
        "_start: xor %ebp, %ebp\n"
        "mov %rsp, %rdi\n"
        "and $-16, %rsp\n"
        "call start_c");
#elif defined(__i386__)
__asm__(".globl _start\n"
        "_start: xor %ebp, %ebp\n"
        "mov %esp, %eax\n"
        "and $-16, %esp\n"
        "sub $12, %esp\n"
        "push %eax\n"
        "call start_c");
#elif defined(__aarch64__)
__asm__(".globl _start\n"
        "_start: mov x29, xzr\n"
        "mov x0, sp\n"
        "bl start_c");
#elif defined(__riscv)
__asm__(".globl _start\n"
        "_start:\n"
        ".option push\n"
        ".option norelax\n"
        "la gp, __global_pointer$\n"
        ".option pop\n"
        "mv a0, sp\n"
        "call start_c");
#endif

void start_c(unsigned long *stack);

/* The compiler emits calls of these to clear and copy memory. */
void *memset(void *to, int value, size_t size)
{
    for (unsigned char *at = to; size > 0; size--) {
        *at++ = (unsigned char)value;
    }
    return to;
}

void *memcpy(void *to, const void *from, size_t size)
{
    const unsigned char *source = from;

    for (unsigned char *at = to; size > 0; size--) {
        *at++ = *source++;
    }
    return to;
}

void start_c(unsigned long *stack)
{
    int argc = (int)stack[0];
    char **argv = (char **)(stack + 1);
    unsigned long *after = stack + 1 + argc + 1;

    while (*after++) {
        /* the environment */
    }
    sys_exit(program(argc, argv, after));
}
