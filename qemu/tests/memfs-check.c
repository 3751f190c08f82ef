/*
 * Files in memory do what the kernel's do: random calls, the same to both, and
 * after each the same answer; now and then all that is there is compared.
 *
 *   memfs-check DIRECTORY SEED CALLS
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memfs.h"

enum { FOLDERS = 4, FILES = 6, NAMES = 7, LIST = 1 << 20, MOUNTS = 2 };

#define ROOT "/shares/one"
#define OTHER_ROOT "/shares/two"

static const char *const names[NAMES] = { "a",
                                          "b",
                                          "c",
                                          "\xff\x01 \n",
                                          ".",
                                          "gr\xc3\xbc\xc3\x9f"
                                          "e",
                                          "x/y" };
static char long_name[300];

/* The same file, open in both. */
typedef struct Pair {
    int own, real;
} Pair;

static Pair folders[FOLDERS], files[FILES];
static Pair roots[MOUNTS];
static unsigned int seed;
static long step;

static unsigned int dice(unsigned int sides)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 16) % sides;
}

static int linux_result(int result)
{
    return result < 0 ? -errno : result;
}

static void fail(const char *what, long own, long real)
{
    printf("step %ld: %s is %ld, the kernel says %ld\n", step, what, own, real);
    exit(1);
}

static void same(const char *what, long own, long real)
{
    if (own != real) {
        fail(what, own, real);
    }
}

static const char *a_name(void)
{
    unsigned int i = dice(NAMES + 1);

    return i < NAMES ? names[i] : long_name;
}

static Pair *a_folder(void)
{
    return &folders[dice(FOLDERS)];
}

static void close_pair(Pair *pair)
{
    if (pair->own >= 0) {
        same("close", tw_mem_close(pair->own), linux_result(close(pair->real)));
    }
    *pair = (Pair){ -1, -1 };
}

static void compare_stat(const TwHostStat *own, const struct stat *real)
{
    same("mode", own->mode, real->st_mode);
    if (!S_ISDIR(real->st_mode)) {
        same("size", own->size, real->st_size);
        same("links", own->nlink, real->st_nlink);
    }
}

