/*
 * From a path or a descriptor to a node: the mounts and the open files of
 * memfs.h.
 *
 * The functions that can fail return 0 or minus an error number of Linux.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_MEMFS_LOOKUP_H
#define TW_MEMFS_LOOKUP_H

#include "memfs-tree.h"
#include "memfs.h"

/* The flags of open(), as hostfs.js has them. */
enum {
    TW_O_ACCESS = 3,
    TW_O_RDONLY = 0,
    TW_O_WRONLY = 1,
    TW_O_CREAT = 0100,
    TW_O_EXCL = 0200,
    TW_O_TRUNC = 01000,
    TW_O_APPEND = 02000,
    TW_O_DIRECTORY = 0200000,
    TW_O_PATH_ONLY = 010000000,
};

/* What a descriptor stands for; without a node it is free. */
typedef struct TwMemOpen {
    TwMemNode *node;
    int flags; /* TW_O_ */
} TwMemOpen;

typedef struct TwMemMount {
    char *path;
    TwMemNode *top;
} TwMemMount;

/* One file system. */
typedef struct TwMemFs {
    TwMemTree tree;
    TwMemMount mounts[TW_MEM_MOUNTS];
    TwMemOpen open[TW_MEMFD_MAX];
} TwMemFs;

/* A place in the tree, which a node may be at. */
typedef struct TwMemPlace {
    TwMemNode *folder; /* NULL for the path of a mount */
    TwMemName *name;   /* NULL if there is none yet, and for "." */
    TwMemNode *node;   /* NULL if there is none yet */
} TwMemPlace;

/* Mounts a new folder. */
int tw_mem_mount_at(TwMemFs *fs, const char *path);

/* What is open as that descriptor, or NULL. */
TwMemOpen *tw_mem_open_of(TwMemFs *fs, int fd);

/* A free descriptor, or minus an error number. */
int tw_mem_free_fd(const TwMemFs *fs);

/* Opens the node as a free descriptor, and closes it. */
void tw_mem_open_node(TwMemFs *fs, int fd, TwMemNode *node, int flags);
void tw_mem_close_node(TwMemFs *fs, TwMemOpen *file);

/*
 * The place of the name @text, or of ".", in the folder that is open as @dir.
 */
int tw_mem_look(TwMemFs *fs, int dir, const char *text, TwMemPlace *place);

/* The same; with TW_NOWHERE as @dir a mount's path, or TW_NOT_LIVE. */
int tw_mem_look_path(TwMemFs *fs, int dir, const char *path, TwMemPlace *place);

/* As tw_mem_look(), but ENOENT if no node is there. */
int tw_mem_look_existing(TwMemFs *fs, int dir, const char *text,
                         TwMemPlace *place);

/* As tw_mem_look(), but EEXIST if a node is there. */
int tw_mem_look_free(TwMemFs *fs, int dir, const char *text, TwMemPlace *place);

#endif
