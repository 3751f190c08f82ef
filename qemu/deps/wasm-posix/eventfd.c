/*
 * eventfd(), and the calls on its descriptors: read, write, close, fcntl, poll.
 * See wasm-posix.h.
 *
 * One word, tw_wakeups, counts the writes to all eventfds. A poller reads the
 * word, then looks at its descriptors, and sleeps only while the word is
 * unchanged. So no wake-up is lost, and a sleeper costs nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "hostfs.h"
#include "wasm-posix.h"

typedef struct EventFd {
    uint32_t used;
    uint32_t semaphore;
    uint64_t count;
} EventFd;

static EventFd fds[TW_EVENTFD_MAX];
static uint32_t tw_wakeups;

ssize_t __real_read(int fd, void *buf, size_t size);
ssize_t __real_write(int fd, const void *buf, size_t size);
int __real_close(int fd);
int __real_fcntl(int fd, int cmd, ...);
int __real_poll(struct pollfd *pfds, nfds_t n, int timeout);

int eventfd(unsigned init, int flags)
{
    for (int i = 0; i < TW_EVENTFD_MAX; i++) {
        uint32_t unused = 0;
        if (__atomic_compare_exchange_n(&fds[i].used, &unused, 1, false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            fds[i].semaphore = (flags & EFD_SEMAPHORE) != 0;
            __atomic_store_n(&fds[i].count, init, __ATOMIC_SEQ_CST);
            return TW_EVENTFD_BASE + i;
        }
    }
    errno = EMFILE;
    return -1;
}

static EventFd *lookup(int fd)
{
    EventFd *e = &fds[fd - TW_EVENTFD_BASE];

    if (!__atomic_load_n(&e->used, __ATOMIC_SEQ_CST)) {
        errno = EBADF;
        return NULL;
    }
    return e;
}

/* As lookup(), for a read or write with a buffer of @size bytes. */
static EventFd *lookup_for(int fd, size_t size)
{
    EventFd *e = lookup(fd);

    if (e && size < sizeof(e->count)) {
        errno = EINVAL;
        return NULL;
    }
    return e;
}

/* An eventfd never blocks: QEMU and glib open all of theirs non-blocking. */
ssize_t __wrap_read(int fd, void *buf, size_t size)
{
    EventFd *e;
    uint64_t value;

    if (!tw_is_eventfd(fd)) {
        return tw_is_hostfd(fd) ? tw_hostfd_read(fd, buf, size)
                                : __real_read(fd, buf, size);
    }
    e = lookup_for(fd, size);
    if (!e) {
        return -1;
    }
    value = __atomic_load_n(&e->count, __ATOMIC_SEQ_CST);
    do {
        if (value == 0) {
            errno = EAGAIN;
            return -1;
        }
    } while (!__atomic_compare_exchange_n(&e->count, &value,
                                          e->semaphore ? value - 1 : 0, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    if (e->semaphore) {
        value = 1;
    }
    memcpy(buf, &value, sizeof(value));
    return sizeof(value);
}

ssize_t __wrap_write(int fd, const void *buf, size_t size)
{
    EventFd *e;
    uint64_t value;

    if (!tw_is_eventfd(fd)) {
        return tw_is_hostfd(fd) ? tw_hostfd_write(fd, buf, size)
                                : __real_write(fd, buf, size);
    }
    e = lookup_for(fd, size);
    if (!e) {
        return -1;
    }
    memcpy(&value, buf, sizeof(value));
    __atomic_fetch_add(&e->count, value, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&tw_wakeups, 1, __ATOMIC_SEQ_CST);
    tw_futex_wake(&tw_wakeups);
    return sizeof(value);
}

int __wrap_close(int fd)
{
    EventFd *e;

    if (!tw_is_eventfd(fd)) {
        return tw_is_hostfd(fd) ? tw_hostfd_close(fd) : __real_close(fd);
    }
    e = lookup(fd);
    if (!e) {
        return -1;
    }
    __atomic_store_n(&e->used, 0, __ATOMIC_SEQ_CST);
    return 0;
}

int __wrap_fcntl(int fd, int cmd, ...)
{
    va_list ap;
    void *arg;

    if (tw_is_eventfd(fd)) {
        return cmd == F_GETFL ? O_RDWR | O_NONBLOCK : 0;
    }
    va_start(ap, cmd);
    arg = va_arg(ap, void *);
    va_end(ap);
    return tw_is_hostfd(fd) ? tw_hostfd_fcntl(fd, cmd, (int)(intptr_t)arg)
                            : __real_fcntl(fd, cmd, arg);
}

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/*
 * Looks at all descriptors once and returns how many are ready. *@real says
 * whether some are emscripten's.
 */
static int look(struct pollfd *pfds, nfds_t n, bool *real)
{
    int ready = 0;

    *real = false;
    for (nfds_t i = 0; i < n; i++) {
        struct pollfd *p = &pfds[i];

        p->revents = 0;
        if (tw_is_eventfd(p->fd)) {
            EventFd *e = lookup(p->fd);

            if (!e) {
                p->revents = POLLNVAL;
            } else {
                if (__atomic_load_n(&e->count, __ATOMIC_SEQ_CST) > 0) {
                    p->revents |= p->events & POLLIN;
                }
                p->revents |= p->events & POLLOUT;
            }
        } else if (p->fd >= 0) {
            *real = true;
            __real_poll(p, 1, 0);
        }
        ready += p->revents != 0;
    }
    return ready;
}

static int poll_ns(struct pollfd *pfds, nfds_t n, int64_t timeout)
{
    int64_t deadline = timeout > 0 ? now_ns() + timeout : 0;

    for (;;) {
        uint32_t seen = __atomic_load_n(&tw_wakeups, __ATOMIC_SEQ_CST);
        bool real;
        int ready = look(pfds, n, &real);
        int64_t wait = -1;

        if (ready || timeout == 0) {
            return ready;
        }
        if (timeout > 0) {
            wait = deadline - now_ns();
            if (wait <= 0) {
                return 0;
            }
        }
        if (real) {
            const int64_t most = TW_REAL_FD_POLL_MS * INT64_C(1000000);
            wait = wait < 0 || wait > most ? most : wait;
        }
        tw_futex_wait(&tw_wakeups, seen, wait);
    }
}

int __wrap_poll(struct pollfd *pfds, nfds_t n, int timeout)
{
    return poll_ns(pfds, n, timeout < 0 ? -1 : timeout * INT64_C(1000000));
}

/* Wasm has no signals, so the mask does not matter. */
int __wrap_ppoll(struct pollfd *pfds, nfds_t n, const struct timespec *ts,
                 const sigset_t *mask)
{
    (void)mask;
    return poll_ns(pfds, n,
                   ts ? ts->tv_sec * INT64_C(1000000000) + ts->tv_nsec : -1);
}
