/*
 * Files whose bytes the runner has (runfs.h), as QEMU uses them: run by
 * test_runfs.py in Node, whose JavaScript answers the calls after a while.
 *
 * A file of 6 GiB has the number of its piece of 256 KiB in each byte. Piece 7
 * cannot be read. A second file may not be written.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <unistd.h>

#define GIB (INT64_C(1) << 30)
#define PIECE (INT64_C(1) << 18)

enum { THREADS = 4, READS = 200 };

static const char big[] = "/disks/0-big.img";
static const char fixed[] = "/disks/1-fixed.img";

#define CHECK(what) \
    do { \
        if (!(what)) { \
            printf("line %d: %s (errno %d)\n", __LINE__, #what, errno); \
            exit(1); \
        } \
    } while (0)

static uint8_t byte_at(off_t pos)
{
    return (uint8_t)(pos / PIECE);
}

static void check_names(void)
{
    struct stat st;
    struct statfs fs;
    int fd = open(big, O_RDWR | O_CLOEXEC);

    CHECK(fd >= 0);
    CHECK(stat(big, &st) == 0 && st.st_size == 6 * GIB && S_ISREG(st.st_mode));
    CHECK(fstat(fd, &st) == 0 && st.st_size == 6 * GIB);
    CHECK(fstatfs(fd, &fs) == 0 && fs.f_bsize == 4096);
    CHECK(lseek(fd, 0, SEEK_END) == 6 * GIB);
    CHECK((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
    CHECK(close(fd) == 0);
    CHECK(open("/disks/2-other.img", O_RDONLY) < 0 && errno == ENOENT);
    CHECK(open(fixed, O_RDWR) < 0 && errno == EROFS);
    fd = open(fixed, O_RDONLY);
    CHECK(fd >= 0 && pwrite(fd, "x", 1, 0) < 0 && errno == EBADF);
    CHECK(ftruncate(fd, 0) < 0 && errno == EINVAL);
    CHECK(close(fd) == 0);
}

static void check_bytes(int fd)
{
    uint8_t a[3], b[5], c[9];
    struct iovec iov[2] = { { a, sizeof(a) }, { b, sizeof(b) } };
    off_t pos = 5 * GIB + 3 * PIECE - 4;

    CHECK(preadv(fd, iov, 2, pos) == 8);
    for (int i = 0; i < 8; i++) {
        CHECK((i < 3 ? a[i] : b[i - 3]) == byte_at(pos + i));
    }
    CHECK(pread(fd, c, 9, 6 * GIB - 4) == 4 && c[3] == byte_at(6 * GIB - 1));
    CHECK(pread(fd, c, 9, 6 * GIB) == 0);
    memcpy(a, "abc", 3);
    memcpy(b, "defgh", 5);
    CHECK(pwritev(fd, iov, 2, pos) == 8);
    CHECK(pread(fd, c, 9, pos - 1) == 9 && c[0] == byte_at(pos - 1));
    CHECK(!memcmp(c + 1, "abcdefgh", 8));
    CHECK(fdatasync(fd) == 0 && fsync(fd) == 0);
    CHECK(pwrite(fd, "end", 3, 7 * GIB) == 3);
    CHECK(lseek(fd, 0, SEEK_END) == 7 * GIB + 3);
    CHECK(pread(fd, c, 9, 7 * GIB - 1) == 4 && !memcmp(c, "\0end", 4));
    CHECK(ftruncate(fd, 6 * GIB) == 0 && lseek(fd, 0, SEEK_END) == 6 * GIB);
    CHECK(ftruncate(fd, 6 * GIB + 1) == 0);
    CHECK(pread(fd, c, 1, 6 * GIB) == 1 && c[0] == 0);
}

static void check_failure(int fd)
{
    uint8_t c[9];

    CHECK(pread(fd, c, 9, 7 * PIECE - 3) < 0 && errno == EIO);
    CHECK(pwrite(fd, "x", 1, 7 * PIECE + 9) < 0 && errno == EIO);
    CHECK(pread(fd, c, 9, 8 * PIECE) == 9 && c[0] == byte_at(8 * PIECE));
}

static void *reader(void *arg)
{
    unsigned seed = (unsigned)(intptr_t)arg;
    int fd = open(big, O_RDONLY);
    uint8_t *buf = malloc(PIECE);

    CHECK(fd >= 0 && buf);
    for (int i = 0; i < READS; i++) {
        off_t pos = (off_t)(rand_r(&seed) % 4000 + 8) * PIECE + 5;

        CHECK(pread(fd, buf, PIECE, pos) == PIECE);
        CHECK(buf[0] == byte_at(pos) &&
              buf[PIECE - 1] == byte_at(pos + PIECE - 1));
        if (i % 50 == 0) {
            buf = realloc(buf, PIECE + (size_t)i * 100000); /* memory grows */
            CHECK(buf);
        }
    }
    free(buf);
    CHECK(close(fd) == 0);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    int fd;

    check_names();
    fd = open(big, O_RDWR);
    CHECK(fd >= 0);
    check_bytes(fd);
    check_failure(fd);
    for (intptr_t i = 0; i < THREADS; i++) {
        CHECK(!pthread_create(&threads[i], NULL, reader, (void *)(i + 1)));
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK(!pthread_join(threads[i], NULL));
    }
    CHECK(close(fd) == 0);
    puts("all is well");
    return 0;
}
