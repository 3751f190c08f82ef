/*
 * Calls that emscripten's headers declare and its C library lacks. Each fails
 * as on a system without the feature. QEMU and glib handle that failure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <grp.h>
#include <unistd.h>

ssize_t copy_file_range(int in, off_t *in_ofs, int out, off_t *out_ofs,
                        size_t len, unsigned flags)
{
    (void)in;
    (void)in_ofs;
    (void)out;
    (void)out_ofs;
    (void)len;
    (void)flags;
    errno = ENOSYS;
    return -1;
}

int initgroups(const char *user, gid_t group)
{
    (void)user;
    (void)group;
    errno = EPERM;
    return -1;
}
