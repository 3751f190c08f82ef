/*
 * The descriptors and events that the next poll() waits for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RELAY_POLLSET_H
#define RELAY_POLLSET_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

typedef struct PollSet {
    struct pollfd *fds;
    size_t count, room;
    uint32_t timeout_ms;
} PollSet;

/* Start anew; @timeout_ms is the longest that poll() may take. */
void pollset_clear(PollSet *set, uint32_t timeout_ms);
/* Wait for @events of @fd; an index for pollset_came(), -1 without memory. */
int pollset_add(PollSet *set, int fd, short events);
void pollset_wait_at_most(PollSet *set, uint32_t ms);
/* Sleep until an event or a signal comes. */
void pollset_poll(PollSet *set);
short pollset_came(const PollSet *set, int index);
void pollset_free(PollSet *set);

#endif
