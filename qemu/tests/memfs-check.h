/*
 * What the parts of the memfs tests share.
 *
 *   memfs-check.c   random calls, compared with the kernel's answers
 *   memfs-limits.c  limits that the kernel does not have
 *   memfs-audit.c   whether memfs counts what it has
 *   memfs-alloc.c   an allocator that fails on request
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MEMFS_CHECK_H
#define MEMFS_CHECK_H

#include <stdint.h>

#include "memfs.h"

enum { ROOTS = 2, NAME_SIZE = 256 };

#define ROOT "/shares/one"
#define OTHER_ROOT "/shares/two"

/* Ends the program unless memfs's answer @own is the expected one. */
void same(const char *what, long own, long expected);

/* memfs-audit.c */

typedef struct Account {
    int64_t nodes; /* files, folders and links */
    int64_t pages;
    long blocks; /* of the allocator */
} Account;

/* What memfs says that it uses; @fd is any of its descriptors. */
Account account_of(int fd);

void same_account(const char *what, Account own, Account expected);

/*
 * Compares memfs's counts of nodes, pages and links with a walk through the
 * folders of @roots. @open has @n other descriptors, or -1 in their place: what
 * was removed while it is open exists, too.
 */
void check_account(const int *roots, const int *open, int n);

/* The names in a folder, to be freed; their size in bytes goes to *@size. */
uint8_t *list_of(int fd, int *size);

/* Copies the name at @at, which ends with a zero then; returns the next one. */
const uint8_t *next_name(const uint8_t *at, char name[NAME_SIZE]);

/* Removes everything in a folder. */
void remove_all(int fd);

/*
 * Makes a call until no allocation is left that could fail: in the first round
 * its first allocation fails, in the second round its second one, and so on. A
 * call that fails so must say ENOMEM and change nothing. @fd: see account_of().
 */
#define FAIL_EACH_ALLOCATION(result, fd, call) \
    do { \
        Account before = account_of(fd); \
        for (long nth = 1;; nth++) { \
            alloc_fail_at(nth); \
            (result) = (call); \
            if (!alloc_failed()) { \
                break; \
            } \
            same(#call " without memory", (result), -ENOMEM); \
            same_account(#call " without memory", account_of(fd), before); \
        } \
    } while (0)

/* memfs-limits.c; the roots are empty before and after. */
void check_limits(const int *roots);

#endif
