/*
 * The calls on names of the host's files: see hostfs.h.
 *
 * A name belongs to the host if it is relative to a folder that is open on the
 * host, or if it is an absolute path that the runner allows. A name belongs to
 * memfs.h if it is relative to a folder that is open there, or if it is the
 * path of a mount. A name belongs to runfs.h if it is the path of a file of the
 * runner's. These calls return what the kernel's do: minus an error number.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runfs.h"

enum { NO_HOST_FD = -1 };

int __real___syscall_openat(int dir, intptr_t path, int flags, ...);
int __real___syscall_stat64(intptr_t path, intptr_t st);
int __real___syscall_lstat64(intptr_t path, intptr_t st);
int __real___syscall_newfstatat(int dir, intptr_t path, intptr_t st, int flags);
int __real___syscall_mkdirat(int dir, intptr_t path, int mode);
int __real___syscall_mknodat(int dir, intptr_t path, int mode, int dev);
int __real___syscall_symlinkat(intptr_t target, int dir, intptr_t path);
int __real___syscall_linkat(int dir, intptr_t path, int new_dir,
                            intptr_t new_path, int flags);
int __real___syscall_renameat(int dir, intptr_t path, int new_dir,
                              intptr_t new_path);
int __real___syscall_unlinkat(int dir, intptr_t path, int flags);
int __real___syscall_readlinkat(int dir, intptr_t path, intptr_t buf,
                                size_t size);
int __real___syscall_chmod(intptr_t path, int mode);
int __real___syscall_fchownat(int dir, intptr_t path, int owner, int group,
                              int flags);
int __real___syscall_utimensat(int dir, intptr_t path, intptr_t times,
                               int flags);

int __wrap___syscall_fstat64(int fd, intptr_t st);

/*
 * Opens an absolute path in memfs if it is mounted there, or at the runner if
 * the runner has the file, else on the host.
 */
static int open_file(int dir, const char *path, int flags, int mode)
{
    int found = TW_NOT_LIVE;

    if (dir == TW_NOWHERE) {
        found = tw_mem_open(dir, path, flags, mode);
        found = found == TW_NOT_LIVE ? tw_run_open(path, flags) : found;
    }
    return found == TW_NOT_LIVE ? tw_on(dir, open, dir, path, flags, mode)
                                : found;
}

static int stat_path(const char *path, TwHostStat *out)
{
    int found = tw_mem_stat(TW_NOWHERE, path, out);

    found = found == TW_NOT_LIVE ? tw_run_stat(path, out) : found;
    return found == TW_NOT_LIVE ? tw_host_stat(TW_NOWHERE, path, out) : found;
}

int __wrap___syscall_openat(int dir, intptr_t path, int flags, ...)
{
    const char *name = (const char *)path;
    bool absolute = *name == '/';
    int mode = 0;
    int host;

    if (flags & O_CREAT) {
        va_list ap;

        va_start(ap, flags);
        mode = va_arg(ap, int);
        va_end(ap);
    }
    if (!absolute && !tw_is_hostfd(dir)) {
        return __real___syscall_openat(dir, path, flags, mode);
    }
    dir = absolute ? TW_NOWHERE : tw_hostfd_host(dir);
    if (!absolute && dir < 0) {
        return -EBADF;
    }
    host = open_file(dir, name, flags, mode);
    if (host == TW_NOT_LIVE) {
        return __real___syscall_openat(AT_FDCWD, path, flags, mode);
    }
    return host < 0 ? tw_host_result(host) : tw_hostfd_new(host, flags);
}

static int stat_answer(int result, intptr_t st, const TwHostStat *found)
{
    if (result == 0) {
        tw_hostfs_fill((struct stat *)st, found);
    }
    return tw_host_result(result);
}

int __wrap___syscall_stat64(intptr_t path, intptr_t st)
{
    TwHostStat found;
    int result = stat_path((const char *)path, &found);

    return result == TW_NOT_LIVE ? __real___syscall_stat64(path, st)
                                 : stat_answer(result, st, &found);
}

int __wrap___syscall_lstat64(intptr_t path, intptr_t st)
{
    TwHostStat found;
    int result = stat_path((const char *)path, &found);

    return result == TW_NOT_LIVE ? __real___syscall_lstat64(path, st)
                                 : stat_answer(result, st, &found);
}

/* Links are never followed, whatever the flags say. */
int __wrap___syscall_newfstatat(int dir, intptr_t path, intptr_t st, int flags)
{
    TwHostStat found;
    int host = tw_hostfd_host(dir);

    if (!tw_is_hostfd(dir)) {
        return __real___syscall_newfstatat(dir, path, st, flags);
    }
    if (!*(const char *)path && flags & AT_EMPTY_PATH) {
        return __wrap___syscall_fstat64(dir, st);
    }
    if (host < 0) {
        return -EBADF;
    }
    return stat_answer(tw_on(host, stat, host, (const char *)path, &found), st,
                       &found);
}

int __wrap___syscall_mkdirat(int dir, intptr_t path, int mode)
{
    int host = tw_hostfd_host(dir);

    if (!tw_is_hostfd(dir)) {
        return __real___syscall_mkdirat(dir, path, mode);
    }
    return host < 0 ? -EBADF
                    : tw_host_result(
                          tw_on(host, mkdir, host, (const char *)path, mode));
}

/* Makes plain files only. No guest should make devices on its host. */
int __wrap___syscall_mknodat(int dir, intptr_t path, int mode, int dev)
{
    int host = tw_hostfd_host(dir);
    int made;

    if (!tw_is_hostfd(dir)) {
        return __real___syscall_mknodat(dir, path, mode, dev);
    }
    if (host < 0) {
        return -EBADF;
    }
    if (mode & S_IFMT && !S_ISREG(mode)) {
        return -EPERM;
    }
    made =
        open_file(host, (const char *)path, O_CREAT | O_EXCL | O_WRONLY, mode);
    return tw_host_result(made < 0 ? made : tw_on(made, close, made));
}

