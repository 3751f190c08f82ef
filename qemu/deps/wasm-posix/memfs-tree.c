/*
 * Nodes and names: see memfs-tree.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "memfs-tree.h"
#include "memfs.h"

enum {
    DEVICE = 0x746c,
    FOLDER_SIZE = 4096,
    SECTOR = 512,
};

#define NS_PER_S INT64_C(1000000000)

int64_t tw_mem_now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec * NS_PER_S + time.tv_nsec;
}

bool tw_mem_is_folder(const TwMemNode *node)
{
    return S_ISDIR(node->mode);
}

bool tw_mem_is_below(const TwMemNode *folder, const TwMemNode *above)
{
    while (folder != above && folder->parent != folder) {
        folder = folder->parent;
    }
    return folder == above;
}

const TwMemNode *tw_mem_top_of(const TwMemNode *folder)
{
    while (folder->parent != folder) {
        folder = folder->parent;
    }
    return folder;
}

TwMemNode *tw_mem_node_new(TwMemTree *tree, int mode, const char *target)
{
    TwMemNode *node = calloc(1, sizeof(*node));

    if (!node) {
        return NULL;
    }
    if (target) {
        node->target = strdup(target);
        if (!node->target) {
            free(node);
            return NULL;
        }
    }
    node->id = ++tree->last_id;
    node->mode = mode;
    tw_mem_node_changed(node);
    node->atime = node->mtime;
    tree->nodes++;
    return node;
}

void tw_mem_node_release(TwMemTree *tree, TwMemNode *node)
{
    if (node->links || node->open) {
        return;
    }
    tw_mem_resize(&node->contents, &tree->room, 0);
    free(node->target);
    free(node);
    tree->nodes--;
}

void tw_mem_node_changed(TwMemNode *node)
{
    node->mtime = node->ctime = tw_mem_now();
}

void tw_mem_node_stat(const TwMemNode *node, TwHostStat *out)
{
    int64_t size = tw_mem_is_folder(node) ? FOLDER_SIZE
                   : node->target         ? (int64_t)strlen(node->target)
                                          : node->contents.size;

    *out = (TwHostStat){
        .dev = DEVICE,
        .mode = node->mode,
        .nlink = node->links,
        .size = size,
        .blksize = TW_MEM_PAGE,
        .blocks = node->contents.used * (TW_MEM_PAGE / SECTOR),
        .atime_ns = node->atime,
        .mtime_ns = node->mtime,
        .ctime_ns = node->ctime,
        .ino = node->id,
    };
}

/* FNV-1a of the text. The folder's number changes the offset basis. */
static size_t bucket_of(const TwMemNode *folder, const char *text,
                        size_t length)
{
    uint32_t hash = 2166136261u ^ (uint32_t)folder->id;

    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (uint8_t)text[i]) * 16777619u;
    }
    return (hash ^ hash >> 15) % TW_MEM_BUCKETS;
}

TwMemName *tw_mem_name_find(const TwMemTree *tree, const TwMemNode *folder,
                            const char *text)
{
    size_t length = strlen(text);
    TwMemName *name = tree->buckets[bucket_of(folder, text, length)];

    while (name && (name->folder != folder || name->length != length ||
                    memcmp(name->text, text, length))) {
        name = name->bucket_next;
    }
    return name;
}

bool tw_mem_name_add(TwMemTree *tree, TwMemNode *folder, const char *text,
                     TwMemNode *node)
{
    size_t length = strlen(text);
    TwMemName **head = &tree->buckets[bucket_of(folder, text, length)];
    TwMemName *name = malloc(sizeof(*name) + length);

    if (!name) {
        return false;
    }
    *name = (TwMemName){
        .folder = folder,
        .node = node,
        .bucket_next = *head,
        .prev = folder->last,
        .length = length,
    };
    memcpy(name->text, text, length);
    *head = name;
    *(folder->last ? &folder->last->next : &folder->first) = name;
    folder->last = name;
    node->links++;
    if (tw_mem_is_folder(node)) {
        node->parent = folder;
        node->links++;   /* its "." */
        folder->links++; /* its ".." */
    }
    tw_mem_node_changed(folder);
    node->ctime = folder->ctime;
    return true;
}

void tw_mem_name_remove(TwMemTree *tree, TwMemName *name)
{
    TwMemNode *folder = name->folder;
    TwMemNode *node = name->node;
    TwMemName **at =
        &tree->buckets[bucket_of(folder, name->text, name->length)];

    while (*at != name) {
        at = &(*at)->bucket_next;
    }
    *at = name->bucket_next;
    *(name->prev ? &name->prev->next : &folder->first) = name->next;
    *(name->next ? &name->next->prev : &folder->last) = name->prev;
    free(name);
    node->links--;
    if (tw_mem_is_folder(node)) {
        node->links--;
        folder->links--;
    }
    tw_mem_node_changed(folder);
    node->ctime = folder->ctime;
    tw_mem_node_release(tree, node);
}
