/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * semihost STATUS: end the run with that exit status, on any machine.
 *
 * The program makes Arm's semihosting call SYS_EXIT. QEMU takes this call from
 * user space if it runs with -semihosting-config userspace=on.
 */
#include "sys.h"

enum {
    SEMIHOSTING_EXIT = 0x18,
    APPLICATION_EXIT = 0x20026,
};

static void semihosting_exit(unsigned long status)
{
    unsigned long block[2] = { APPLICATION_EXIT, status };
    register unsigned long x0 __asm__("x0") = SEMIHOSTING_EXIT;
    register unsigned long *x1 __asm__("x1") = block;

    __asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
}

int program(int argc, char **argv, const unsigned long *auxv)
{
    unsigned long status = 0;

    (void)auxv;
    if (argc == 2) {
        for (const char *at = argv[1]; *at >= '0' && *at <= '9'; at++) {
            status = status * 10 + (unsigned long)(*at - '0');
        }
        semihosting_exit(status);
    }
    return 2;
}
