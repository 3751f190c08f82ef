/*
 * Files in linear memory, where there is no host: a web page's shared folders.
 *
 * emscripten has files in memory, too, but they differ from Linux's. It reads a
 * link as another path than was written. symlinkat() ends the program. A name
 * that is removed ends the reading of its folder. A file has one time instead
 * of three. And the main thread serves every call. This file system is in C,
 * and the thread that makes a call serves it.
 *
 * hostfs-*.c ask memfs before they ask hostfs.js, by the same calls (hostfs.h)
 * and the same rules, so that QEMU cannot tell them apart. Every file belongs
 * to the user who runs QEMU. There are no set-user-ID bits, devices, pipes and
 * sockets. Names are bytes.
 *
 * The runner makes a folder with tw_mem_mount(). The runner then fills and
 * reads the folder with the calls that QEMU uses, also while QEMU runs.
 *
 *     runner -- tw_mem_mount(), tw_mem_open(), ... --+
 *     QEMU -- libc -- hostfs-*.c --------------------+-- memfs-*.c
 *
 * The files, from the top down. Each calls only files below it.
 *
 *     memfs-runner.c    calls that only the runner makes
 *     memfs-fd.c        calls on open files
 *     memfs-path.c      calls on names
 *     memfs-lock.c      the one file system and its lock
 *     memfs-lookup.c    from a path or a descriptor to a node
 *     memfs-tree.c      nodes and their names
 *     memfs-contents.c  the pages of a file
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
};

static inline bool tw_is_memfd(int fd)
{
    return fd >= TW_MEMFD_BASE && fd < TW_MEMFD_BASE + TW_MEMFD_MAX;
}

/* Makes a call on memfs or on the host, whichever @fd is a descriptor of. */
#define tw_on(fd, call, ...) \
    (tw_is_memfd(fd) ? tw_mem_##call(__VA_ARGS__) : tw_host_##call(__VA_ARGS__))

/*
 * Mounts an empty folder at an absolute path. Returns 0 or minus an error
 * number of Linux: EEXIST, ENOMEM, or ENOSPC after TW_MEM_MOUNTS mounts.
 */
int tw_mem_mount(const char *path);

/* Sets how many bytes the contents of all files may take. */
void tw_mem_set_limit(double bytes);

/*
 * A buffer of at least @size bytes for the runner's arguments; NULL if there is
 * no memory. The buffer stays valid until a call asks for a larger one.
 */
void *tw_mem_buffer(size_t size);

/*
 * As the calls of hostfs.h. A call fails with ENOMEM if an allocation fails,
 * and with ENOSPC if the limit of tw_mem_set_limit() is reached. A call on
 * names that fails has changed nothing.
 */
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

#endif
