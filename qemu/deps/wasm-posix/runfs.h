/*
 * Files whose bytes the runner has: a web page's disks.
 *
 * A page's disk is larger than the page's memory and arrives piece by piece,
 * so the runner can give a part of the disk only after a while. The thread that
 * wants the part sleeps meanwhile: the runner's thread, which fetches, does
 * not. QEMU reads its disks in threads of a pool, so neither a vCPU nor QEMU's
 * main loop waits for the network.
 *
 *     QEMU -- libc -- hostfs-*.c -- runfs.c -- runfs.js -- the runner
 *
 * The runner names each file with tw_run_add() before QEMU starts. A call on a
 * file is a TwRunCall in the calling thread's stack. runfs.js hands the call's
 * address to the runner, which stores the result and wakes the thread. The
 * runner answers every call, if need be with an error number.
 *
 * hostfs-*.c ask for these files by path after memfs. The descriptor of a file
 * stands for the file itself: nothing belongs to a single open() but a
 * position, which hostfs-fd.c keeps.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_RUNFS_H
#define TW_RUNFS_H

#include <stdbool.h>
#include <stdint.h>

#include "memfs.h"

enum {
    TW_RUNFD_BASE = 1 << 29, /* above the descriptors of memfs */
    TW_RUN_FILES = 64,
};

static inline bool tw_is_runfd(int fd)
{
    return fd >= TW_RUNFD_BASE && fd < TW_RUNFD_BASE + TW_RUN_FILES;
}

/* As tw_on(), for calls on open files: @fd may be one of these files, too. */
#define tw_on_file(fd, call, ...) \
    (tw_is_runfd(fd) ? tw_run_##call(__VA_ARGS__) \
                     : tw_on(fd, call, __VA_ARGS__))

typedef enum TwRunKind {
    TW_RUN_READ,
    TW_RUN_WRITE,
    TW_RUN_SIZE,     /* the result is the file's size */
    TW_RUN_TRUNCATE, /* to @pos bytes */
} TwRunKind;

/* What the runner is asked; disk-calls.mjs has the offsets of the fields. */
typedef struct TwRunCall {
    uint32_t done; /* 0 until @result is there; the caller sleeps on it */
    uint32_t kind;
    uint32_t file; /* what tw_run_add() returned */
    uint32_t n;
    const struct iovec *iov;
    double pos;
    double result; /* bytes or 0, or minus an error number of Linux */
} TwRunCall;

/*
 * Names the next file, which QEMU finds at an absolute path. Returns the file's
 * number or minus an error number of Linux: EEXIST, ENOMEM, or ENOSPC after
 * TW_RUN_FILES files. The runner calls this before QEMU starts.
 */
int tw_run_add(const char *path, int writable);

/* runfs.js: hands the call to the runner, and returns at once. */
void tw_run_ask(TwRunCall *call);

/*
 * As the calls of hostfs.h, on absolute paths and on descriptors. The calling
 * thread may sleep; so the runner's own thread must not call these.
 */
int tw_run_open(const char *path, int flags);
int tw_run_stat(const char *path, TwHostStat *out);
int tw_run_close(int fd);
double tw_run_read(int fd, const struct iovec *iov, int n, double pos);
double tw_run_write(int fd, const struct iovec *iov, int n, double pos);
int tw_run_sync(int fd, int data_only);
int tw_run_truncate(int fd, double size);
int tw_run_list(int fd, uint8_t *buf, int size);
int tw_run_chmod(int fd, int mode);
int tw_run_statfs(int fd, TwHostStatfs *out);
int tw_run_fstat(int fd, TwHostStat *out);

#endif
