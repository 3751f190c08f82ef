/*
 * The calls on open files of the host: see hostfs.h. The linker sends these
 * calls here first.
 *
 * This file keeps the positions, so that any thread may use a descriptor and
 * each read or write is one call to the host. A folder's position counts bytes
 * in the list of its names. The first getdents64() reads that list, and so does
 * the first one after the folder was rewound.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "runfs.h"

enum { NAME_HEAD = 3, NAMELEN = 255, NS = 1000000000, LIST_TRIES = 8 };

typedef struct HostFile {
    bool used;
    int host;
    int flags;
    off_t pos;
    uint8_t *list;
    int list_size;
} HostFile;

static HostFile files[TW_HOSTFD_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

ssize_t __real_pread(int fd, void *buf, size_t size, off_t pos);
ssize_t __real_pwrite(int fd, const void *buf, size_t size, off_t pos);
ssize_t __real_preadv(int fd, const struct iovec *iov, int n, off_t pos);
ssize_t __real_pwritev(int fd, const struct iovec *iov, int n, off_t pos);
off_t __real_lseek(int fd, off_t offset, int whence);
int __real_fsync(int fd);
int __real___syscall_fdatasync(int fd);
int __real___syscall_ftruncate64(int fd, off_t size);
int __real___syscall_fallocate(int fd, int mode, off_t offset, off_t size);
int __real___syscall_fstat64(int fd, intptr_t st);
int __real___syscall_fchmod(int fd, int mode);
int __real___syscall_fstatfs64(int fd, size_t size, intptr_t out);
int __real___syscall_getdents64(int fd, intptr_t out, size_t size);

int tw_hostfd_new(int host, int flags)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < TW_HOSTFD_MAX; i++) {
        if (!files[i].used) {
            files[i] = (HostFile){ .used = true, .host = host, .flags = flags };
            pthread_mutex_unlock(&lock);
            return TW_HOSTFD_BASE + i;
        }
    }
    pthread_mutex_unlock(&lock);
    tw_on_file(host, close, host);
    return -EMFILE;
}

static HostFile *lookup(int fd)
{
    HostFile *file = tw_is_hostfd(fd) ? &files[fd - TW_HOSTFD_BASE] : NULL;

    return file && file->used ? file : NULL;
}

int tw_hostfd_host(int fd)
{
    HostFile *file = lookup(fd);

    return file ? file->host : -1;
}

/* The result of a call of the C library: -1 and errno instead of -errno. */
static ssize_t answer(ssize_t result)
{
    if (result < 0) {
        errno = -result;
        return -1;
    }
    return result;
}

static ssize_t transfer(int fd, const struct iovec *iov, int n, off_t pos,
                        bool writes)
{
    int host = tw_hostfd_host(fd);
    double done;

    if (pos < 0) {
        return answer(-EINVAL);
    }
    if (host < 0) {
        return answer(-EBADF);
    }
    done = writes ? tw_on_file(host, write, host, iov, n, (double)pos)
                  : tw_on_file(host, read, host, iov, n, (double)pos);
    return answer(done < 0 ? tw_host_result((int)done) : (ssize_t)done);
}

ssize_t __wrap_preadv(int fd, const struct iovec *iov, int n, off_t pos)
{
    return tw_is_hostfd(fd) ? transfer(fd, iov, n, pos, false)
                            : __real_preadv(fd, iov, n, pos);
}

ssize_t __wrap_pwritev(int fd, const struct iovec *iov, int n, off_t pos)
{
    return tw_is_hostfd(fd) ? transfer(fd, iov, n, pos, true)
                            : __real_pwritev(fd, iov, n, pos);
}

ssize_t __wrap_pread(int fd, void *buf, size_t size, off_t pos)
{
    struct iovec iov = { .iov_base = buf, .iov_len = size };

    return tw_is_hostfd(fd) ? transfer(fd, &iov, 1, pos, false)
                            : __real_pread(fd, buf, size, pos);
}

ssize_t __wrap_pwrite(int fd, const void *buf, size_t size, off_t pos)
{
    struct iovec iov = { .iov_base = (void *)buf, .iov_len = size };

    return tw_is_hostfd(fd) ? transfer(fd, &iov, 1, pos, true)
                            : __real_pwrite(fd, buf, size, pos);
}

/* Moves the position by what a read or write has done. */
static ssize_t moved(int fd, ssize_t done)
{
    HostFile *file = lookup(fd);

    if (file && done > 0) {
        file->pos += done;
    }
    return done;
}

