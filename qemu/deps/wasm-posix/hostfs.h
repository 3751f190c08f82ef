/*
 * Files and folders of the host, read and written in place.
 *
 * emscripten's own files are in memory, and its file systems are served by the
 * main thread. A disk's image is too big for the one and too busy for the
 * other. So the paths that the runner allows (hostfs.js) are opened on the host,
 * by the thread that asks: Node's threads share descriptors. Everything else
 * goes on to emscripten. In a page nothing is allowed; what takes the host's place
 * there is memfs.h.
 *
 *     QEMU -- libc -- __syscall_openat() --+-- emscripten's
 *                                          +-- tw_host_open() -- Node's fs
 *                                          +-- tw_mem_open() -- linear memory
 *
 * Descriptors for these files are TW_HOSTFD_BASE and up: hostfs-fd.c has what
 * is done to them, hostfs-path.c what is done to names. Names are bytes.
 *
 * Getting out of a folder is prevented twice. QEMU's 9p server opens component
 * by component and never follows a link. hostfs.js takes one component of a name
 * at a time, below a descriptor, does not follow links either and refuses "..".
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
    TW_NOT_LIVE = -4096,      /* no path that the runner allows */
    TW_NOWHERE = -1,          /* in the place of a folder's descriptor */
};

static inline bool tw_is_hostfd(int fd)
{
    return fd >= TW_HOSTFD_BASE && fd < TW_HOSTFD_BASE + TW_HOSTFD_MAX;
}

/* What hostfs.js fills in, in this order. */
typedef struct TwHostStat {
    int64_t dev, mode, nlink, uid, gid, rdev, size, blksize, blocks;
    int64_t atime_ns, mtime_ns, ctime_ns, ino;
} TwHostStat;

typedef struct TwHostStatfs {
    int64_t type, bsize, blocks, bfree, bavail, files, ffree;
} TwHostStatfs;

/*
 * hostfs.js: each returns what it did or minus an error number of Linux. @fd and
 * @dir are descriptors of the host; @dir may be TW_NOWHERE for an absolute path,
 * which may be TW_NOT_LIVE then. A @pos is a whole number below 2^53.
 */
int tw_host_open(int dir, const char *path, int flags, int mode);
int tw_host_close(int fd);
double tw_host_read(int fd, const struct iovec *iov, int n, double pos);
double tw_host_write(int fd, const struct iovec *iov, int n, double pos);
int tw_host_sync(int fd, int data_only);
int tw_host_truncate(int fd, double size);
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

/* The same result with an error number of emscripten's. */
int tw_host_result(int result);

/* A descriptor of ours for the host's, which is closed if there is none left. */
int tw_hostfd_new(int host, int flags);
/* The host's descriptor for ours, or -1. */
int tw_hostfd_host(int fd);
void tw_hostfs_fill(struct stat *st, const TwHostStat *from);

/* As the calls without the prefix, errno included. */
ssize_t tw_hostfd_read(int fd, void *buf, size_t size);
ssize_t tw_hostfd_write(int fd, const void *buf, size_t size);
int tw_hostfd_close(int fd);
int tw_hostfd_fcntl(int fd, int cmd, int arg);

#endif
