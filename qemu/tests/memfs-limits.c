/*
 * Limits that memfs has and the kernel has not, or not the same: see
 * memfs-check.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "memfs-alloc.h"
#include "memfs-check.h"

enum { MAX_LINKS = 32000, EVERYTHING = 1 << 30 };

static void check_paths(const int *roots)
{
    TwHostStat st;

    same("mount it twice", tw_mem_mount(ROOT), -EEXIST);
    same("open what is not mounted",
         tw_mem_open(TW_NOWHERE, "/shares", O_RDONLY, 0), TW_NOT_LIVE);
    same("stat what is not mounted", tw_mem_stat(TW_NOWHERE, "/shares/", &st),
         TW_NOT_LIVE);
    same("open ..", tw_mem_open(roots[0], "..", O_RDONLY, 0), -EACCES);
    same("mkdir", tw_mem_mkdir(roots[1], "there", 0700), 0);
    same("rename to another mount",
         tw_mem_rename(roots[1], "there", roots[0], "here"), -EXDEV);
    same("rmdir", tw_mem_unlink(roots[1], "there", true), 0);
}

static void check_attributes(int root)
{
    TwHostStat st;
    int fd = tw_mem_open(root, "file", O_RDWR | O_CREAT, 07777);

    same("fstat", tw_mem_fstat(fd, &st), 0);
    same("mode", st.mode, S_IFREG | 01777);
    same("utimes", tw_mem_utimes(root, "file", 1.5, -2.25), 0);
    same("stat", tw_mem_stat(root, "file", &st), 0);
    same("atime", st.atime_ns, 1500000000);
    same("mtime", st.mtime_ns, -2250000000);
    same("unlink", tw_mem_unlink(root, "file", false), 0);
    same("fsync", tw_mem_sync(fd, false), 0);
    same("close", tw_mem_close(fd), 0);
    same("close it twice", tw_mem_close(fd), -EBADF);
    same("fsync what is closed", tw_mem_sync(fd, false), -EBADF);
}

static void check_size_of_a_file(int root)
{
    char byte = 1;
    struct iovec iov = { &byte, 1 };
    int fd = tw_mem_open(root, "big", O_RDWR | O_CREAT, 0600);

    same("make a hole", tw_mem_truncate(fd, 1e13), 0);
    same("write beyond", (long)tw_mem_write(fd, &iov, 1, 1e12), -EFBIG);
    same("unlink", tw_mem_unlink(root, "big", false), 0);
    same("close", tw_mem_close(fd), 0);
}

/* One page is left, and then none. */
static void check_room(int root)
{
    static char page[TW_MEM_PAGE];
    struct iovec two[] = { { page, 100 }, { page, sizeof(page) } };
    TwHostStatfs room;
    TwHostStat st;
    Account full;
    int fd = tw_mem_open(root, "file", O_RDWR | O_CREAT, 0600);

    tw_mem_set_limit(TW_MEM_PAGE);
    same("write with one page left",
         (long)tw_mem_write(fd, two, 1, TW_MEM_PAGE - 50), 50);
    full = account_of(fd);
    same("pages", (long)full.pages, 1);
    same("write without room", (long)tw_mem_write(fd, two, 1, 1 << 20),
         -ENOSPC);
    same_account("a write without room", account_of(fd), full);
    same("utimes", tw_mem_utimes(root, "file", 0, 0), 0);
    same("write two pieces, with room for one",
         (long)tw_mem_write(fd, two, 2, TW_MEM_PAGE - 100), 100);
    same("fstat", tw_mem_fstat(fd, &st), 0);
    same("mtime after half a write", st.mtime_ns > 0, true);
    tw_mem_set_limit(0);
    same("statfs", tw_mem_statfs(fd, &room), 0);
    same("free pages below a limit that is exceeded", (long)room.bfree, 0);
    same("pages below a limit that is exceeded", (long)room.blocks, 1);
    tw_mem_set_limit(TW_MEM_PAGE);
    same("make room", tw_mem_truncate(fd, 0), 0);
    same("write again", (long)tw_mem_write(fd, two, 1, 1 << 20), 100);
    same("unlink", tw_mem_unlink(root, "file", false), 0);
    same("close", tw_mem_close(fd), 0);
    tw_mem_set_limit(EVERYTHING);
}