ssize_t tw_hostfd_read(int fd, void *buf, size_t size)
{
    HostFile *file = lookup(fd);

    return moved(fd, __wrap_pread(fd, buf, size, file ? file->pos : 0));
}

ssize_t tw_hostfd_write(int fd, const void *buf, size_t size)
{
    HostFile *file = lookup(fd);

    return moved(fd, __wrap_pwrite(fd, buf, size, file ? file->pos : 0));
}

int tw_hostfd_close(int fd)
{
    HostFile *file = lookup(fd);
    uint8_t *list;
    int host;

    if (!file) {
        return answer(-EBADF);
    }
    list = file->list;
    host = file->host;
    pthread_mutex_lock(&lock);
    *file = (HostFile){ .used = false };
    pthread_mutex_unlock(&lock);
    free(list);
    return answer(tw_host_result(tw_on_file(host, close, host)));
}

/*
 * There are no copies of descriptors: QEMU opens the file again. There are no
 * locks: the harness takes them, see docs/disks.md.
 */
int tw_hostfd_fcntl(int fd, int cmd, int arg)
{
    const int changeable = O_APPEND | O_NONBLOCK | O_NOATIME | O_DIRECT;
    HostFile *file = lookup(fd);

    if (!file) {
        return answer(-EBADF);
    }
    switch (cmd) {
    case F_GETFD:
        return FD_CLOEXEC;
    case F_SETFD:
        return 0;
    case F_GETFL:
        return file->flags;
    case F_SETFL:
        /* O_NONBLOCK is all that is ever changed; files do not block. */
        file->flags = (file->flags & ~changeable) | (arg & changeable);
        return 0;
    default:
        return answer(-EINVAL);
    }
}

void tw_hostfs_fill(struct stat *st, const TwHostStat *from)
{
    *st = (struct stat){
        .st_dev = from->dev,
        .st_mode = from->mode,
        .st_nlink = from->nlink,
        .st_uid = from->uid,
        .st_gid = from->gid,
        .st_rdev = from->rdev,
        .st_size = from->size,
        .st_blksize = from->blksize,
        .st_blocks = from->blocks,
        .st_atim = { from->atime_ns / NS, from->atime_ns % NS },
        .st_mtim = { from->mtime_ns / NS, from->mtime_ns % NS },
        .st_ctim = { from->ctime_ns / NS, from->ctime_ns % NS },
        .st_ino = from->ino,
    };
}

int __wrap___syscall_fstat64(int fd, intptr_t st)
{
    TwHostStat found;
    int host, result;

    if (!tw_is_hostfd(fd)) {
        return __real___syscall_fstat64(fd, st);
    }
    host = tw_hostfd_host(fd);
    result = host < 0 ? -EBADF
                      : tw_host_result(tw_on_file(host, fstat, host, &found));
    if (result == 0) {
        tw_hostfs_fill((struct stat *)st, &found);
    }
    return result;
}

/* Without SEEK_DATA and SEEK_HOLE QEMU treats the whole file as data. */
off_t __wrap_lseek(int fd, off_t offset, int whence)
{
    HostFile *file = lookup(fd);
    struct stat st;

    if (!tw_is_hostfd(fd)) {
        return __real_lseek(fd, offset, whence);
    }
    if (!file) {
        return answer(-EBADF);
    }
    if (whence == SEEK_CUR) {
        offset += file->pos;
    } else if (whence == SEEK_END) {
        int result = __wrap___syscall_fstat64(fd, (intptr_t)&st);

        if (result < 0) {
            return answer(result);
        }
        offset += st.st_size;
    } else if (whence != SEEK_SET) {
        return answer(-EINVAL);
    }
    if (offset < 0) {
        return answer(-EINVAL);
    }
    file->pos = offset;
    if (offset == 0) {
        free(file->list);
        file->list = NULL;
    }
    return offset;
}

static int sync_to_disk(int fd, bool data_only)
{
    int host = tw_hostfd_host(fd);

    return host < 0 ? -EBADF
                    : tw_host_result(tw_on_file(host, sync, host, data_only));
}

int __wrap_fsync(int fd)
{
    return tw_is_hostfd(fd) ? answer(sync_to_disk(fd, false))
                            : __real_fsync(fd);
}

int __wrap___syscall_fdatasync(int fd)
{
    return tw_is_hostfd(fd) ? sync_to_disk(fd, true)
                            : __real___syscall_fdatasync(fd);
}

