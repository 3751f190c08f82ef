/*
 * See server.h.
 *
 * libwebsockets tells which descriptors it waits for (its "external poll"), so
 * that one poll() serves it and all guests' networks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "server.h"

#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"

_Static_assert(SESSION_ROOM_BEFORE >= LWS_PRE, "room for lws_write()");

enum { MAX_CONNECTIONS = 16, MAX_DESCRIPTORS = 64, MAX_HEADER = 256 };

typedef struct Connection {
    Session session;
    struct lws *wsi;
    struct Connection *next;
} Connection;

struct Server {
    const ServerOptions *options;
    struct lws_context *context;
    struct lws_vhost *web;
    Connection *connections;
    unsigned nb_connections;
    /* The descriptors of libwebsockets, and their places in the poll set. */
    struct pollfd fds[MAX_DESCRIPTORS];
    unsigned nb_fds;
    int first_in_set;
};

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "tierlab-relay: %s: %s\n", what, why);
}

/* Takes the same time however much of the two is equal. */
static bool equal_secret(const char *a, const char *b, size_t size)
{
    unsigned char differ = 0;

    for (size_t i = 0; i < size; i++) {
        differ |= (unsigned char)a[i] ^ (unsigned char)b[i];
    }
    return differ == 0;
}

static bool right_path(const ServerOptions *options, struct lws *wsi)
{
    char path[MAX_HEADER];

    return lws_hdr_copy(wsi, path, sizeof(path), WSI_TOKEN_GET_URI) ==
               SERVER_TOKEN_SIZE + 1 &&
           path[0] == '/' &&
           equal_secret(path + 1, options->token, SERVER_TOKEN_SIZE);
}

