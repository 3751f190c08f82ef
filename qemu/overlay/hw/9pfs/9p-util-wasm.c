/*
 * What virtio-9p needs of a host and emscripten lacks: Linux's error numbers,
 * and functions for extended attributes. emscripten's file systems have none,
 * so these functions say that they are not supported.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/xattr.h"
#include "9p-util.h"

enum { LINUX_EOPNOTSUPP = 95, LINUX_EIO = 5 };

/* Linux's asm-generic/errno.h, by emscripten's (WASI's) numbers. */
static const uint8_t linux_errno[] = {
    /* clang-format off */
    [EPERM] = 1, [ENOENT] = 2, [ESRCH] = 3, [EINTR] = 4, [EIO] = 5,
    [ENXIO] = 6, [E2BIG] = 7, [ENOEXEC] = 8, [EBADF] = 9, [ECHILD] = 10,
    [EAGAIN] = 11, [ENOMEM] = 12, [EACCES] = 13, [EFAULT] = 14, [EBUSY] = 16,
    [EEXIST] = 17, [EXDEV] = 18, [ENODEV] = 19, [ENOTDIR] = 20, [EISDIR] = 21,
    [EINVAL] = 22, [ENFILE] = 23, [EMFILE] = 24, [ENOTTY] = 25, [ETXTBSY] = 26,
    [EFBIG] = 27, [ENOSPC] = 28, [ESPIPE] = 29, [EROFS] = 30, [EMLINK] = 31,
    [EPIPE] = 32, [EDOM] = 33, [ERANGE] = 34, [EDEADLK] = 35,
    [ENAMETOOLONG] = 36, [ENOLCK] = 37, [ENOSYS] = 38, [ENOTEMPTY] = 39,
    [ELOOP] = 40, [ENOMSG] = 42, [EIDRM] = 43, [ENOLINK] = 67, [EPROTO] = 71,
    [EMULTIHOP] = 72, [EBADMSG] = 74, [EOVERFLOW] = 75, [EILSEQ] = 84,
    [ENOTSOCK] = 88, [EDESTADDRREQ] = 89, [EMSGSIZE] = 90, [EPROTOTYPE] = 91,
    [ENOPROTOOPT] = 92, [EPROTONOSUPPORT] = 93, [EAFNOSUPPORT] = 97,
    [EADDRINUSE] = 98, [EADDRNOTAVAIL] = 99, [ENETDOWN] = 100,
    [ENETUNREACH] = 101, [ENETRESET] = 102, [ECONNABORTED] = 103,
    [ECONNRESET] = 104, [ENOBUFS] = 105, [EISCONN] = 106, [ENOTCONN] = 107,
    [ETIMEDOUT] = 110, [ECONNREFUSED] = 111, [EHOSTUNREACH] = 113,
    [EALREADY] = 114, [EINPROGRESS] = 115, [ESTALE] = 116, [EDQUOT] = 122,
    [ECANCELED] = 125, [EOWNERDEAD] = 130, [ENOTRECOVERABLE] = 131,
    /* clang-format on */
};

int tw_linux_errno(int err)
{
    if (err == EOPNOTSUPP || err == ENOTSUP) {
        return LINUX_EOPNOTSUPP;
    }
    if (err <= 0 || err >= ARRAY_SIZE(linux_errno) || !linux_errno[err]) {
        return LINUX_EIO;
    }
    return linux_errno[err];
}

static int unsupported(void)
{
    errno = EOPNOTSUPP;
    return -1;
}

/* The C library declares these, and does not have them. */

ssize_t lgetxattr(const char *path, const char *name, void *value, size_t size)
{
    return unsupported();
}

ssize_t fgetxattr(int fd, const char *name, void *value, size_t size)
{
    return unsupported();
}

ssize_t llistxattr(const char *path, char *list, size_t size)
{
    return unsupported();
}

int lsetxattr(const char *path, const char *name, const void *value,
              size_t size, int flags)
{
    return unsupported();
}

int lremovexattr(const char *path, const char *name)
{
    return unsupported();
}

/* As in 9p-util.h. */

ssize_t fgetxattrat_nofollow(int dirfd, const char *path, const char *name,
                             void *value, size_t size)
{
    return unsupported();
}

int fsetxattrat_nofollow(int dirfd, const char *path, const char *name,
                         void *value, size_t size, int flags)
{
    return unsupported();
}

ssize_t flistxattrat_nofollow(int dirfd, const char *filename, char *list,
                              size_t size)
{
    return unsupported();
}

ssize_t fremovexattrat_nofollow(int dirfd, const char *filename,
                                const char *name)
{
    return unsupported();
}

int qemu_mknodat(int dirfd, const char *filename, mode_t mode, dev_t dev)
{
    return mknodat(dirfd, filename, mode, dev);
}
