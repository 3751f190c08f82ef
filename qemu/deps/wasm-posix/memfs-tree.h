/*
 * The tree of memfs.h: nodes and their names.
 *
 * A node is a file, a folder or a link. A name leads from a folder to a node.
 * Each name is in its folder's list, in the order in which the names were made,
 * and in one hash table for all folders. A node exists as long as it has a name
 * or is open.
 *
 * No function here locks: memfs-lock.c has the lock, which each call holds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_MEMFS_TREE_H
#define TW_MEMFS_TREE_H

#include <stdbool.h>

#include "hostfs.h"
#include "memfs-contents.h"

enum {
    TW_MEM_BUCKETS = 1 << 14,
    TW_MEM_MODE_BITS = 01777, /* of chmod(): there are no set-user-ID bits */
};

typedef struct TwMemNode TwMemNode;
typedef struct TwMemName TwMemName;

struct TwMemName {
    TwMemNode *folder;
    TwMemNode *node;
    TwMemName *bucket_next;
    TwMemName *prev, *next; /* in the folder's list */
    size_t length;
    char text[]; /* without a zero at its end */
};

struct TwMemNode {
    int64_t id;
    int mode;
    int links; /* names, and of a folder its "." and the ".." below it */
    int open;  /* descriptors */
    int64_t atime, mtime, ctime; /* ns since 1970 */
    TwMemContents contents;      /* of a file */
    char *target;                /* of a link */
    TwMemNode *parent;           /* of a folder; itself at the top */
    TwMemName *first, *last;     /* a folder's names */
};

typedef struct TwMemTree {
    TwMemRoom room;
    int64_t last_id;
    int64_t nodes; /* that exist */
    TwMemName *buckets[TW_MEM_BUCKETS];
} TwMemTree;

/* The time, in ns since 1970. */
int64_t tw_mem_now(void);

bool tw_mem_is_folder(const TwMemNode *node);

/* Whether @folder is @above or below it. */
bool tw_mem_is_below(const TwMemNode *folder, const TwMemNode *above);

/* The mounted folder that @folder is below. */
const TwMemNode *tw_mem_top_of(const TwMemNode *folder);

/*
 * A node without a name; NULL if there is no memory. A link has a @target, of
 * which the node gets a copy.
 */
TwMemNode *tw_mem_node_new(TwMemTree *tree, int mode, const char *target);

/* Frees the node if it has no name and is not open. */
void tw_mem_node_release(TwMemTree *tree, TwMemNode *node);

/* The contents or the names of the node have changed now. */
void tw_mem_node_changed(TwMemNode *node);

/* What stat() says of the node. */
void tw_mem_node_stat(const TwMemNode *node, TwHostStat *out);

/* The folder's name of that text, or NULL. */
TwMemName *tw_mem_name_find(const TwMemTree *tree, const TwMemNode *folder,
                            const char *text);

/* Gives the node a name in the folder; false if there is no memory. */
bool tw_mem_name_add(TwMemTree *tree, TwMemNode *folder, const char *text,
                     TwMemNode *node);

/* Frees the name, and its node unless that has another name or is open. */
void tw_mem_name_remove(TwMemTree *tree, TwMemName *name);

#endif
