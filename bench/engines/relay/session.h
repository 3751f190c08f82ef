/*
 * One connection: its guest's network, a frame that is arriving, and frames
 * that wait to be sent. This part knows nothing of libwebsockets.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RELAY_SESSION_H
#define RELAY_SESSION_H

#include <stdbool.h>

#include "guestnet.h"

enum {
    SESSION_QUEUE_MAX = 4 << 20, /* bytes; further frames are dropped */
    SESSION_ROOM_BEFORE = 32,    /* in front of each frame: headers */
    SESSION_PREFIX = 4,          /* of a frame in a stream: its size */
};

typedef struct QueuedFrame {
    struct QueuedFrame *next;
    size_t size;
    uint8_t room[SESSION_ROOM_BEFORE];
    uint8_t bytes[]; /* directly after the room */
} QueuedFrame;

typedef struct Session {
    GuestNet *net;
    QueuedFrame *first, **last;
    size_t queued;
    size_t arrived;
    uint8_t arriving[SESSION_PREFIX + FRAME_MAX];
} Session;

bool session_open(Session *session, const FilterRules *rules);
void session_close(Session *session);

/*
 * A piece of a message; @end if the piece is the last one. False if the message
 * is longer than a frame can be.
 */
bool session_message(Session *session, const uint8_t *piece, size_t size,
                     bool end);
/* A piece of a stream. False if a size in it is not the size of a frame. */
bool session_stream(Session *session, const uint8_t *piece, size_t size);

/* The first waiting frame has been sent. */
void session_sent(Session *session);

#endif