static void compare_data(int own, int real)
{
    char a[3000], b[3000];
    long pos = dice(3) * 4000L + dice(200);
    struct iovec iov[] = { { a, 1000 }, { a + 1000, 2000 } };
    long n = (long)tw_mem_read(own, iov, 2, (double)pos);
    long m = pread(real, b, sizeof(b), pos);

    same("read", n, m < 0 ? -errno : m);
    if (n > 0) {
        same("contents", memcmp(a, b, (size_t)n), 0);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Of a folder and all in it; leaves the descriptors open. */
static void compare_tree(Pair pair)
{
    static uint8_t list[LIST];
    int size = tw_mem_list(pair.own, list, LIST);
    DIR *dir = fdopendir(dup(pair.real));
    char *own[64], *real[64];
    int n = 0, m = 0;

    for (int at = 0; at < size; at += 3 + (list[at + 1] | list[at + 2] << 8)) {
        own[n++] = strndup((char *)list + at + 3, list[at + 1]);
    }
    rewinddir(dir);
    for (struct dirent *d; (d = readdir(dir));) {
        real[m++] = strdup(d->d_name);
    }
    closedir(dir);
    same("names", n, m);
    qsort(own, n, sizeof(*own), by_name);
    qsort(real, m, sizeof(*real), by_name);
    for (int i = 0; i < n; i++) {
        TwHostStat a;
        struct stat b;

        same("name", strcmp(own[i], real[i]), 0);
        if (own[i][0] != '.') {
            Pair below;

            same("stat", tw_mem_stat(pair.own, own[i], &a),
                 fstatat(pair.real, own[i], &b, AT_SYMLINK_NOFOLLOW));
            compare_stat(&a, &b);
            below.own = tw_mem_open(pair.own, own[i], O_RDONLY | O_NOFOLLOW, 0);
            below.real = openat(pair.real, own[i], O_RDONLY | O_NOFOLLOW);
            same("open", below.own < 0 ? below.own : 0,
                 below.real < 0 ? -errno : 0);
            if (S_ISDIR(b.st_mode)) {
                compare_tree(below);
            } else if (S_ISREG(b.st_mode)) {
                compare_data(below.own, below.real);
            }
            close_pair(&below);
        }
        free(own[i]);
        free(real[i]);
    }
}

static void open_one(void)
{
    static const int kinds[] = {
        O_RDONLY,
        O_RDWR,
        O_WRONLY,
        O_RDWR | O_CREAT,
        O_WRONLY | O_CREAT | O_EXCL,
        O_RDWR | O_TRUNC,
        O_RDONLY | O_DIRECTORY,
        O_RDWR | O_CREAT | O_APPEND,
        O_PATH,
        O_PATH | O_DIRECTORY,
    };
    Pair *folder = a_folder();
    const char *name = a_name();
    int flags = kinds[dice(sizeof(kinds) / sizeof(kinds[0]))] | O_NOFOLLOW;
    Pair made = { tw_mem_open(folder->own, name, flags, 0640), -1 };
    struct stat st;

    if (strchr(name, '/')) {
        same("open x/y", made.own, -EACCES);
        return;
    }
    made.real = openat(folder->real, name, flags, 0640);
    same("open", made.own < 0 ? made.own : 0, made.real < 0 ? -errno : 0);
    if (made.own < 0) {
        return;
    }
    fstat(made.real, &st);
    if (S_ISDIR(st.st_mode) && !(flags & O_PATH)) {
        Pair *to = &folders[1 + dice(FOLDERS - 1)];

        close_pair(to);
        *to = made;
    } else if (S_ISREG(st.st_mode)) {
        Pair *to = &files[dice(FILES)];

        close_pair(to);
        *to = made;
    } else {
        close_pair(&made);
    }
}

static void write_one(Pair *file)
{
    char data[9000];
    size_t size = 1 + dice(sizeof(data));
    long pos = dice(4) * 4096L + dice(3);
    struct iovec iov = { data, size };

    memset(data, 'a' + dice(26), size);
    same("write", (long)tw_mem_write(file->own, &iov, 1, (double)pos),
         linux_result((int)pwrite(file->real, data, size, pos)));
}

static void about_a_file(void)
{
    Pair *file = &files[dice(FILES)];
    TwHostStat own;
    struct stat real;
    char path[64];
    long size = dice(30000);

    if (file->own < 0) {
        return;
    }
    switch (dice(6)) {
    case 0:
        same("truncate", tw_mem_truncate(file->own, (double)size),
             linux_result(ftruncate(file->real, size)));
        break;
    case 1:
        same("fstat", tw_mem_fstat(file->own, &own), fstat(file->real, &real));
        compare_stat(&own, &real);
        break;
    case 2:
        snprintf(path, sizeof(path), "/proc/self/fd/%d", file->real);
        same("chmod", tw_mem_chmod(file->own, 0604),
             linux_result(chmod(path, 0604)));
        break;
    case 3:
        compare_data(file->own, file->real);
        break;
    case 4:
        close_pair(file);
        break;
    default:
        write_one(file);
    }
}

static void about_names(void)
{
    Pair *a = a_folder(), *b = a_folder();
    const char *x = a_name(), *y = a_name();
    char own[100] = "", real[100] = "";
    int n, m;

    if (strchr(x, '/') || strchr(y, '/')) {
        same("x/y", tw_mem_mkdir(a->own, "x/y", 0700), -EACCES);
        return;
    }
    switch (dice(7)) {
    case 0:
        same("mkdir", tw_mem_mkdir(a->own, x, 0750),
             linux_result(mkdirat(a->real, x, 0750)));
        break;
    case 1:
        n = dice(2);
        same("unlink", tw_mem_unlink(a->own, x, n),
             linux_result(unlinkat(a->real, x, n ? AT_REMOVEDIR : 0)));
        break;
    case 2:
        same("link", tw_mem_link(a->own, x, b->own, y),
             linux_result(linkat(a->real, x, b->real, y, 0)));
        break;
    case 3:
        same("symlink", tw_mem_symlink("../to \xff", a->own, x),
             linux_result(symlinkat("../to \xff", a->real, x)));
        break;
    case 4:
        n = tw_mem_readlink(a->own, x, own, 4);
        m = linux_result((int)readlinkat(a->real, x, real, 4));
        same("readlink", n, m);
        same("target", strcmp(own, real), 0);
        break;
    default:
        same("rename", tw_mem_rename(a->own, x, b->own, y),
             linux_result(renameat(a->real, x, b->real, y)));
    }
}

/* What only we have. */
static void check_limits(void)
{
    char page[TW_MEM_PAGE] = { 1 };
    struct iovec iov = { page, sizeof(page) };
    TwHostStat st;
    TwHostStatfs room;
    int fd;

    same("mounted twice", tw_mem_mount(ROOT), -EEXIST);
    same("not mounted", tw_mem_open(TW_NOWHERE, "/shares", O_RDONLY, 0),
         TW_NOT_LIVE);
    same("not mounted", tw_mem_stat(TW_NOWHERE, "/shares/", &st), TW_NOT_LIVE);
    same("up", tw_mem_open(roots[0].own, "..", O_RDONLY, 0), -EACCES);
    same("mkdir", tw_mem_mkdir(roots[1].own, "there", 0700), 0);
    same("apart", tw_mem_rename(roots[1].own, "there", roots[0].own, "here"),
         -EXDEV);
    fd = tw_mem_open(roots[1].own, "big", O_RDWR | O_CREAT, 07777);
    same("stat", tw_mem_fstat(fd, &st), 0);
    same("mode", st.mode, S_IFREG | 01777);
    same("hole", tw_mem_truncate(fd, 1e13), 0);
    same("beyond", (long)tw_mem_write(fd, &iov, 1, 1e12), -EFBIG);
    same("statfs", tw_mem_statfs(fd, &room), 0);
    tw_mem_set_limit((double)(room.blocks - room.bfree + 1) * TW_MEM_PAGE);
    iov.iov_len = 100;
    same("last page", (long)tw_mem_write(fd, &iov, 1, TW_MEM_PAGE - 50), 50);
    same("full", (long)tw_mem_write(fd, &iov, 1, 1 << 20), -ENOSPC);
    same("room", tw_mem_truncate(fd, 0), 0);
    same("again", (long)tw_mem_write(fd, &iov, 1, 1 << 20), 100);
    same("times", tw_mem_utimes(roots[1].own, "big", 1.5, -2.25), 0);
    same("stat", tw_mem_stat(roots[1].own, "big", &st), 0);
    same("atime", st.atime_ns, 1500000000);
    same("mtime", st.mtime_ns, -2250000000);
    same("close", tw_mem_close(fd), 0);
    same("closed", tw_mem_close(fd), -EBADF);
}

int main(int argc, char **argv)
{
    long calls;

    if (argc != 4) {
        return 2;
    }
    umask(0);
    seed = (unsigned int)atol(argv[2]);
    calls = atol(argv[3]);
    memset(long_name, 'n', 256);
    same("mount", tw_mem_mount(ROOT) || tw_mem_mount(OTHER_ROOT), 0);
    roots[0].own = tw_mem_open(TW_NOWHERE, ROOT, O_RDONLY | O_DIRECTORY, 0);
    roots[0].real = open(argv[1], O_RDONLY | O_DIRECTORY);
    roots[1].own = tw_mem_open(TW_NOWHERE, OTHER_ROOT, O_RDONLY, 0);
    for (int i = 0; i < FOLDERS; i++) {
        folders[i].own = tw_mem_open(roots[0].own, ".", O_RDONLY, 0);
        folders[i].real = openat(roots[0].real, ".", O_RDONLY);
    }
    for (int i = 0; i < FILES; i++) {
        files[i] = (Pair){ -1, -1 };
    }
    for (step = 0; step < calls; step++) {
        switch (dice(4)) {
        case 0:
            open_one();
            break;
        case 1:
            about_a_file();
            break;
        default:
            about_names();
        }
        if (step % 100 == 0) {
            compare_tree(roots[0]);
        }
    }
    check_limits();
    puts("all is well");
    return 0;
}
