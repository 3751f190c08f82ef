/*
 * The "stream" network back end for Wasm: frames in two rings in linear memory,
 * between QEMU and the runner. The runner is the main JavaScript thread, which
 * has a network and sockets, while emscripten has none. The program is linked
 * so that this file replaces QEMU's own back end (REPLACED in qemu/recipe.py).
 * It serves -netdev stream,id=ID,addr.type=unix,addr.path=runner only.
 *
 * Nobody polls. The runner sets out_sleeping before it waits on out_head, and
 * in_waiting before it waits on in_tail for room. QEMU sets out_full when it
 * finds no room; the runner clears out_full once there is room and calls
 * tw_network_event(), as it does for frames that arrive and for the link.
 *
 * Layout for the other side: TwNetwork, whose address tw_network() returns.
 * Indices count bytes since the start and wrap at 2^32. The producer owns head,
 * the consumer tail. A frame is its size (32 bits, little-endian) and its
 * bytes, padded to a multiple of four; it may wrap around the end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <emscripten.h>
#include "net/net.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-net.h"
#include "qapi/qapi-types-sockets.h"
#include "qemu/atomic.h"
#include "qemu/event_notifier.h"
#include "qemu/main-loop.h"
#include "qemu/units.h"

enum {
    OUT_SIZE = 256 * KiB,
    IN_SIZE = 512 * KiB,
    FRAME_MAX = 64 * KiB, /* of what the other side may send */
    PREFIX = 4,
};

typedef struct TwNetwork {
    uint32_t out_head, out_tail, out_sleeping, out_full, out_size;
    uint32_t in_head, in_tail, in_waiting, in_size;
    uint32_t link_up, pad_[2];
    uint8_t out[OUT_SIZE];
    uint8_t in[IN_SIZE];
} TwNetwork;

QEMU_BUILD_BUG_ON(offsetof(TwNetwork, out) != 48);

static TwNetwork rings = {
    .out_size = OUT_SIZE,
    .in_size = IN_SIZE,
    .link_up = 1,
};

/* The one network that the runner has. */
static struct {
    NetClientState *client;     /* NULL: no guest uses it */
    EventNotifier event;
    bool event_ready;
    bool delivering; /* the guest has not taken the last frame yet */
    bool link_was_up;
} network = { .link_was_up = true };

TwNetwork *tw_network(void);
void tw_network_event(void);
int __wrap_net_init_stream(const Netdev *netdev, const char *name,
                           NetClientState *peer, Error **errp);

/* For the host: where the rings are. */
EMSCRIPTEN_KEEPALIVE TwNetwork *tw_network(void)
{
    return &rings;
}

/* For the host: something changed. Callable from any thread. */
EMSCRIPTEN_KEEPALIVE void tw_network_event(void)
{
    if (qatomic_load_acquire(&network.event_ready)) {
        event_notifier_set(&network.event);
    }
}

static uint32_t record_size(uint32_t frame_size)
{
    return PREFIX + ROUND_UP(frame_size, PREFIX);
}

static void ring_put(uint32_t at, const uint8_t *from, uint32_t size)
{
    uint32_t start = at % OUT_SIZE;
    uint32_t first = MIN(size, OUT_SIZE - start);

    memcpy(rings.out + start, from, first);
    memcpy(rings.out, from + first, size - first);
}

static void ring_get(uint32_t at, uint8_t *to, uint32_t size)
{
    uint32_t start = at % IN_SIZE;
    uint32_t first = MIN(size, IN_SIZE - start);

    memcpy(to, rings.in + start, first);
    memcpy(to + first, rings.in, size - first);
}

static bool out_has_room(uint32_t size)
{
    uint32_t tail = qatomic_load_acquire(&rings.out_tail);

    return OUT_SIZE - (rings.out_head - tail) >= size;
}

/* A frame of the guest: its size when taken, 0 if there is no room yet. */
static ssize_t runner_receive(NetClientState *nc, const uint8_t *frame,
                              size_t size)
{
    uint32_t head = rings.out_head;
    uint32_t prefix = size;

    if (size > FRAME_MAX) {
        return size;
    }
    if (!out_has_room(record_size(size))) {
        qatomic_set_mb(&rings.out_full, 1);
        if (!out_has_room(record_size(size))) {
            return 0;
        }
    }
    ring_put(head, (uint8_t *)&prefix, PREFIX);
    ring_put(head + PREFIX, frame, size);
    qatomic_store_release(&rings.out_head, head + record_size(size));
    if (qatomic_load_acquire(&rings.out_sleeping)) {
        __builtin_wasm_memory_atomic_notify((int *)&rings.out_head, 1);
    }
    return size;
}

static void runner_delivered(NetClientState *nc, ssize_t size)
{
    network.delivering = false;
    event_notifier_set(&network.event);
}

static void take_frame(void)
{
    static uint8_t frame[FRAME_MAX];
    uint32_t tail = rings.in_tail;
    uint32_t size;

    ring_get(tail, (uint8_t *)&size, PREFIX);
    assert(size <= FRAME_MAX);
    ring_get(tail + PREFIX, frame, size);
    qatomic_store_release(&rings.in_tail, tail + record_size(size));
    network.delivering = qemu_send_packet_async(network.client, frame, size,
                                                runner_delivered) == 0;
}

static void runner_event(EventNotifier *e)
{
    bool up = qatomic_read(&rings.link_up);

    event_notifier_test_and_clear(e);
    if (up != network.link_was_up) {
        network.link_was_up = up;
        qmp_set_link(network.client->name, up, &error_abort);
    }
    while (!network.delivering &&
           rings.in_tail != qatomic_load_acquire(&rings.in_head)) {
        take_frame();
    }
    if (qatomic_load_acquire(&rings.in_waiting)) {
        __builtin_wasm_memory_atomic_notify((int *)&rings.in_tail, 1);
    }
    qemu_flush_queued_packets(network.client);
}

static void runner_cleanup(NetClientState *nc)
{
    qatomic_store_release(&network.event_ready, false);
    event_notifier_set_handler(&network.event, NULL);
    event_notifier_cleanup(&network.event);
    network.client = NULL;
}

static NetClientInfo runner_info = {
    .type = NET_CLIENT_DRIVER_STREAM,
    .size = sizeof(NetClientState),
    .receive = runner_receive,
    .cleanup = runner_cleanup,
};

static bool is_runner(const SocketAddress *address)
{
    return address->type == SOCKET_ADDRESS_TYPE_UNIX &&
           g_str_equal(address->u.q_unix.path, "runner");
}

int __wrap_net_init_stream(const Netdev *netdev, const char *name,
                           NetClientState *peer, Error **errp)
{
    if (!is_runner(netdev->u.stream.addr)) {
        error_setg(errp, "there are no sockets here: give addr.type=unix,"
                         "addr.path=runner");
        return -1;
    }
    if (network.client) {
        error_setg(errp, "the runner has one network only");
        return -1;
    }
    if (event_notifier_init(&network.event, false) < 0) {
        error_setg(errp, "no event notifier for the network");
        return -1;
    }
    network.client = qemu_new_net_client(&runner_info, peer, "stream", name);
    qemu_set_info_str(network.client, "frames through rings");
    event_notifier_set_handler(&network.event, runner_event);
    qatomic_store_release(&network.event_ready, true);
    event_notifier_set(&network.event);
    return 0;
}
