/*
 * Whether memfs counts what it has: see memfs-check.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memfs-alloc.h"
#include "memfs-check.h"

enum { MAX_NODES = 4096, SECTOR = 512 };

/* A node that the walk came to. */
typedef struct Node {
    TwHostStat stat;
    long links; /* that the walk found */
} Node;

typedef struct Walk {
    Node nodes[MAX_NODES];
    int n;
} Walk;

Account account_of(int fd)
{
    TwHostStatfs fs;

    same("statfs", tw_mem_statfs(fd, &fs), 0);
    return (Account){
        .nodes = fs.files - fs.ffree,
        .pages = fs.blocks - fs.bfree,
        .blocks = alloc_live(),
    };
}

void same_account(const char *what, Account own, Account expected)
{
    char text[200];

    snprintf(text, sizeof(text), "nodes after %s", what);
    same(text, (long)own.nodes, (long)expected.nodes);
    snprintf(text, sizeof(text), "pages after %s", what);
    same(text, (long)own.pages, (long)expected.pages);
    snprintf(text, sizeof(text), "allocated blocks after %s", what);
    same(text, own.blocks, expected.blocks);
}

uint8_t *list_of(int fd, int *size)
{
    int asked = tw_mem_list(fd, NULL, 0);
    uint8_t *list = malloc((size_t)asked);

    *size = tw_mem_list(fd, list, asked);
    same("size of a list", *size, asked);
    return list;
}

const uint8_t *next_name(const uint8_t *at, char name[NAME_SIZE])
{
    size_t length = at[1] | (size_t)at[2] << 8;

    memcpy(name, at + 3, length);
    name[length] = 0;
    return at + 3 + length;
}

static bool is_dots(const char *name)
{
    return !strcmp(name, ".") || !strcmp(name, "..");
}

/* The node of that number, which the walk may have come to before. */
static Node *node_of(Walk *walk, const TwHostStat *stat)
{
    for (int i = 0; i < walk->n; i++) {
        if (walk->nodes[i].stat.ino == stat->ino) {
            return &walk->nodes[i];
        }
    }
    if (walk->n == MAX_NODES) {
        same("nodes", MAX_NODES, MAX_NODES - 1);
    }
    walk->nodes[walk->n] = (Node){ .stat = *stat };
    return &walk->nodes[walk->n++];
}

static Node *node_of_open(Walk *walk, int fd)
{
    TwHostStat stat;

    same("fstat", tw_mem_fstat(fd, &stat), 0);
    return node_of(walk, &stat);
}

/*
 * A folder has a link by its own ".", and one by the ".." of each folder in it.
 */
static void walk_folder(Walk *walk, int fd, Node *folder)
{
    int size;
    uint8_t *list = list_of(fd, &size);
    char name[NAME_SIZE];

    folder->links++;
    for (const uint8_t *at = list; at < list + size;) {
        TwHostStat stat;
        Node *node;

        at = next_name(at, name);
        if (is_dots(name)) {
            continue;
        }
        same("stat", tw_mem_stat(fd, name, &stat), 0);
        node = node_of(walk, &stat);
        node->links++;
        if (S_ISDIR(stat.mode)) {
            int below = tw_mem_open(fd, name, O_RDONLY | O_DIRECTORY, 0);

            same("open", tw_is_memfd(below), true);
            folder->links++;
            walk_folder(walk, below, node);
            same("close", tw_mem_close(below), 0);
        }
    }
    free(list);
}

void check_account(const int *roots, const int *open, int n)
{
    static Walk walk;
    Account own = account_of(roots[0]);
    int64_t sectors = 0;

    walk.n = 0;
    for (int i = 0; i < ROOTS; i++) {
        Node *root = node_of_open(&walk, roots[i]);

        root->links++; /* by the path that it is mounted at */
        walk_folder(&walk, roots[i], root);
    }
    for (int i = 0; i < n; i++) {
        if (open[i] >= 0) {
            node_of_open(&walk, open[i]);
        }
    }
    for (int i = 0; i < walk.n; i++) {
        sectors += walk.nodes[i].stat.blocks;
        same("links of a node", (long)walk.nodes[i].stat.nlink,
             walk.nodes[i].links);
    }
    same("nodes", (long)own.nodes, walk.n);
    same("pages", (long)own.pages, (long)(sectors * SECTOR / TW_MEM_PAGE));
}

void remove_all(int fd)
{
    int size;
    uint8_t *list = list_of(fd, &size);
    char name[NAME_SIZE];

    for (const uint8_t *at = list; at < list + size;) {
        TwHostStat stat;

        at = next_name(at, name);
        if (is_dots(name)) {
            continue;
        }
        same("stat", tw_mem_stat(fd, name, &stat), 0);
        if (S_ISDIR(stat.mode)) {
            int below = tw_mem_open(fd, name, O_RDONLY | O_DIRECTORY, 0);

            remove_all(below);
            same("close", tw_mem_close(below), 0);
        }
        same("remove", tw_mem_unlink(fd, name, S_ISDIR(stat.mode)), 0);
    }
    free(list);
}
