/*
 * Checks from inside Wasm what hostfs.h promises. test_hostfs.py prepares the
 * folder that is the first argument, allows some paths in it, and looks at the
 * folder afterwards.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define CHECK(what) \
    do { \
        if (!(what)) { \
            printf("line %d: %s (errno %d)\n", __LINE__, #what, errno); \
            exit(1); \
        } \
    } while (0)
#define FAILS(call, error) \
    do { \
        errno = 0; \
        CHECK((call) == -1 && errno == (error)); \
    } while (0)

enum { ENTRIES = 300 };

static const off_t far = (off_t)5 << 30;
static const char *base;

static int open_at_base(const char *name, int flags)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", base, name);
    return open(path, flags);
}

static void *other_thread(void *opaque)
{
    int fd = *(int *)opaque;
    char text[6] = "";

    CHECK(pread(fd, text, 5, far) == 5 && !strcmp(text, "hello"));
    CHECK(close(fd) == 0);
    return NULL;
}

static void check_files(void)
{
    pthread_t thread;
    struct stat st;
    char text[8] = "";
    int fd = open_at_base("image", O_RDWR);

    CHECK(fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode));
    CHECK(st.st_size == (off_t)6 << 30 && lseek(fd, 0, SEEK_END) == st.st_size);
    CHECK(pwrite(fd, "hello", 5, far) == 5);
    FAILS(pread(fd, text, 1, -1), EINVAL);
    FAILS(pwrite(fd, "x", 1, -1), EINVAL);
    CHECK(fdatasync(fd) == 0 && fsync(fd) == 0);
    CHECK(lseek(fd, far, SEEK_SET) == far);
    CHECK(read(fd, text, 2) == 2 && read(fd, text + 2, 3) == 3);
    CHECK(!strcmp(text, "hello") && lseek(fd, 0, SEEK_CUR) == far + 5);
    CHECK(pthread_create(&thread, NULL, other_thread, &fd) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    FAILS(pread(fd, text, 1, 0), EBADF);

    FAILS(open_at_base("fixed", O_RDWR), EROFS);
    FAILS(open_at_base("fixed", O_RDONLY | O_TRUNC), EROFS);
    fd = open_at_base("fixed", O_RDONLY);
    CHECK(read(fd, text, 5) == 5 && !memcmp(text, "fixed", 5));
    FAILS(write(fd, "x", 1), EBADF);
    CHECK(close(fd) == 0);
    /* The runner did not allow this path. */
    FAILS(open_at_base("secret", O_RDONLY), ENOENT);
    /* emscripten still serves its own files. */
    CHECK((fd = open("/own", O_CREAT | O_RDWR, 0600)) >= 0);
    CHECK(write(fd, "own", 3) == 3 && stat("/own", &st) == 0 &&
          st.st_size == 3);
}

static void check_ways_out(int dir)
{
    char target[16];
    struct stat st;

    /* Only the folder itself is allowed by its path. */
    CHECK(fstatat(dir, "sub", &st, AT_SYMLINK_NOFOLLOW) == 0);
    FAILS(open_at_base("folder/sub", O_RDONLY), ENOENT);
    FAILS(openat(dir, "..", O_RDONLY), EACCES);
    FAILS(openat(dir, "../secret", O_RDONLY), EACCES);
    FAILS(openat(dir, "sub/x", O_RDONLY), EACCES);
    FAILS(fstatat(dir, "..", &st, AT_SYMLINK_NOFOLLOW), EACCES);
    FAILS(mkdirat(dir, "../new", 0700), EACCES);
    FAILS(renameat(dir, "sub", dir, "../sub"), EACCES);
    CHECK(symlinkat("../secret", dir, "out") == 0);
    FAILS(openat(dir, "out", O_RDONLY), ELOOP);
    CHECK(fstatat(dir, "out", &st, 0) == 0 && S_ISLNK(st.st_mode));
    CHECK(readlinkat(dir, "out", target, sizeof(target)) == 9);
    CHECK(!memcmp(target, "../secret", 9));
    FAILS(mknodat(dir, "device", S_IFBLK | 0600, 1), EPERM);
    FAILS(fchownat(dir, "out", 12, 13, AT_SYMLINK_NOFOLLOW), EPERM);
}

static void check_names(int dir)
{
    const struct timespec times[2] = { { 1000, 5000 }, { 0, UTIME_OMIT } };
    struct stat before, st;
    struct statfs fs;
    char proc[32];
    int fd, below;

    CHECK(mkdirat(dir, "sub", 0755) == 0);
    FAILS(mkdirat(dir, "sub", 0755), EEXIST);
    fd = openat(dir, "odd \xff\xc3\xa9", O_RDWR | O_CREAT | O_EXCL, 06755);
    CHECK(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0755);
    CHECK(ftruncate(fd, far) == 0 && fstat(fd, &st) == 0 && st.st_size == far);
    CHECK(close(fd) == 0);
    below = openat(dir, "sub", O_PATH | O_DIRECTORY | O_NOFOLLOW);
    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", below);
    CHECK(chmod(proc, 02700) == 0);
    CHECK(fstatat(dir, "sub", &before, AT_SYMLINK_NOFOLLOW) == 0);
    CHECK((before.st_mode & 07777) == 0700);
    CHECK(utimensat(dir, "sub", times, AT_SYMLINK_NOFOLLOW) == 0);
    CHECK(fstatat(dir, "sub", &st, AT_SYMLINK_NOFOLLOW) == 0);
    CHECK(st.st_atim.tv_sec == 1000);
    CHECK(st.st_mtim.tv_sec == before.st_mtim.tv_sec);
    CHECK(renameat(dir, "odd \xff\xc3\xa9", below, "moved") == 0);
    CHECK(linkat(below, "moved", dir, "hard", 0) == 0);
    FAILS(unlinkat(dir, "sub", AT_REMOVEDIR), ENOTEMPTY);
    FAILS(unlinkat(dir, "none", 0), ENOENT);
    CHECK(fstatfs(dir, &fs) == 0 && fs.f_bsize > 0 && fs.f_namelen == 255);
    for (int i = 0; i < ENTRIES; i++) {
        char name[32];

        snprintf(name, sizeof(name), "number %d", i);
        fd = openat(below, name, O_CREAT | O_WRONLY, 0600);
        CHECK(fd >= 0 && close(fd) == 0);
    }
    CHECK(close(below) == 0);
}

static int count(DIR *list)
{
    int n = 0;

    while (readdir(list)) {
        n++;
    }
    return n;
}

static void check_lists(int dir)
{
    const int all = ENTRIES + 3; /* ".", "..", "moved" */
    DIR *list = fdopendir(openat(dir, "sub", O_RDONLY | O_DIRECTORY));
    long there = 0;

    CHECK(list != NULL);
    for (int i = 0; i < 100; i++) {
        struct dirent *entry = readdir(list);

        CHECK(entry && entry->d_type == (i < 2 ? DT_DIR : DT_REG));
        there = telldir(list);
    }
    CHECK(count(list) == all - 100);
    seekdir(list, there);
    CHECK(count(list) == all - 100);
    CHECK(unlinkat(dirfd(list), "number 7", 0) == 0);
    rewinddir(list);
    CHECK(count(list) == all - 1);
    CHECK(closedir(list) == 0);
}

int main(int argc, char **argv)
{
    int dir;

    CHECK(argc == 2);
    base = argv[1];
    check_files();
    dir = open_at_base("folder", O_RDONLY | O_DIRECTORY);
    CHECK(dir >= 0);
    check_names(dir);
    check_ways_out(dir);
    check_lists(dir);
    printf("all is well\n");
    return 0;
}
