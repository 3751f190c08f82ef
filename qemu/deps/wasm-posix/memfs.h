/*
 * Files in linear memory, for who has no host: a web page's shared folders.
 *
 * emscripten has files in memory, too, but they are not Linux's: a link is read
 * as another path than was written, making one by symlinkat() ends the program,
 * a name that goes away ends the reading of its folder, there is one time for
 * three, and every call is served by the main thread. These are in C, and served
 * by the thread that asks.
 *
 * hostfs-*.c come here before they ask hostfs.js, so that QEMU cannot tell the
 * one from the other: the same calls (see hostfs.h), the same rules. Nobody owns
 * files but who runs this; set-user-ID bits, devices, pipes and sockets there are
 * none; names are bytes.
 *
 * The runner makes a folder by tw_mem_mount(), and then fills and reads it by
 * the calls that QEMU uses, while QEMU runs, too.
 *
 *     runner -- tw_mem_mount(), tw_mem_open(), ... --+
 *     QEMU -- libc -- hostfs-*.c --------------------+-- nodes -- pages
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_MEMFS_H
#define TW_MEMFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hostfs.h"

enum {
    TW_MEMFD_BASE = 1 << 28, /* above the descriptors of any host */
    TW_MEMFD_MAX = 4096,
    TW_MEM_MOUNTS = 16,
    TW_MEM_PAGE = 4096,
    /* Of a file: its size may be larger, if it has a hole at the end. */
    TW_MEM_MAX_PAGES = 4 * 1024 * 1024,
};

/* Of Linux's asm-generic/errno.h, which the C library's are not. */
enum {
    LINUX_EPERM = 1,
    LINUX_ENOENT = 2,
    LINUX_EBADF = 9,
    LINUX_ENOMEM = 12,
    LINUX_EACCES = 13,
    LINUX_EBUSY = 16,
    LINUX_EEXIST = 17,
    LINUX_EXDEV = 18,
    LINUX_ENOTDIR = 20,
    LINUX_EISDIR = 21,
    LINUX_EINVAL = 22,
    LINUX_EMFILE = 24,
    LINUX_EFBIG = 27,
    LINUX_ENOSPC = 28,
    LINUX_EMLINK = 31,
    LINUX_ENAMETOOLONG = 36,
    LINUX_ENOTEMPTY = 39,
    LINUX_ELOOP = 40,
};

static inline bool tw_is_memfd(int fd)
{
    return fd >= TW_MEMFD_BASE && fd < TW_MEMFD_BASE + TW_MEMFD_MAX;
}

/* A call for a descriptor of memory's or of the host's. */
#define tw_on(fd, call, ...) \
    (tw_is_memfd(fd) ? tw_mem_##call(__VA_ARGS__) : tw_host_##call(__VA_ARGS__))

/* An empty folder at an absolute path; 0 or minus an error number. */
int tw_mem_mount(const char *path);
/* How many bytes all contents may take; more is ENOSPC. */
void tw_mem_set_limit(double bytes);
/* Memory for whoever calls from outside, the same until it is asked for more. */
void *tw_mem_buffer(size_t size);

/* As the calls of hostfs.h. */
int tw_mem_open(int dir, const char *path, int flags, int mode);
int tw_mem_close(int fd);
double tw_mem_read(int fd, const struct iovec *iov, int n, double pos);
double tw_mem_write(int fd, const struct iovec *iov, int n, double pos);
int tw_mem_sync(int fd, int data_only);
int tw_mem_truncate(int fd, double size);
int tw_mem_list(int fd, uint8_t *buf, int size);
int tw_mem_chmod(int fd, int mode);
int tw_mem_statfs(int fd, TwHostStatfs *out);
int tw_mem_stat(int dir, const char *path, TwHostStat *out);
int tw_mem_fstat(int fd, TwHostStat *out);
int tw_mem_mkdir(int dir, const char *path, int mode);
int tw_mem_unlink(int dir, const char *path, int is_folder);
int tw_mem_rename(int dir, const char *path, int new_dir, const char *new_path);
int tw_mem_link(int dir, const char *path, int new_dir, const char *new_path);
int tw_mem_symlink(const char *target, int dir, const char *path);
int tw_mem_readlink(int dir, const char *path, char *buf, int size);
int tw_mem_utimes(int dir, const char *path, double atime, double mtime);

/* What a file has in it: pages, where something was written. */
typedef struct TwMemContents {
    uint8_t **pages;
    size_t n_pages; /* places in the table */
    int64_t used; /* pages */
    int64_t size;
} TwMemContents;

/* How many pages there are, and may be. */
typedef struct TwMemRoom {
    int64_t used;
    int64_t limit;
} TwMemRoom;

/* Each does what it can of @size bytes; minus an error number if that is nothing. */
int64_t tw_mem_get(const TwMemContents *contents, void *to, size_t size,
                   int64_t pos);
int64_t tw_mem_put(TwMemContents *contents, TwMemRoom *room, const void *from,
                   size_t size, int64_t pos);
void tw_mem_resize(TwMemContents *contents, TwMemRoom *room, int64_t size);
#endif
