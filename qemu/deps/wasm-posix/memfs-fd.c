/*
 * What is done to open files in memory: see memfs.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "linux-errno.h"
#include "memfs-lock.h"

enum {
    NAME_HEAD = 3, /* bytes in front of a name in a list */
    TMPFS_MAGIC = 0x01021994,
    /* The kinds of dirent.h. */
    KIND_DIR = 4,
    KIND_FILE = 8,
    KIND_LINK = 10,
};

static int close_locked(TwMemFs *fs, int fd)
{
    TwMemOpen *file = tw_mem_open_of(fs, fd);

    if (!file) {
        return -LINUX_EBADF;
    }
    tw_mem_close_node(fs, file);
    return 0;
}

static int may_read(const TwMemOpen *file, double pos)
{
    if (pos < 0) {
        return -LINUX_EINVAL;
    }
    if (!file || file->flags & TW_O_PATH_ONLY ||
        (file->flags & TW_O_ACCESS) == TW_O_WRONLY) {
        return -LINUX_EBADF;
    }
    return tw_mem_is_folder(file->node) ? -LINUX_EISDIR : 0;
}

static double read_locked(TwMemFs *fs, int fd, const struct iovec *iov, int n,
                          double pos)
{
    TwMemOpen *file = tw_mem_open_of(fs, fd);
    int error = may_read(file, pos);
    int64_t done = 0;

    if (error) {
        return error;
    }
    for (int i = 0; i < n; i++) {
        int64_t got = tw_mem_get(&file->node->contents, iov[i].iov_base,
                                 iov[i].iov_len, (int64_t)pos + done);

        done += got;
        if ((size_t)got < iov[i].iov_len) {
            break;
        }
    }
    file->node->atime = tw_mem_now();
    return (double)done;
}

static double write_locked(TwMemFs *fs, int fd, const struct iovec *iov, int n,
                           double pos)
{
    TwMemOpen *file = tw_mem_open_of(fs, fd);
    int64_t done = 0;
    int64_t put = 0;

    if (pos < 0) {
        return -LINUX_EINVAL;
    }
    if (!file || file->flags & TW_O_PATH_ONLY ||
        (file->flags & TW_O_ACCESS) == TW_O_RDONLY) {
        return -LINUX_EBADF;
    }
    if (file->flags & TW_O_APPEND) {
        pos = (double)file->node->contents.size;
    }
    for (int i = 0; i < n; i++) {
        put = tw_mem_put(&file->node->contents, &fs->tree.room, iov[i].iov_base,
                         iov[i].iov_len, (int64_t)pos + done);
        done += put > 0 ? put : 0;
        if (put < 0 || (size_t)put < iov[i].iov_len) {
            break;
        }
    }
    if (done) {
        tw_mem_node_changed(file->node);
        return (double)done;
    }
    return (double)put;
}

static int truncate_locked(TwMemFs *fs, int fd, double size)
{
    TwMemOpen *file = tw_mem_open_of(fs, fd);

    if (!file || file->flags & TW_O_PATH_ONLY) {
        return -LINUX_EBADF;
    }
    if ((file->flags & TW_O_ACCESS) == TW_O_RDONLY) {
        return -LINUX_EINVAL;
    }
    tw_mem_resize(&file->node->contents, &fs->tree.room, (int64_t)size);
    tw_mem_node_changed(file->node);
    return 0;
}

static size_t list_one(uint8_t *out, int kind, const char *name, size_t length)
{
    if (out) {
        out[0] = (uint8_t)kind;
        out[1] = length & 255;
        out[2] = (uint8_t)(length >> 8);
        memcpy(out + NAME_HEAD, name, length);
    }
    return NAME_HEAD + length;
}

