/*
 * Random calls, the same to memfs and to the kernel, must have the same
 * answers. After every 100 calls the check compares all files and folders of
 * both.
 *
 *   memfs-check DIRECTORY SEED CALLS
 *
 * Before memfs's answer counts, each allocation that the call makes fails once:
 * see FAIL_EACH_ALLOCATION(). After each call memfs's counts must be right.
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

#include "memfs-alloc.h"
#include "memfs-check.h"

enum { FOLDERS = 4, FILES = 6, NAMES = 7, MAX_TARGET = 4095 };

static const char *const names[NAMES] = { "a",
                                          "b",
                                          "c",
                                          "\xff\x01 \n",
                                          ".",
                                          "gr\xc3\xbc\xc3\x9f"
                                          "e",
                                          "x/y" };
static char long_name[300];
static char long_target[MAX_TARGET + 2];

/* The same file, open in both. */
typedef struct Pair {
    int own, real;
} Pair;

static Pair folders[FOLDERS], files[FILES];
static int roots[ROOTS];
static int real_root;
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

void same(const char *what, long own, long expected)
{
    if (own != expected) {
        printf("step %ld: %s: %ld instead of %ld\n", step, what, own, expected);
        exit(1);
    }
}

/* Whether memfs counts what it has. */
static void check(void)
{
    int open[FOLDERS + FILES];

    for (int i = 0; i < FOLDERS; i++) {
        open[i] = folders[i].own;
    }
    for (int i = 0; i < FILES; i++) {
        open[FOLDERS + i] = files[i].own;
    }
    check_account(roots, open, FOLDERS + FILES);
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
    long pos = dice(30) ? dice(3) * 4000L + dice(200) : -1;
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
    int size;
    uint8_t *list = list_of(pair.own, &size);
    DIR *dir = fdopendir(dup(pair.real));
    char *own[64], *real[64];
    int n = 0, m = 0;

    for (const uint8_t *at = list; at < list + size;) {
        char name[NAME_SIZE];

        at = next_name(at, name);
        own[n++] = strdup(name);
    }
    free(list);
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
    Pair made = { -1, -1 };
    struct stat st;

    FAIL_EACH_ALLOCATION(made.own, roots[0],
                         tw_mem_open(folder->own, name, flags, 0640));
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

/*
 * Writes everything, though each allocation fails once: a write that runs out
 * of memory may have written a part.
 */
static long write_in_parts(int fd, char *data, size_t size, long pos)
{
    size_t done = 0;

    for (long nth = 1;; nth++) {
        struct iovec iov = { data + done, size - done };
        long got;

        alloc_fail_at(nth);
        got = (long)tw_mem_write(fd, &iov, 1, (double)(pos + (long)done));
        if (!alloc_failed()) {
            return got < 0 ? got : (long)done + got;
        }
        check();
        if (got > 0) {
            done += (size_t)got;
            nth = 0;
        } else {
            same("write without memory", got, -ENOMEM);
        }
    }
}

static void write_one(Pair *file)
{
    char data[9000];
    size_t size = 1 + dice(sizeof(data));
    long pos = dice(30) ? dice(4) * 4096L + dice(3) : -1;

    memset(data, 'a' + dice(26), size);
    same("write", write_in_parts(file->own, data, size, pos),
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

static const char *a_target(void)
{
    switch (dice(8)) {
    case 0:
        return "";
    case 1:
        return long_target;
    default:
        return "../to \xff";
    }
}

static void about_names(void)
{
    Pair *a = a_folder(), *b = a_folder();
    const char *x = a_name(), *y = a_name(), *target = a_target();
    char own[100] = "", real[100] = "";
    int n, m;

    if (strchr(x, '/') || strchr(y, '/')) {
        same("x/y", tw_mem_mkdir(a->own, "x/y", 0700), -EACCES);
        return;
    }
    switch (dice(7)) {
    case 0:
        FAIL_EACH_ALLOCATION(n, roots[0], tw_mem_mkdir(a->own, x, 0750));
        same("mkdir", n, linux_result(mkdirat(a->real, x, 0750)));
        break;
    case 1:
        m = dice(2);
        FAIL_EACH_ALLOCATION(n, roots[0], tw_mem_unlink(a->own, x, m));
        same("unlink", n,
             linux_result(unlinkat(a->real, x, m ? AT_REMOVEDIR : 0)));
        break;
    case 2:
        FAIL_EACH_ALLOCATION(n, roots[0], tw_mem_link(a->own, x, b->own, y));
        same("link", n, linux_result(linkat(a->real, x, b->real, y, 0)));
        break;
    case 3:
        FAIL_EACH_ALLOCATION(n, roots[0], tw_mem_symlink(target, a->own, x));
        same("symlink", n, linux_result(symlinkat(target, a->real, x)));
        break;
    case 4:
        m = (int)dice(5);
        n = tw_mem_readlink(a->own, x, own, m);
        same("readlink", n, linux_result((int)readlinkat(a->real, x, real, m)));
        same("target", strcmp(own, real), 0);
        break;
    default:
        FAIL_EACH_ALLOCATION(n, roots[0], tw_mem_rename(a->own, x, b->own, y));
        same("rename", n, linux_result(renameat(a->real, x, b->real, y)));
    }
}

/*
 * Closes and removes everything, after which memfs must have the @empty roots.
 */
static void check_nothing_is_left(Account empty)
{
    for (int i = 0; i < FOLDERS; i++) {
        close_pair(&folders[i]);
    }
    for (int i = 0; i < ROOTS; i++) {
        remove_all(roots[i]);
    }
    check();
    for (int i = 0; i < FILES; i++) {
        close_pair(&files[i]);
    }
    check();
    same_account("removing everything", account_of(roots[0]), empty);
}

int main(int argc, char **argv)
{
    Account empty;
    long calls;

    if (argc != 4) {
        return 2;
    }
    umask(0);
    seed = (unsigned int)atol(argv[2]);
    calls = atol(argv[3]);
    memset(long_name, 'n', 256);
    memset(long_target, 't', MAX_TARGET + 1);
    same("mount", tw_mem_mount(ROOT) || tw_mem_mount(OTHER_ROOT), 0);
    roots[0] = tw_mem_open(TW_NOWHERE, ROOT, O_RDONLY | O_DIRECTORY, 0);
    roots[1] = tw_mem_open(TW_NOWHERE, OTHER_ROOT, O_RDONLY, 0);
    real_root = open(argv[1], O_RDONLY | O_DIRECTORY);
    empty = account_of(roots[0]);
    same("nodes of empty roots", (long)empty.nodes, ROOTS);
    same("pages of empty roots", (long)empty.pages, 0);
    for (int i = 0; i < FOLDERS; i++) {
        folders[i].own = tw_mem_open(roots[0], ".", O_RDONLY, 0);
        folders[i].real = openat(real_root, ".", O_RDONLY);
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
        check();
        if (step % 100 == 0) {
            compare_tree((Pair){ roots[0], real_root });
        }
    }
    check_nothing_is_left(empty);
    check_limits(roots);
    puts("all is well");
    return 0;
}
