/*
 * What is done to the names of files in memory: see memfs.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "linux-errno.h"
#include "memfs-lock.h"

enum {
    MAX_TARGET = 4095,
    MAX_LINKS = 32000,
    LINK_MODE = 0777,
};

/* Makes a node at a free place. Only a link has a @target. */
static int make(TwMemFs *fs, int dir, const char *text, int mode,
                const char *target, TwMemNode **made)
{
    TwMemTree *tree = &fs->tree;
    TwMemPlace place;
    int result = tw_mem_look_free(fs, dir, text, &place);
    TwMemNode *node;

    if (result) {
        return result;
    }
    if (S_ISDIR(mode) && place.folder->links >= MAX_LINKS) {
        return -LINUX_EMLINK;
    }
    node = tw_mem_node_new(tree, mode, target);
    if (!node) {
        return -LINUX_ENOMEM;
    }
    if (!tw_mem_name_add(tree, place.folder, text, node)) {
        tw_mem_node_release(tree, node);
        return -LINUX_ENOMEM;
    }
    *made = node;
    return 0;
}

/* Returns 0, or the error with which open() refuses the node. */
static int may_open(const TwMemNode *node, int flags)
{
    if (S_ISLNK(node->mode)) {
        if (flags & TW_O_DIRECTORY) {
            return -LINUX_ENOTDIR;
        }
        return flags & TW_O_PATH_ONLY ? 0 : -LINUX_ELOOP;
    }
    if (tw_mem_is_folder(node)) {
        bool writes = (flags & TW_O_ACCESS) != TW_O_RDONLY ||
                      flags & (TW_O_TRUNC | TW_O_CREAT);

        return writes && !(flags & TW_O_PATH_ONLY) ? -LINUX_EISDIR : 0;
    }
    return flags & TW_O_DIRECTORY ? -LINUX_ENOTDIR : 0;
}

static int open_locked(TwMemFs *fs, int dir, const char *path, int flags,
                       int mode)
{
    TwMemPlace place;
    int result = tw_mem_look_path(fs, dir, path, &place);
    int fd = tw_mem_free_fd(fs);

    if (result) {
        return result;
    }
    if (fd < 0) {
        return fd; /* before a file is made for nothing */
    }
    if (flags & TW_O_PATH_ONLY) {
        flags &= TW_O_PATH_ONLY | TW_O_DIRECTORY;
    }
    if (place.node) {
        if ((flags & (TW_O_CREAT | TW_O_EXCL)) == (TW_O_CREAT | TW_O_EXCL)) {
            return -LINUX_EEXIST;
        }
        result = may_open(place.node, flags);
    } else if (!(flags & TW_O_CREAT)) {
        return -LINUX_ENOENT;
    } else if (flags & TW_O_DIRECTORY) {
        return -LINUX_EINVAL;
    } else {
        result = make(fs, dir, path, S_IFREG | (mode & TW_MEM_MODE_BITS), NULL,
                      &place.node);
    }
    if (result) {
        return result;
    }
    tw_mem_open_node(fs, fd, place.node, flags);
    if (flags & TW_O_TRUNC && place.node->contents.size) {
        tw_mem_resize(&place.node->contents, &fs->tree.room, 0);
        tw_mem_node_changed(place.node);
    }
    return fd;
}

static int stat_locked(TwMemFs *fs, int dir, const char *path, TwHostStat *out)
{
    TwMemPlace place;
    int result = tw_mem_look_path(fs, dir, path, &place);

    if (result == 0 && !place.node) {
        return -LINUX_ENOENT;
    }
    if (result == 0) {
        tw_mem_node_stat(place.node, out);
    }
    return result;
}

static int unlink_locked(TwMemFs *fs, int dir, const char *path, bool is_folder)
{
    TwMemPlace place;
    int result = tw_mem_look_existing(fs, dir, path, &place);

    if (result) {
        return result;
    }
    if (!place.name) {
        return is_folder ? -LINUX_EINVAL : -LINUX_EISDIR;
    }
    if (is_folder != tw_mem_is_folder(place.node)) {
        return is_folder ? -LINUX_ENOTDIR : -LINUX_EISDIR;
    }
    if (is_folder && place.node->first) {
        return -LINUX_ENOTEMPTY;
    }
    tw_mem_name_remove(&fs->tree, place.name);
    return 0;
}

/* Returns 0, or the error with which rename() refuses the two places. */
static int may_rename(const TwMemPlace *from, const TwMemPlace *to)
{
    bool is_folder = tw_mem_is_folder(from->node);

    if (tw_mem_top_of(from->folder) != tw_mem_top_of(to->folder)) {
        return -LINUX_EXDEV;
    }
    if (is_folder && tw_mem_is_below(to->folder, from->node)) {
        return -LINUX_EINVAL;
    }
    if (!to->node) {
        return is_folder && from->folder != to->folder &&
                       to->folder->links >= MAX_LINKS
                   ? -LINUX_EMLINK
                   : 0;
    }
    if (tw_mem_is_folder(to->node) && tw_mem_is_below(from->folder, to->node)) {
        return -LINUX_ENOTEMPTY;
    }
    if (is_folder != tw_mem_is_folder(to->node)) {
        return is_folder ? -LINUX_ENOTDIR : -LINUX_EISDIR;
    }
    return to->node->first ? -LINUX_ENOTEMPTY : 0;
}

