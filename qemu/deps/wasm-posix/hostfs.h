/*
 * Files and folders of the host, read and written in place.
 *
 * emscripten keeps its own files in memory, and its main thread serves all of
 * its file systems. A disk image is too large for memory, and its guest too
 * busy for one thread. So the thread that needs a file opens it on the host:
 * Node's threads share descriptors. hostfs.js opens only the paths that the
 * runner allows. Calls on every other path go on to emscripten. In a page no
 * path is allowed: memfs.h takes the place of the host's folders, and runfs.h
 * that of its disk images.
 *
 *     QEMU -- libc -- __syscall_openat() --+-- emscripten's
 *                                          +-- tw_host_open() -- Node's fs
 *                                          +-- tw_mem_open() -- linear memory
 *                                          +-- tw_run_open() -- the runner
 *
 * QEMU's descriptors for these files begin at TW_HOSTFD_BASE. hostfs-fd.c has
 * the calls on descriptors, hostfs-path.c the calls on names. Names are bytes.
 *
 * Two walls keep a guest inside a shared folder. QEMU's 9p server opens a path
 * one component at a time and never follows a link. hostfs.js takes only a
 * single component below a descriptor, does not follow links either, and
 * refuses "..".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_HOSTFS_H
#define TW_HOSTFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

enum {
    TW_HOSTFD_BASE = 1 << 17, /* above the descriptors of eventfd.c */
    TW_HOSTFD_MAX = 4096,
    TW_NOT_LIVE = -4096, /* a result: the runner does not allow the path */
    TW_NOWHERE = -1, /* in the place of a folder's descriptor */
};

static inline bool tw_is_hostfd(int fd)
{
    return fd >= TW_HOSTFD_BASE && fd < TW_HOSTFD_BASE + TW_HOSTFD_MAX;
}

/* hostfs.js writes these words in this order. */
typedef struct TwHostStat {
    int64_t dev, mode, nlink, uid, gid, rdev, size, blksize, blocks;
    int64_t atime_ns, mtime_ns, ctime_ns, ino;
} TwHostStat;

typedef struct TwHostStatfs {
    int64_t type, bsize, blocks, bfree, bavail, files, ffree;
} TwHostStatfs;

/*
 * The calls of hostfs.js. Each returns 0, or what the system call of that name
 * returns, or minus an error number of Linux. @fd and @dir are descriptors of
 * the host. In tw_host_open() and tw_host_stat() @dir may be TW_NOWHERE; @path
 * is absolute then, and the result TW_NOT_LIVE if the runner does not allow it.
 * A @pos is a whole number below 2^53.
 */
int tw_host_open(int dir, const char *path, int flags, int mode);
int tw_host_close(int fd);
double tw_host_read(int fd, const struct iovec *iov, int n, double pos);
double tw_host_write(int fd, const struct iovec *iov, int n, double pos);
int tw_host_sync(int fd, int data_only);
int tw_host_truncate(int fd, double size);
/*
 * Lists the names in a folder: of each a byte with its DT_ of dirent.h, two
 * bytes with its length, the lower one first, and its bytes. Returns the size
 * of the list; if that is more than @size, nothing is written.
 */
int tw_host_list(int fd, uint8_t *buf, int size);
int tw_host_chmod(int fd, int mode);
int tw_host_statfs(int fd, TwHostStatfs *out);
int tw_host_stat(int dir, const char *path, TwHostStat *out);
int tw_host_fstat(int fd, TwHostStat *out);
int tw_host_mkdir(int dir, const char *path, int mode);
int tw_host_unlink(int dir, const char *path, int is_folder);
int tw_host_rename(int dir, const char *path, int new_dir,
                   const char *new_path);
int tw_host_link(int dir, const char *path, int new_dir, const char *new_path);
int tw_host_symlink(const char *target, int dir, const char *path);
int tw_host_readlink(int dir, const char *path, char *buf, int size);
int tw_host_utimes(int dir, const char *path, double atime, double mtime);

/* Translates an error number of Linux in @result to emscripten's. */
int tw_host_result(int result);

/*
 * Returns a descriptor for QEMU that stands for the host's descriptor @host. If
 * none is left, closes @host and returns -EMFILE.
 */
int tw_hostfd_new(int host, int flags);

/* The host's descriptor that QEMU's descriptor @fd stands for, or -1. */
int tw_hostfd_host(int fd);

void tw_hostfs_fill(struct stat *st, const TwHostStat *from);

/* As read(), write(), close() and fcntl(), errno included. */
ssize_t tw_hostfd_read(int fd, void *buf, size_t size);
ssize_t tw_hostfd_write(int fd, const void *buf, size_t size);
int tw_hostfd_close(int fd);
int tw_hostfd_fcntl(int fd, int cmd, int arg);

#endif
