/*
 * See pollset.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "pollset.h"

#include <stdlib.h>

enum { FIRST_ROOM = 32 };

void pollset_clear(PollSet *set, uint32_t timeout_ms)
{
    set->count = 0;
    set->timeout_ms = timeout_ms;
}

int pollset_add(PollSet *set, int fd, short events)
{
    if (set->count == set->room) {
        size_t room = set->room ? set->room * 2 : FIRST_ROOM;
        struct pollfd *fds = realloc(set->fds, room * sizeof(*fds));

        if (!fds) {
            return -1;
        }
        set->fds = fds;
        set->room = room;
    }
    set->fds[set->count] = (struct pollfd){ .fd = fd, .events = events };
    return (int)set->count++;
}

void pollset_wait_at_most(PollSet *set, uint32_t ms)
{
    if (ms < set->timeout_ms) {
        set->timeout_ms = ms;
    }
}

void pollset_poll(PollSet *set)
{
    if (poll(set->fds, set->count, (int)set->timeout_ms) < 0) {
        for (size_t i = 0; i < set->count; i++) {
            set->fds[i].revents = 0;
        }
    }
}

short pollset_came(const PollSet *set, int index)
{
    return index < 0 ? 0 : set->fds[index].revents;
}

void pollset_free(PollSet *set)
{
    free(set->fds);
}
