/*
 * A vCPU that ends the program, as semihosting does, holds the big lock. QEMU's
 * exit notifiers want the lock, too, and on Wasm they run on another thread
 * (wasm-posix's exit.c). So the vCPU gives the lock up before.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"

void tw_before_exit(void);

void tw_before_exit(void)
{
    if (bql_locked()) {
        bql_unlock();
    }
}