static int rename_locked(TwMemFs *fs, int dir, const char *path, int new_dir,
                         const char *new_path)
{
    TwMemTree *tree = &fs->tree;
    TwMemPlace from, to;
    int result;

    if (!strcmp(path, ".") || !strcmp(new_path, ".")) {
        return -LINUX_EBUSY;
    }
    result = tw_mem_look_existing(fs, dir, path, &from);
    result = result ? result : tw_mem_look(fs, new_dir, new_path, &to);
    if (result == 0 && from.node == to.node) {
        return 0; /* POSIX: also if the two are names of one file */
    }
    result = result ? result : may_rename(&from, &to);
    if (result) {
        return result;
    }
    /*
     * The new name comes first: if there is no memory for it, nothing is lost.
     */
    if (!tw_mem_name_add(tree, to.folder, new_path, from.node)) {
        return -LINUX_ENOMEM;
    }
    tw_mem_name_remove(tree, from.name);
    if (to.name) {
        tw_mem_name_remove(tree, to.name);
    }
    return 0;
}

static int link_locked(TwMemFs *fs, int dir, const char *path, int new_dir,
                       const char *new_path)
{
    TwMemPlace from, to;
    int result = tw_mem_look_existing(fs, dir, path, &from);

    if (result == 0) {
        result = tw_mem_look_free(fs, new_dir, new_path, &to);
    }
    if (result) {
        return result;
    }
    if (tw_mem_is_folder(from.node)) {
        return -LINUX_EPERM;
    }
    if (tw_mem_top_of(from.folder) != tw_mem_top_of(to.folder)) {
        return -LINUX_EXDEV;
    }
    if (from.node->links >= MAX_LINKS) {
        return -LINUX_EMLINK;
    }
    return tw_mem_name_add(&fs->tree, to.folder, new_path, from.node)
               ? 0
               : -LINUX_ENOMEM;
}

static int symlink_locked(TwMemFs *fs, const char *target, int dir,
                          const char *path)
{
    TwMemNode *made;

    if (!*target) {
        return -LINUX_ENOENT;
    }
    if (strlen(target) > MAX_TARGET) {
        return -LINUX_ENAMETOOLONG;
    }
    return make(fs, dir, path, S_IFLNK | LINK_MODE, target, &made);
}

static int readlink_locked(TwMemFs *fs, int dir, const char *path, char *buf,
                           int size)
{
    TwMemPlace place;
    int result = tw_mem_look_existing(fs, dir, path, &place);
    int length;

    if (size <= 0) {
        return -LINUX_EINVAL;
    }
    if (result) {
        return result;
    }
    if (!place.node->target) {
        return -LINUX_EINVAL;
    }
    length = (int)strlen(place.node->target);
    length = length < size ? length : size;
    memcpy(buf, place.node->target, (size_t)length);
    return length;
}

static int utimes_locked(TwMemFs *fs, int dir, const char *path, double atime,
                         double mtime)
{
    TwMemPlace place;
    int result = tw_mem_look_existing(fs, dir, path, &place);

    if (result) {
        return result;
    }
    /* To the microsecond, as on a host: a double has no more. */
    place.node->atime = (int64_t)(atime * 1e6) * 1000;
    place.node->mtime = (int64_t)(mtime * 1e6) * 1000;
    place.node->ctime = tw_mem_now();
    return 0;
}

TW_FOR_RUNNER int tw_mem_open(int dir, const char *path, int flags, int mode)
{
    TW_MEM_LOCKED(int, open_locked(fs, dir, path, flags, mode));
}

TW_FOR_RUNNER int tw_mem_stat(int dir, const char *path, TwHostStat *out)
{
    TW_MEM_LOCKED(int, stat_locked(fs, dir, path, out));
}

TW_FOR_RUNNER int tw_mem_mkdir(int dir, const char *path, int mode)
{
    TwMemNode *made;

    TW_MEM_LOCKED(int, make(fs, dir, path, S_IFDIR | (mode & TW_MEM_MODE_BITS),
                            NULL, &made));
}

int tw_mem_unlink(int dir, const char *path, int is_folder)
{
    TW_MEM_LOCKED(int, unlink_locked(fs, dir, path, is_folder != 0));
}

int tw_mem_rename(int dir, const char *path, int new_dir, const char *new_path)
{
    TW_MEM_LOCKED(int, rename_locked(fs, dir, path, new_dir, new_path));
}

int tw_mem_link(int dir, const char *path, int new_dir, const char *new_path)
{
    TW_MEM_LOCKED(int, link_locked(fs, dir, path, new_dir, new_path));
}

TW_FOR_RUNNER int tw_mem_symlink(const char *target, int dir, const char *path)
{
    TW_MEM_LOCKED(int, symlink_locked(fs, target, dir, path));
}

TW_FOR_RUNNER int tw_mem_readlink(int dir, const char *path, char *buf,
                                  int size)
{
    TW_MEM_LOCKED(int, readlink_locked(fs, dir, path, buf, size));
}

TW_FOR_RUNNER int tw_mem_utimes(int dir, const char *path, double atime,
                                double mtime)
{
    TW_MEM_LOCKED(int, utimes_locked(fs, dir, path, atime, mtime));
}
