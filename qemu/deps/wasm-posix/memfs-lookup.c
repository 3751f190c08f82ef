/*
 * Mounts, open files and places: see memfs-lookup.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "linux-errno.h"
#include "memfs-lookup.h"

enum { MAX_NAME = 255, MOUNT_MODE = S_IFDIR | 0755 };

int tw_mem_mount_at(TwMemFs *fs, const char *path)
{
    TwMemMount *mount = fs->mounts;
    TwMemMount *end = fs->mounts + TW_MEM_MOUNTS;
    TwMemNode *top;
    char *copy;

    for (; mount < end && mount->path; mount++) {
        if (!strcmp(mount->path, path)) {
            return -LINUX_EEXIST;
        }
    }
    if (mount == end) {
        return -LINUX_ENOSPC;
    }
    top = tw_mem_node_new(&fs->tree, MOUNT_MODE, NULL);
    if (!top) {
        return -LINUX_ENOMEM;
    }
    copy = strdup(path);
    if (!copy) {
        tw_mem_node_release(&fs->tree, top);
        return -LINUX_ENOMEM;
    }
    top->links = 2; /* the mount, and its "." */
    top->parent = top;
    *mount = (TwMemMount){ .path = copy, .top = top };
    return 0;
}

TwMemOpen *tw_mem_open_of(TwMemFs *fs, int fd)
{
    TwMemOpen *file = tw_is_memfd(fd) ? &fs->open[fd - TW_MEMFD_BASE] : NULL;

    return file && file->node ? file : NULL;
}

int tw_mem_free_fd(const TwMemFs *fs)
{
    for (int i = 0; i < TW_MEMFD_MAX; i++) {
        if (!fs->open[i].node) {
            return TW_MEMFD_BASE + i;
        }
    }
    return -LINUX_EMFILE;
}

void tw_mem_open_node(TwMemFs *fs, int fd, TwMemNode *node, int flags)
{
    fs->open[fd - TW_MEMFD_BASE] = (TwMemOpen){ .node = node, .flags = flags };
    node->open++;
}

void tw_mem_close_node(TwMemFs *fs, TwMemOpen *file)
{
    TwMemNode *node = file->node;

    *file = (TwMemOpen){ 0 };
    node->open--;
    tw_mem_node_release(&fs->tree, node);
}

int tw_mem_look(TwMemFs *fs, int dir, const char *text, TwMemPlace *place)
{
    TwMemOpen *file = tw_mem_open_of(fs, dir);

    *place = (TwMemPlace){ 0 };
    if (!file) {
        return -LINUX_EBADF;
    }
    place->folder = file->node;
    if (!tw_mem_is_folder(place->folder)) {
        return -LINUX_ENOTDIR;
    }
    if (strchr(text, '/') || !strcmp(text, "..")) {
        return -LINUX_EACCES;
    }
    if (!*text) {
        return -LINUX_ENOENT;
    }
    if (!strcmp(text, ".")) {
        place->node = place->folder;
        return 0;
    }
    if (!place->folder->links) {
        return -LINUX_ENOENT; /* the folder was removed while it is open */
    }
    if (strlen(text) > MAX_NAME) {
        return -LINUX_ENAMETOOLONG;
    }
    place->name = tw_mem_name_find(&fs->tree, place->folder, text);
    place->node = place->name ? place->name->node : NULL;
    return 0;
}

int tw_mem_look_path(TwMemFs *fs, int dir, const char *path, TwMemPlace *place)
{
    if (dir != TW_NOWHERE) {
        return tw_mem_look(fs, dir, path, place);
    }
    *place = (TwMemPlace){ 0 };
    for (int i = 0; i < TW_MEM_MOUNTS && fs->mounts[i].path; i++) {
        if (!strcmp(fs->mounts[i].path, path)) {
            place->node = fs->mounts[i].top;
            return 0;
        }
    }
    return TW_NOT_LIVE;
}

int tw_mem_look_existing(TwMemFs *fs, int dir, const char *text,
                         TwMemPlace *place)
{
    int result = tw_mem_look(fs, dir, text, place);

    return result == 0 && !place->node ? -LINUX_ENOENT : result;
}

int tw_mem_look_free(TwMemFs *fs, int dir, const char *text, TwMemPlace *place)
{
    int result = tw_mem_look(fs, dir, text, place);

    return result == 0 && place->node ? -LINUX_EEXIST : result;
}