/* A file that cannot be opened for want of a descriptor is not made, either. */
static void check_descriptors(int root)
{
    static int fds[TW_MEMFD_MAX];
    TwHostStat st;
    int n = 0, got;

    while ((got = tw_mem_open(root, ".", O_RDONLY, 0)) >= 0) {
        fds[n++] = got;
    }
    same("open without a descriptor", got, -EMFILE);
    same("make a file without a descriptor",
         tw_mem_open(root, "new", O_RDWR | O_CREAT, 0600), -EMFILE);
    same("stat a file that was not made", tw_mem_stat(root, "new", &st),
         -ENOENT);
    same("open what is not mounted",
         tw_mem_open(TW_NOWHERE, "/elsewhere", O_RDONLY, 0), TW_NOT_LIVE);
    while (n > 0) {
        same("close", tw_mem_close(fds[--n]), 0);
    }
}

static void check_links(int root)
{
    char name[32];
    int many, other;

    same("mkdir", tw_mem_mkdir(root, "many", 0700), 0);
    same("mkdir", tw_mem_mkdir(root, "other", 0700), 0);
    many = tw_mem_open(root, "many", O_RDONLY, 0);
    other = tw_mem_open(root, "other", O_RDONLY, 0);
    same("symlink", tw_mem_symlink("x", root, "link"), 0);
    for (int i = 2; i < MAX_LINKS; i++) {
        snprintf(name, sizeof(name), "folder %d", i);
        same("mkdir", tw_mem_mkdir(many, name, 0700), 0);
        snprintf(name, sizeof(name), "link %d", i);
        same("link", tw_mem_link(root, "link", other, name), 0);
    }
    same("link", tw_mem_link(root, "link", other, "last"), 0);
    same("link once more", tw_mem_link(root, "link", other, "more"), -EMLINK);
    same("make one folder more", tw_mem_mkdir(many, "more", 0700), -EMLINK);
    same("move one folder more to it",
         tw_mem_rename(root, "other", many, "more"), -EMLINK);
    same("rename a folder within it",
         tw_mem_rename(many, "folder 2", many, "renamed"), 0);
    same("move a folder from it",
         tw_mem_rename(many, "renamed", root, "renamed"), 0);
    same("move a folder to it",
         tw_mem_rename(root, "renamed", many, "folder 2"), 0);
    same("mkdir", tw_mem_mkdir(root, "instead", 0700), 0);
    same("put a folder in another's place",
         tw_mem_rename(root, "instead", many, "folder 2"), 0);
    same("close", tw_mem_close(many), 0);
    same("close", tw_mem_close(other), 0);
    remove_all(root);
}

/* Ends with all the mounts that there can be. */
static void check_mounts(int root)
{
    Account before = account_of(root), after;
    char path[32];
    int result = 0;

    FAIL_EACH_ALLOCATION(result, root, tw_mem_mount("/shares/three"));
    same("mount", result, 0);
    after = account_of(root);
    same("nodes of a mount", (long)(after.nodes - before.nodes), 1);
    for (int i = ROOTS + 1; i < TW_MEM_MOUNTS; i++) {
        snprintf(path, sizeof(path), "/shares/number %d", i);
        same("mount", tw_mem_mount(path), 0);
    }
    after = account_of(root);
    same("one mount more", tw_mem_mount("/shares/more"), -ENOSPC);
    same_account("one mount more", account_of(root), after);
}

/* The buffer is never freed. */
static void check_buffer(void)
{
    char *buffer;

    alloc_fail_at(1);
    same("a buffer without memory", tw_mem_buffer(100) == NULL, true);
    same("failed", alloc_failed(), true);
    buffer = tw_mem_buffer(100);
    same("a buffer", buffer != NULL, true);
    memset(buffer, 1, 100);
    same("a smaller buffer is the same", tw_mem_buffer(50) == buffer, true);
    buffer = tw_mem_buffer(1 << 20);
    memset(buffer, 1, 1 << 20);
}

void check_limits(const int *roots)
{
    Account empty = account_of(roots[0]);

    check_paths(roots);
    check_attributes(roots[1]);
    check_size_of_a_file(roots[1]);
    check_room(roots[1]);
    check_descriptors(roots[1]);
    check_links(roots[1]);
    check_account(roots, NULL, 0);
    same_account("the checks of limits", account_of(roots[0]), empty);
    check_mounts(roots[0]);
    check_buffer();
}