/* A browser always names a page's origin; other programs need not. */
static bool right_origin(const ServerOptions *options, struct lws *wsi)
{
    char origin[MAX_HEADER];

    if (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) == 0) {
        return true;
    }
    if (lws_hdr_copy(wsi, origin, sizeof(origin), WSI_TOKEN_ORIGIN) < 0) {
        return false;
    }
    for (unsigned i = 0; i < options->nb_origins; i++) {
        if (strcmp(origin, options->origins[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int confirm_upgrade(Server *server, struct lws *wsi)
{
    if (right_path(server->options, wsi) &&
        right_origin(server->options, wsi)) {
        return 0;
    }
    lws_return_http_status(wsi, HTTP_STATUS_FORBIDDEN, NULL);
    return 1;
}

static int opened(Server *server, Connection *connection, struct lws *wsi)
{
    if (server->nb_connections == MAX_CONNECTIONS ||
        !session_open(&connection->session, &server->options->rules)) {
        return -1;
    }
    connection->wsi = wsi;
    connection->next = server->connections;
    server->connections = connection;
    server->nb_connections++;
    return 0;
}

static int closed(Server *server, Connection *connection)
{
    for (Connection **c = &server->connections; *c; c = &(*c)->next) {
        if (*c == connection) {
            *c = connection->next;
            server->nb_connections--;
            session_close(&connection->session);
            break;
        }
    }
    return 0;
}

static int received(Connection *connection, const uint8_t *piece, size_t size)
{
    struct lws *wsi = connection->wsi;
    bool end =
        lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;

    if (!lws_frame_is_binary(wsi)) {
        lws_close_reason(wsi, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, NULL, 0);
        return -1;
    }
    if (!session_message(&connection->session, piece, size, end)) {
        lws_close_reason(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, NULL, 0);
        return -1;
    }
    return 0;
}

static int write_frame(struct lws *wsi, QueuedFrame *frame, bool stream)
{
    uint8_t *start = frame->bytes;
    size_t size = frame->size;

    if (!stream) {
        return lws_write(wsi, start, size, LWS_WRITE_BINARY);
    }
    start -= SESSION_PREFIX;
    start[0] = (uint8_t)(size >> 24);
    start[1] = (uint8_t)(size >> 16);
    start[2] = (uint8_t)(size >> 8);
    start[3] = (uint8_t)size;
    return lws_write(wsi, start, SESSION_PREFIX + size, LWS_WRITE_RAW);
}

static int writable(Connection *connection, bool stream)
{
    Session *session = &connection->session;

    while (session->first && !lws_send_pipe_choked(connection->wsi)) {
        if (write_frame(connection->wsi, session->first, stream) < 0) {
            return -1;
        }
        session_sent(session);
    }
    return 0;
}

static struct pollfd *find_fd(Server *server, int fd)
{
    for (unsigned i = 0; i < server->nb_fds; i++) {
        if (server->fds[i].fd == fd) {
            return &server->fds[i];
        }
    }
    return NULL;
}

static int change_fds(Server *server, enum lws_callback_reasons reason,
                      const struct lws_pollargs *args)
{
    struct pollfd *entry = find_fd(server, args->fd);

    if (reason == LWS_CALLBACK_DEL_POLL_FD) {
        if (entry) {
            *entry = server->fds[--server->nb_fds];
        }
        return 0;
    }
    if (!entry) {
        if (server->nb_fds == MAX_DESCRIPTORS) {
            return -1;
        }
        entry = &server->fds[server->nb_fds++];
        entry->fd = args->fd;
    }
    entry->events = (short)args->events;
    return 0;
}

static int event(struct lws *wsi, enum lws_callback_reasons reason, void *user,
                 void *in, size_t size)
{
    Server *server = lws_context_user(lws_get_context(wsi));
    Connection *connection = user;

    switch (reason) {
    case LWS_CALLBACK_ADD_POLL_FD:
    case LWS_CALLBACK_DEL_POLL_FD:
    case LWS_CALLBACK_CHANGE_MODE_POLL_FD:
        return change_fds(server, reason, in);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return confirm_upgrade(server, wsi);
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_RAW_ADOPT:
        return opened(server, connection, wsi);
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_RAW_CLOSE:
        return closed(server, connection);
    case LWS_CALLBACK_RECEIVE:
        return received(connection, in, size);
    case LWS_CALLBACK_RAW_RX:
        return session_stream(&connection->session, in, size) ? 0 : -1;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return writable(connection, false);
    case LWS_CALLBACK_RAW_WRITEABLE:
        return writable(connection, true);
    default:
        return lws_callback_http_dummy(wsi, reason, user, in, size);
    }
}

static const struct lws_protocols protocols[] = {
    {
        .name = "tierlab-frames",
        .callback = event,
        .per_session_data_size = sizeof(Connection),
        .rx_buffer_size = FRAME_MAX,
    },
    LWS_PROTOCOL_LIST_TERM,
};

/* A guest that is stopped for an hour keeps its network: no pings. */
static const lws_retry_bo_t patient = { .secs_since_valid_ping = 0 };

static bool listen_web(Server *server)
{
    const struct lws_context_creation_info info = {
        .port = server->options->port,
        .iface = "127.0.0.1",
        .vhost_name = "web",
        .protocols = protocols,
        .retry_and_idle_policy = &patient,
    };

    server->web = lws_create_vhost(server->context, &info);
    return server->web && lws_get_vhost_listen_port(server->web) > 0;
}

static bool listen_stream(Server *server)
{
    const struct lws_context_creation_info info = {
        .iface = server->options->stream,
        .vhost_name = "stream",
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_UNIX_SOCK |
                   LWS_SERVER_OPTION_ADOPT_APPLY_LISTEN_ACCEPT_CONFIG,
        .listen_accept_role = "raw-skt",
        .listen_accept_protocol = protocols[0].name,
        .retry_and_idle_policy = &patient,
    };

    return lws_create_vhost(server->context, &info) != NULL;
}

Server *server_new(const ServerOptions *options)
{
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .options =
            LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DISABLE_IPV6,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
    };
    Server *server = calloc(1, sizeof(*server));

    if (!server) {
        fail("cannot start", "no memory");
        return NULL;
    }
    server->options = options;
    info.user = server;
    lws_set_log_level(0, NULL);
    server->context = lws_create_context(&info);
    if (!server->context) {
        fail("cannot start", "libwebsockets refuses");
    } else if (!listen_web(server)) {
        fail("cannot listen on 127.0.0.1",
             options->port ? "is the port in use? leave --port out"
                           : "no port is free");
    } else if (options->stream && !listen_stream(server)) {
        fail("cannot listen", options->stream);
    } else {
        return server;
    }
    server_free(server);
    return NULL;
}

int server_port(const Server *server)
{
    return lws_get_vhost_listen_port(server->web);
}

void server_before_poll(Server *server, PollSet *set)
{
    int most = (int)set->timeout_ms;

    for (Connection *c = server->connections; c; c = c->next) {
        if (c->session.first) {
            lws_callback_on_writable(c->wsi);
        }
        guestnet_before_poll(c->session.net, set);
    }
    server->first_in_set = -1;
    for (unsigned i = 0; i < server->nb_fds; i++) {
        int index = pollset_add(set, server->fds[i].fd, server->fds[i].events);

        server->first_in_set = i == 0 ? index : server->first_in_set;
    }
    pollset_wait_at_most(
        set, (uint32_t)lws_service_adjust_timeout(server->context, most, 0));
}

void server_after_poll(Server *server, PollSet *set)
{
    struct pollfd came[MAX_DESCRIPTORS];
    unsigned nb_came = 0;

    for (Connection *c = server->connections; c; c = c->next) {
        guestnet_after_poll(c->session.net, set);
    }
    /* A copy, because serving a descriptor adds and removes others. */
    for (unsigned i = 0; i < server->nb_fds && server->first_in_set >= 0; i++) {
        struct pollfd *fd = &set->fds[server->first_in_set + (int)i];

        if (fd->revents) {
            came[nb_came++] = *fd;
        }
    }
    for (unsigned i = 0; i < nb_came; i++) {
        if (find_fd(server, came[i].fd)) {
            lws_service_fd(server->context, &came[i]);
        }
    }
    lws_service_tsi(server->context, -1, 0);
}

void server_free(Server *server)
{
    lws_context_destroy(server->context);
    free(server);
}
