/*
 * Translates Linux's error numbers to those of emscripten's (WASI's) C library.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>

#include "hostfs.h"
#include "linux-errno.h"

static const uint8_t by_linux[] = {
    [LINUX_EPERM] = EPERM,   [LINUX_ENOENT] = ENOENT,
    [LINUX_EINTR] = EINTR,   [LINUX_EIO] = EIO,
    [LINUX_ENXIO] = ENXIO,   [LINUX_E2BIG] = E2BIG,
    [LINUX_EBADF] = EBADF,   [LINUX_EAGAIN] = EAGAIN,
    [LINUX_ENOMEM] = ENOMEM, [LINUX_EACCES] = EACCES,
    [LINUX_EFAULT] = EFAULT, [LINUX_EBUSY] = EBUSY,
    [LINUX_EEXIST] = EEXIST, [LINUX_EXDEV] = EXDEV,
    [LINUX_ENODEV] = ENODEV, [LINUX_ENOTDIR] = ENOTDIR,
    [LINUX_EISDIR] = EISDIR, [LINUX_EINVAL] = EINVAL,
    [LINUX_ENFILE] = ENFILE, [LINUX_EMFILE] = EMFILE,
    [LINUX_ENOTTY] = ENOTTY, [LINUX_ETXTBSY] = ETXTBSY,
    [LINUX_EFBIG] = EFBIG,   [LINUX_ENOSPC] = ENOSPC,
    [LINUX_ESPIPE] = ESPIPE, [LINUX_EROFS] = EROFS,
    [LINUX_EMLINK] = EMLINK, [LINUX_EPIPE] = EPIPE,
    [LINUX_ERANGE] = ERANGE, [LINUX_ENAMETOOLONG] = ENAMETOOLONG,
    [LINUX_ENOSYS] = ENOSYS, [LINUX_ENOTEMPTY] = ENOTEMPTY,
    [LINUX_ELOOP] = ELOOP,   [LINUX_EOVERFLOW] = EOVERFLOW,
    [LINUX_EILSEQ] = EILSEQ, [LINUX_EOPNOTSUPP] = EOPNOTSUPP,
    [LINUX_ESTALE] = ESTALE, [LINUX_EDQUOT] = EDQUOT,
};

int tw_host_result(int result)
{
    unsigned int err = -result;

    if (result >= 0) {
        return result;
    }
    if (err >= sizeof(by_linux) / sizeof(by_linux[0]) || !by_linux[err]) {
        return -EIO;
    }
    return -by_linux[err];
}
