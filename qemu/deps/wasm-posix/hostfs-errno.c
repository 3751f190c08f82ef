/*
 * Error numbers of the host's Linux as emscripten's (WASI's) C library has them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>

#include "hostfs.h"

/* By Linux's asm-generic/errno.h: those that calls on files fail with. */
static const uint8_t by_linux[] = {
    /* clang-format off */
    [1] = EPERM, [2] = ENOENT, [4] = EINTR, [5] = EIO, [6] = ENXIO,
    [7] = E2BIG, [9] = EBADF, [11] = EAGAIN, [12] = ENOMEM, [13] = EACCES,
    [14] = EFAULT, [16] = EBUSY, [17] = EEXIST, [18] = EXDEV, [19] = ENODEV,
    [20] = ENOTDIR, [21] = EISDIR, [22] = EINVAL, [23] = ENFILE,
    [24] = EMFILE, [25] = ENOTTY, [26] = ETXTBSY, [27] = EFBIG,
    [28] = ENOSPC, [29] = ESPIPE, [30] = EROFS, [31] = EMLINK, [32] = EPIPE,
    [34] = ERANGE, [36] = ENAMETOOLONG, [38] = ENOSYS, [39] = ENOTEMPTY,
    [40] = ELOOP, [75] = EOVERFLOW, [84] = EILSEQ, [95] = EOPNOTSUPP,
    [116] = ESTALE, [122] = EDQUOT,
    /* clang-format on */
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
