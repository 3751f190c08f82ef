/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls, and text to the console, without a C library: Debian's cross
 * compilers come without one.
 */
#ifndef TIERLAB_SYS_H
#define TIERLAB_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)

enum {
    SYS_READ = 0,
    SYS_WRITE = 1,
    SYS_CLOSE = 3,
    SYS_MMAP = 9,
    SYS_MUNMAP = 11,
    SYS_IOCTL = 16,
    SYS_YIELD = 24,
    SYS_MADVISE = 28,
    SYS_CLONE = 56,
    SYS_EXECVE = 59,
    SYS_WAIT4 = 61,
    SYS_CHDIR = 80,
    SYS_SETUID = 105,
    SYS_SETGID = 106,
    SYS_GETPPID = 110,
    SYS_SETSID = 112,
    SYS_SETGROUPS = 116,
    SYS_CHROOT = 161,
    SYS_FUTEX = 202,
    SYS_SET_AFFINITY = 203,
    SYS_GET_AFFINITY = 204,
    SYS_CLOCK_GETTIME = 228,
    SYS_EXIT_GROUP = 231,
    SYS_OPENAT = 257,
    SYS_MKDIRAT = 258,
    SYS_PPOLL = 271,
    SYS_DUP3 = 292,
};

static inline long sys_call(long n, long a, long b, long c, long d, long e,
                            long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
                       "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#elif defined(__i386__)

enum {
    SYS_READ = 3,
    SYS_WRITE = 4,
    SYS_CLOSE = 6,
    SYS_EXECVE = 11,
    SYS_CHDIR = 12,
    SYS_IOCTL = 54,
    SYS_CHROOT = 61,
    SYS_GETPPID = 64,
    SYS_SETSID = 66,
    SYS_MUNMAP = 91,
    SYS_WAIT4 = 114,
    SYS_CLONE = 120,
    SYS_YIELD = 158,
    SYS_MMAP = 192, /* mmap2: the offset is in pages; ours is 0 */
    SYS_SETGROUPS = 206, /* these three with 32 bits */
    SYS_SETUID = 213,
    SYS_SETGID = 214,
    SYS_MADVISE = 219,
    SYS_FUTEX = 240,
    SYS_SET_AFFINITY = 241,
    SYS_GET_AFFINITY = 242,
    SYS_EXIT_GROUP = 252,
    SYS_OPENAT = 295,
    SYS_MKDIRAT = 296,
    SYS_PPOLL = 309,
    SYS_DUP3 = 330,
    SYS_CLOCK_GETTIME = 403, /* clock_gettime64 */
};

/* ebp takes the sixth argument, by way of memory: the compiler may use ebp. */
static inline long sys_call(long n, long a, long b, long c, long d, long e,
                            long f)
{
    long arguments[2] = { a, f };
    long result;

    __asm__ volatile("push %%ebp\n"
                     "push %%ebx\n"
                     "mov 4(%%ebx), %%ebp\n"
                     "mov (%%ebx), %%ebx\n"
                     "int $0x80\n"
                     "pop %%ebx\n"
                     "pop %%ebp"
                     : "=a"(result)
                     : "a"(n), "b"(arguments), "c"(b), "d"(c), "S"(d), "D"(e)
                     : "memory");
    return result;
}

#else /* the numbers of asm-generic/unistd.h */

enum {
    SYS_DUP3 = 24,
    SYS_IOCTL = 29,
    SYS_MKDIRAT = 34,
    SYS_CHDIR = 49,
    SYS_CHROOT = 51,
    SYS_OPENAT = 56,
    SYS_CLOSE = 57,
    SYS_READ = 63,
    SYS_WRITE = 64,
    SYS_PPOLL = 73,
    SYS_EXIT_GROUP = 94,
    SYS_FUTEX = 98,
    SYS_CLOCK_GETTIME = 113,
    SYS_SET_AFFINITY = 122,
    SYS_GET_AFFINITY = 123,
    SYS_YIELD = 124,
    SYS_SETGID = 144,
    SYS_SETUID = 146,
    SYS_SETSID = 157,
    SYS_SETGROUPS = 159,
    SYS_GETPPID = 173,
    SYS_MUNMAP = 215,
    SYS_CLONE = 220,
    SYS_EXECVE = 221,
    SYS_MMAP = 222,
    SYS_MADVISE = 233,
    SYS_WAIT4 = 260,
};

#if defined(__aarch64__)

static inline long sys_call(long n, long a, long b, long c, long d, long e,
                            long f)
{
    register long x8 __asm__("x8") = n;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;

    __asm__ volatile("svc #0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}

#elif defined(__riscv)

static inline long sys_call(long n, long a, long b, long c, long d, long e,
                            long f)
{
    register long a7 __asm__("a7") = n;
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a3 __asm__("a3") = d;
    register long a4 __asm__("a4") = e;
    register long a5 __asm__("a5") = f;

    __asm__ volatile("ecall"
                     : "+r"(a0)
                     : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5)
                     : "memory");
    return a0;
}

#else
#error "no system calls for this architecture"
#endif
#endif

/* Of start.c. */
void *memset(void *to, int value, size_t size);
void *memcpy(void *to, const void *from, size_t size);

/* The program, with its arguments and the auxiliary vector. */
int program(int argc, char **argv, const unsigned long *auxv);

__attribute__((noreturn)) static inline void sys_exit(int status)
{
    for (;;) {
        sys_call(SYS_EXIT_GROUP, status, 0, 0, 0, 0, 0);
    }
}

static inline void say(const char *text)
{
    size_t length = 0;

    while (text[length]) {
        length++;
    }
    sys_call(SYS_WRITE, 1, (long)text, (long)length, 0, 0, 0);
}

static inline void say_number(unsigned long value)
{
    char digits[24];
    size_t at = sizeof(digits) - 1;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    say(digits + at);
}

#endif