int __wrap___syscall_ftruncate64(int fd, off_t size)
{
    int host = tw_hostfd_host(fd);

    if (!tw_is_hostfd(fd)) {
        return __real___syscall_ftruncate64(fd, size);
    }
    if (size < 0) {
        return -EINVAL;
    }
    return host < 0
               ? -EBADF
               : tw_host_result(tw_on_file(host, truncate, host, (double)size));
}

/*
 * Node has no such call. QEMU then writes zeros itself, and keeps what a guest
 * discards.
 */
int __wrap___syscall_fallocate(int fd, int mode, off_t offset, off_t size)
{
    return tw_is_hostfd(fd)
               ? -EOPNOTSUPP
               : __real___syscall_fallocate(fd, mode, offset, size);
}

int __wrap___syscall_fchmod(int fd, int mode)
{
    int host = tw_hostfd_host(fd);

    if (!tw_is_hostfd(fd)) {
        return __real___syscall_fchmod(fd, mode);
    }
    return host < 0 ? -EBADF
                    : tw_host_result(tw_on_file(host, chmod, host, mode));
}

int __wrap___syscall_fstatfs64(int fd, size_t size, intptr_t out)
{
    int host = tw_hostfd_host(fd);
    TwHostStatfs found;
    int result;

    if (!tw_is_hostfd(fd)) {
        return __real___syscall_fstatfs64(fd, size, out);
    }
    result = host < 0 ? -EBADF
                      : tw_host_result(tw_on_file(host, statfs, host, &found));
    if (result == 0) {
        *(struct statfs *)out = (struct statfs){
            .f_type = found.type,
            .f_bsize = found.bsize,
            .f_blocks = found.blocks,
            .f_bfree = found.bfree,
            .f_bavail = found.bavail,
            .f_files = found.files,
            .f_ffree = found.ffree,
            .f_namelen = NAMELEN,
            .f_frsize = found.bsize,
        };
    }
    return result;
}

/*
 * Reads the list of a folder's names. The folder may grow between the call for
 * the size of the list and the call for the names.
 */
static int read_list(HostFile *file)
{
    int size = 0;

    for (int i = 0; i < LIST_TRIES; i++) {
        uint8_t *list = malloc(size + 1);
        int got;

        if (!list) {
            return -ENOMEM;
        }
        got = tw_host_result(
            tw_on_file(file->host, list, file->host, list, size));
        if (got >= 0 && got <= size) {
            file->list = list;
            file->list_size = got;
            return 0;
        }
        free(list);
        if (got < 0) {
            return got;
        }
        size = got + got / 4;
    }
    return -EAGAIN;
}

int __wrap___syscall_getdents64(int fd, intptr_t out, size_t size)
{
    HostFile *file = lookup(fd);
    size_t filled = 0;
    int result;

    if (!tw_is_hostfd(fd)) {
        return __real___syscall_getdents64(fd, out, size);
    }
    if (!file) {
        return -EBADF;
    }
    result = file->list ? 0 : read_list(file);
    if (result < 0) {
        return result;
    }
    while (file->pos + NAME_HEAD <= file->list_size) {
        const uint8_t *entry = file->list + file->pos;
        size_t length = entry[1] | entry[2] << 8;
        struct dirent *d = (struct dirent *)(out + filled);
        size_t reclen = offsetof(struct dirent, d_name) + length + 1;

        reclen = (reclen + _Alignof(struct dirent) - 1) &
                 ~(_Alignof(struct dirent) - 1);
        if (length > NAMELEN || filled + reclen > size) {
            break;
        }
        file->pos += NAME_HEAD + length;
        d->d_ino = file->pos; /* not 0; whoever cares asks stat() */
        d->d_off = file->pos;
        d->d_reclen = reclen;
        d->d_type = entry[0];
        memcpy(d->d_name, entry + NAME_HEAD, length);
        d->d_name[length] = 0;
        filled += reclen;
    }
    return filled;
}

/*
 * QEMU's 9p server asks for the limit, to close files before there are too
 * many.
 */
int __syscall_prlimit64(int pid, int resource, intptr_t new_limit,
                        intptr_t old_limit)
{
    struct rlimit *old = (struct rlimit *)old_limit;
    rlim_t limit = resource == RLIMIT_NOFILE ? TW_HOSTFD_MAX : RLIM_INFINITY;

    (void)pid;
    (void)new_limit;
    if (old) {
        *old = (struct rlimit){ .rlim_cur = limit, .rlim_max = limit };
    }
    return 0;
}
