/*
 * eventfd(2) for Emscripten, whose C library has neither header nor function.
 * The function itself is provided by wasm-posix when QEMU is linked; glib
 * and QEMU only need the declaration to prefer it to a pair of pipes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIERLAB_SYS_EVENTFD_H
#define TIERLAB_SYS_EVENTFD_H

#include <fcntl.h>
#include <stdint.h>

#define EFD_SEMAPHORE 1
#define EFD_CLOEXEC O_CLOEXEC
#define EFD_NONBLOCK O_NONBLOCK

#ifdef __cplusplus
extern "C" {
#endif

typedef uint64_t eventfd_t;

int eventfd(unsigned int initval, int flags);

#ifdef __cplusplus
}
#endif

#endif
