/*
 * One guest's network: libslirp behind the filter.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RELAY_GUESTNET_H
#define RELAY_GUESTNET_H

#include <stddef.h>
#include <stdint.h>

#include "filter.h"
#include "pollset.h"

enum {
    GUESTNET_MTU = 1500,
    FRAME_MIN = 14,
    FRAME_MAX = GUESTNET_MTU + FRAME_MIN,
};

typedef struct GuestNet GuestNet;

/* Takes a frame for the guest. Any function here may call it. */
typedef void (*GuestNetSend)(void *opaque, const uint8_t *frame, size_t size);

/* NULL if libslirp has no memory. @rules stay with the caller. */
GuestNet *guestnet_new(const FilterRules *rules, GuestNetSend send,
                       void *opaque);
void guestnet_free(GuestNet *net);

/* A frame of the guest. */
void guestnet_input(GuestNet *net, const uint8_t *frame, size_t size);

/* Before poll(): add descriptors to wait for; after it: serve those ready. */
void guestnet_before_poll(GuestNet *net, PollSet *set);
void guestnet_after_poll(GuestNet *net, PollSet *set);

#endif