static size_t list_all(const TwMemNode *folder, uint8_t *out)
{
    size_t at = list_one(out, KIND_DIR, ".", 1);

    at += list_one(out ? out + at : NULL, KIND_DIR, "..", 2);
    for (const TwMemName *name = folder->first; name; name = name->next) {
        int mode = name->node->mode;
        int kind = S_ISDIR(mode)   ? KIND_DIR
                   : S_ISLNK(mode) ? KIND_LINK
                                   : KIND_FILE;

        at += list_one(out ? out + at : NULL, kind, name->text, name->length);
    }
    return at;
}

static int list_locked(TwMemFs *fs, int fd, uint8_t *buf, int size)
{
    TwMemOpen *file = tw_mem_open_of(fs, fd);
    size_t total;

    if (!file || file->flags & TW_O_PATH_ONLY) {
        return -LINUX_EBADF;
    }
    if (!tw_mem_is_folder(file->node)) {
        return -LINUX_ENOTDIR;
    }
    total = list_all(file->node, NULL);
    if (total <= (size_t)size) {
        list_all(file->node, buf);
    }
    return (int)total;
}

static int chmod_locked(TwMemFs *fs, int fd, int mode)
{
    TwMemOpen *file = tw_mem_open_of(fs, fd);

    if (!file) {
        return -LINUX_EBADF;
    }
    file->node->mode = (file->node->mode & S_IFMT) | (mode & TW_MEM_MODE_BITS);
    file->node->ctime = tw_mem_now();
    return 0;
}

static int statfs_locked(TwMemFs *fs, int fd, TwHostStatfs *out)
{
    const TwMemTree *tree = &fs->tree;
    int64_t left = tree->room.limit - tree->room.used;

    if (!tw_mem_open_of(fs, fd)) {
        return -LINUX_EBADF;
    }
    if (left < 0) {
        left = 0; /* the limit became smaller than what there was */
    }
    *out = (TwHostStatfs){
        .type = TMPFS_MAGIC,
        .bsize = TW_MEM_PAGE,
        .blocks = tree->room.used + left,
        .bfree = left,
        .bavail = left,
        .files = tree->nodes + left,
        .ffree = left,
    };
    return 0;
}

static int fstat_locked(TwMemFs *fs, int fd, TwHostStat *out)
{
    TwMemOpen *file = tw_mem_open_of(fs, fd);

    if (!file) {
        return -LINUX_EBADF;
    }
    tw_mem_node_stat(file->node, out);
    return 0;
}

TW_FOR_RUNNER int tw_mem_close(int fd)
{
    TW_MEM_LOCKED(int, close_locked(fs, fd));
}

TW_FOR_RUNNER double tw_mem_read(int fd, const struct iovec *iov, int n,
                                 double pos)
{
    TW_MEM_LOCKED(double, read_locked(fs, fd, iov, n, pos));
}

TW_FOR_RUNNER double tw_mem_write(int fd, const struct iovec *iov, int n,
                                  double pos)
{
    TW_MEM_LOCKED(double, write_locked(fs, fd, iov, n, pos));
}

int tw_mem_sync(int fd, int data_only)
{
    (void)data_only;
    TW_MEM_LOCKED(int, tw_mem_open_of(fs, fd) ? 0 : -LINUX_EBADF);
}

TW_FOR_RUNNER int tw_mem_truncate(int fd, double size)
{
    TW_MEM_LOCKED(int, truncate_locked(fs, fd, size));
}

TW_FOR_RUNNER int tw_mem_list(int fd, uint8_t *buf, int size)
{
    TW_MEM_LOCKED(int, list_locked(fs, fd, buf, size));
}

TW_FOR_RUNNER int tw_mem_chmod(int fd, int mode)
{
    TW_MEM_LOCKED(int, chmod_locked(fs, fd, mode));
}

int tw_mem_statfs(int fd, TwHostStatfs *out)
{
    TW_MEM_LOCKED(int, statfs_locked(fs, fd, out));
}

int tw_mem_fstat(int fd, TwHostStat *out)
{
    TW_MEM_LOCKED(int, fstat_locked(fs, fd, out));
}
