/*
 * See session.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "session.h"

#include <stdlib.h>
#include <string.h>

static void enqueue(void *opaque, const uint8_t *frame, size_t size)
{
    Session *session = opaque;
    QueuedFrame *queued;

    if (session->queued + size > SESSION_QUEUE_MAX) {
        return;
    }
    queued = malloc(sizeof(*queued) + size);
    if (!queued) {
        return;
    }
    queued->next = NULL;
    queued->size = size;
    memcpy(queued->bytes, frame, size);
    *session->last = queued;
    session->last = &queued->next;
    session->queued += size;
}

bool session_open(Session *session, const FilterRules *rules)
{
    *session = (Session){ .last = &session->first };
    session->net = guestnet_new(rules, enqueue, session);
    return session->net != NULL;
}

void session_close(Session *session)
{
    guestnet_free(session->net);
    session->net = NULL;
    while (session->first) {
        session_sent(session);
    }
}

void session_sent(Session *session)
{
    QueuedFrame *sent = session->first;

    session->first = sent->next;
    if (!session->first) {
        session->last = &session->first;
    }
    session->queued -= sent->size;
    free(sent);
}

bool session_message(Session *session, const uint8_t *piece, size_t size,
                     bool end)
{
    if (size > FRAME_MAX - session->arrived) {
        return false;
    }
    memcpy(session->arriving + session->arrived, piece, size);
    session->arrived += size;
    if (end) {
        guestnet_input(session->net, session->arriving, session->arrived);
        session->arrived = 0;
    }
    return true;
}

/* Bytes of the prefix and the frame that must arrive, as far as is known. */
static size_t stream_wanted(const Session *session)
{
    const uint8_t *p = session->arriving;

    if (session->arrived < SESSION_PREFIX) {
        return SESSION_PREFIX;
    }
    return SESSION_PREFIX + ((size_t)p[0] << 24 | (size_t)p[1] << 16 |
                             (size_t)p[2] << 8 | (size_t)p[3]);
}

bool session_stream(Session *session, const uint8_t *piece, size_t size)
{
    while (size > 0) {
        size_t n = stream_wanted(session) - session->arrived;

        n = n < size ? n : size;
        memcpy(session->arriving + session->arrived, piece, n);
        session->arrived += n;
        piece += n;
        size -= n;
        if (stream_wanted(session) > sizeof(session->arriving)) {
            return false;
        }
        if (session->arrived >= SESSION_PREFIX &&
            session->arrived == stream_wanted(session)) {
            guestnet_input(session->net, session->arriving + SESSION_PREFIX,
                           session->arrived - SESSION_PREFIX);
            session->arrived = 0;
        }
    }
    return true;
}
