/*
 * Files whose bytes the runner has: see runfs.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "linux-errno.h"
#include "memfs-lock.h"
#include "runfs.h"
#include "wasm-posix.h"

enum {
    BLOCK = 4096,   /* what a program that asks should read at once */
    SECTOR = 512,   /* the unit of st_blocks */
    PERMISSIONS = 0600,
    FILE_SYSTEM = 2, /* a st_dev that memfs does not have */
};

/* The files; the runner writes the table before any thread of QEMU's reads. */
static struct {
    int n;
    struct {
        char *path;
        bool writable;
    } files[TW_RUN_FILES];
} run;

#ifdef __EMSCRIPTEN__
/* disk-calls.mjs reads these fields. */
_Static_assert(offsetof(TwRunCall, iov) == 16 &&
                   offsetof(TwRunCall, pos) == 24 &&
                   offsetof(TwRunCall, result) == 32,
               "the runner expects another layout");
#endif

static int find(const char *path)
{
    for (int i = 0; i < run.n; i++) {
        if (!strcmp(run.files[i].path, path)) {
            return i;
        }
    }
    return TW_NOT_LIVE;
}

TW_FOR_RUNNER int tw_run_add(const char *path, int writable)
{
    char *copy;

    if (find(path) >= 0) {
        return -LINUX_EEXIST;
    }
    if (run.n == TW_RUN_FILES) {
        return -LINUX_ENOSPC;
    }
    copy = strdup(path);
    if (!copy) {
        return -LINUX_ENOMEM;
    }
    run.files[run.n].path = copy;
    run.files[run.n].writable = writable;
    return run.n++;
}

static double ask(int fd, TwRunKind kind, const struct iovec *iov, int n,
                  double pos)
{
    TwRunCall call = {
        .kind = kind,
        .file = (uint32_t)(fd - TW_RUNFD_BASE),
        .n = (uint32_t)n,
        .iov = iov,
        .pos = pos,
    };

    tw_run_ask(&call);
    while (!__atomic_load_n(&call.done, __ATOMIC_ACQUIRE)) {
        tw_futex_wait(&call.done, 0, -1);
    }
    return call.result;
}

static bool may_write(int fd)
{
    return run.files[fd - TW_RUNFD_BASE].writable;
}

static int fill(int fd, TwHostStat *out)
{
    double size = ask(fd, TW_RUN_SIZE, NULL, 0, 0);

    if (size < 0) {
        return (int)size;
    }
    *out = (TwHostStat){
        .dev = FILE_SYSTEM,
        .mode = S_IFREG | PERMISSIONS,
        .nlink = 1,
        .size = (int64_t)size,
        .blksize = BLOCK,
        .blocks = ((int64_t)size + SECTOR - 1) / SECTOR,
        .ino = fd - TW_RUNFD_BASE + 1,
    };
    return 0;
}

int tw_run_open(const char *path, int flags)
{
    int file = find(path);

    if (file < 0) {
        return file;
    }
    if ((flags & TW_O_ACCESS) != TW_O_RDONLY && !run.files[file].writable) {
        return -LINUX_EROFS;
    }
    return TW_RUNFD_BASE + file;
}

int tw_run_stat(const char *path, TwHostStat *out)
{
    int file = find(path);

    return file < 0 ? file : fill(TW_RUNFD_BASE + file, out);
}

int tw_run_close(int fd)
{
    (void)fd;
    return 0;
}

double tw_run_read(int fd, const struct iovec *iov, int n, double pos)
{
    return ask(fd, TW_RUN_READ, iov, n, pos);
}

double tw_run_write(int fd, const struct iovec *iov, int n, double pos)
{
    return may_write(fd) ? ask(fd, TW_RUN_WRITE, iov, n, pos) : -LINUX_EBADF;
}

/* What is written stays with the runner and goes nowhere. */
int tw_run_sync(int fd, int data_only)
{
    (void)fd;
    (void)data_only;
    return 0;
}

int tw_run_truncate(int fd, double size)
{
    return may_write(fd) ? (int)ask(fd, TW_RUN_TRUNCATE, NULL, 0, size)
                         : -LINUX_EINVAL;
}

int tw_run_list(int fd, uint8_t *buf, int size)
{
    (void)fd;
    (void)buf;
    (void)size;
    return -LINUX_ENOTDIR;
}

int tw_run_chmod(int fd, int mode)
{
    (void)fd;
    (void)mode;
    return -LINUX_EPERM;
}

int tw_run_statfs(int fd, TwHostStatfs *out)
{
    (void)fd;
    *out = (TwHostStatfs){ .bsize = BLOCK };
    return 0;
}

int tw_run_fstat(int fd, TwHostStat *out)
{
    return fill(fd, out);
}