int __wrap___syscall_symlinkat(intptr_t target, int dir, intptr_t path)
{
    int host = tw_hostfd_host(dir);

    if (!tw_is_hostfd(dir)) {
        return __real___syscall_symlinkat(target, dir, path);
    }
    return host < 0 ? -EBADF
                    : tw_host_result(tw_on(host, symlink, (const char *)target,
                                           host, (const char *)path));
}

/* Whether a file cannot have a name in both folders. */
static bool are_apart(int host, int other)
{
    return host < 0 || other < 0 || tw_is_memfd(host) != tw_is_memfd(other);
}

int __wrap___syscall_linkat(int dir, intptr_t path, int new_dir,
                            intptr_t new_path, int flags)
{
    int host = tw_hostfd_host(dir);
    int new_host = tw_hostfd_host(new_dir);

    if (!tw_is_hostfd(dir) && !tw_is_hostfd(new_dir)) {
        return __real___syscall_linkat(dir, path, new_dir, new_path, flags);
    }
    return are_apart(host, new_host)
               ? -EXDEV
               : tw_host_result(tw_on(host, link, host, (const char *)path,
                                      new_host, (const char *)new_path));
}

int __wrap___syscall_renameat(int dir, intptr_t path, int new_dir,
                              intptr_t new_path)
{
    int host = tw_hostfd_host(dir);
    int new_host = tw_hostfd_host(new_dir);

    if (!tw_is_hostfd(dir) && !tw_is_hostfd(new_dir)) {
        return __real___syscall_renameat(dir, path, new_dir, new_path);
    }
    return are_apart(host, new_host)
               ? -EXDEV
               : tw_host_result(tw_on(host, rename, host, (const char *)path,
                                      new_host, (const char *)new_path));
}

int __wrap___syscall_unlinkat(int dir, intptr_t path, int flags)
{
    int host = tw_hostfd_host(dir);

    if (!tw_is_hostfd(dir)) {
        return __real___syscall_unlinkat(dir, path, flags);
    }
    return host < 0
               ? -EBADF
               : tw_host_result(tw_on(host, unlink, host, (const char *)path,
                                      flags & AT_REMOVEDIR));
}

int __wrap___syscall_readlinkat(int dir, intptr_t path, intptr_t buf,
                                size_t size)
{
    int host = tw_hostfd_host(dir);

    if (!tw_is_hostfd(dir)) {
        return __real___syscall_readlinkat(dir, path, buf, size);
    }
    return host < 0
               ? -EBADF
               : tw_host_result(tw_on(host, readlink, host, (const char *)path,
                                      (char *)buf, (int)size));
}

/*
 * The host's descriptor that a path like /proc/self/fd/131072 names. QEMU's 9p
 * server changes the mode of an open file by such a path.
 */
static int proc_hostfd(const char *path)
{
    static const char place[] = "/proc/self/fd/";
    char *end;
    long fd;

    if (strncmp(path, place, sizeof(place) - 1)) {
        return NO_HOST_FD;
    }
    fd = strtol(path + sizeof(place) - 1, &end, 10);
    return *end ? NO_HOST_FD : tw_hostfd_host((int)fd);
}

int __wrap___syscall_chmod(intptr_t path, int mode)
{
    int host = proc_hostfd((const char *)path);

    return host == NO_HOST_FD
               ? __real___syscall_chmod(path, mode)
               : tw_host_result(tw_on_file(host, chmod, host, mode));
}

/* Files always belong to the user who runs QEMU. */
int __wrap___syscall_fchownat(int dir, intptr_t path, int owner, int group,
                              int flags)
{
    int host = tw_hostfd_host(dir);
    TwHostStat now;
    int result;

    if (!tw_is_hostfd(dir)) {
        return __real___syscall_fchownat(dir, path, owner, group, flags);
    }
    if (host < 0) {
        return -EBADF;
    }
    result = tw_on(host, stat, host, (const char *)path, &now);
    if (result < 0) {
        return tw_host_result(result);
    }
    return (owner == -1 || owner == now.uid) &&
                   (group == -1 || group == now.gid)
               ? 0
               : -EPERM;
}

/* The time that utimensat() asks for, in seconds. */
static double seconds(const struct timespec *time, int64_t now_ns,
                      int64_t before_ns)
{
    if (time && time->tv_nsec == UTIME_OMIT) {
        return (double)before_ns / 1e9;
    }
    if (!time || time->tv_nsec == UTIME_NOW) {
        return (double)now_ns / 1e9;
    }
    return (double)time->tv_sec + (double)time->tv_nsec / 1e9;
}

int __wrap___syscall_utimensat(int dir, intptr_t path, intptr_t times,
                               int flags)
{
    const struct timespec *asked = (const struct timespec *)times;
    int host = tw_hostfd_host(dir);
    struct timespec now;
    TwHostStat before;
    int64_t now_ns;
    int result;

    if (!tw_is_hostfd(dir)) {
        return __real___syscall_utimensat(dir, path, times, flags);
    }
    if (host < 0) {
        return -EBADF;
    }
    result = tw_on(host, stat, host, (const char *)path, &before);
    if (result < 0) {
        return tw_host_result(result);
    }
    clock_gettime(CLOCK_REALTIME, &now);
    now_ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
    return tw_host_result(
        tw_on(host, utimes, host, (const char *)path,
              seconds(asked, now_ns, before.atime_ns),
              seconds(asked ? asked + 1 : NULL, now_ns, before.mtime_ns)));
}
