/*
 * See guestnet.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "guestnet.h"

#include <arpa/inet.h>
#include <slirp/libslirp.h>
#include <stdlib.h>
#include <time.h>

struct GuestNet {
    Slirp *slirp;
    const FilterRules *rules;
    GuestNetSend send;
    void *opaque;
};

static slirp_ssize_t send_packet(const void *frame, size_t size, void *opaque)
{
    GuestNet *net = opaque;

    net->send(net->opaque, frame, size);
    return (slirp_ssize_t)size;
}

static void guest_error(const char *message, void *opaque)
{
    /* libslirp reports errors of the guest, which the relay does not print. */
    (void)message;
    (void)opaque;
}

static int64_t clock_get_ns(void *opaque)
{
    struct timespec now;

    (void)opaque;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* The relay asks for all descriptors before each poll(). */
static void poll_fd(int fd, void *opaque)
{
    (void)fd;
    (void)opaque;
}

static void notify(void *opaque)
{
    (void)opaque;
}

/* There are no timers: libslirp uses them for IPv6 only. */
static const SlirpCb callbacks = {
    .send_packet = send_packet,
    .guest_error = guest_error,
    .clock_get_ns = clock_get_ns,
    .register_poll_fd = poll_fd,
    .unregister_poll_fd = poll_fd,
    .notify = notify,
};

GuestNet *guestnet_new(const FilterRules *rules, GuestNetSend send,
                       void *opaque)
{
    const SlirpConfig config = {
        .version = 3,
        .in_enabled = true,
        .vnetwork.s_addr = htonl(NET_PREFIX),
        .vnetmask.s_addr = htonl(NET_MASK),
        .vhost.s_addr = htonl(NET_HOST),
        .vdhcp_start.s_addr = htonl(NET_FIRST),
        .vnameserver.s_addr = htonl(NET_DNS),
        .if_mtu = GUESTNET_MTU,
        .if_mru = GUESTNET_MTU,
        /* The filter passes the allowed ports only. */
        .disable_host_loopback = rules->nb_ports == 0,
        .disable_dns = !rules->outside,
    };
    GuestNet *net = calloc(1, sizeof(*net));

    if (!net) {
        return NULL;
    }
    *net = (GuestNet){ .rules = rules, .send = send, .opaque = opaque };
    net->slirp = slirp_new(&config, &callbacks, net);
    if (!net->slirp) {
        free(net);
        return NULL;
    }
    return net;
}

void guestnet_free(GuestNet *net)
{
    if (net) {
        slirp_cleanup(net->slirp);
        free(net);
    }
}

void guestnet_input(GuestNet *net, const uint8_t *frame, size_t size)
{
    uint8_t answer[FILTER_REFUSAL_SIZE];

    switch (filter_frame(net->rules, frame, size)) {
    case FILTER_PASS:
        slirp_input(net->slirp, frame, (int)size);
        break;
    case FILTER_REFUSE:
        filter_refusal(frame, answer);
        net->send(net->opaque, answer, sizeof(answer));
        break;
    case FILTER_DROP:
        break;
    }
}

static const struct {
    int slirp;
    short poll;
} events[] = {
    { SLIRP_POLL_IN, POLLIN },   { SLIRP_POLL_OUT, POLLOUT },
    { SLIRP_POLL_PRI, POLLPRI }, { SLIRP_POLL_ERR, POLLERR },
    { SLIRP_POLL_HUP, POLLHUP },
};

enum { NB_EVENTS = sizeof(events) / sizeof(events[0]) };

static int add_poll(int fd, int wanted, void *opaque)
{
    short mask = 0;

    for (int i = 0; i < NB_EVENTS; i++) {
        mask |= (wanted & events[i].slirp) ? events[i].poll : 0;
    }
    return pollset_add(opaque, fd, mask);
}

static int get_revents(int index, void *opaque)
{
    short came = pollset_came(opaque, index);
    int seen = 0;

    for (int i = 0; i < NB_EVENTS; i++) {
        seen |= (came & events[i].poll) ? events[i].slirp : 0;
    }
    return seen;
}

void guestnet_before_poll(GuestNet *net, PollSet *set)
{
    uint32_t timeout = set->timeout_ms;

    slirp_pollfds_fill(net->slirp, &timeout, add_poll, set);
    pollset_wait_at_most(set, timeout);
}

void guestnet_after_poll(GuestNet *net, PollSet *set)
{
    slirp_pollfds_poll(net->slirp, 0, get_revents, set);
}
