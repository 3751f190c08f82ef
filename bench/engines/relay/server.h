/*
 * Who may connect, and how frames travel: libwebsockets around guestnet.h.
 *
 * A page or a runner connects to ws://127.0.0.1:PORT/TOKEN; each binary
 * message is one Ethernet frame without its checksum. QEMU itself connects to
 * a Unix socket (-netdev stream): a frame there follows its size, 32 bits, big
 * end first. Each connection is a network of its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RELAY_SERVER_H
#define RELAY_SERVER_H

#include "filter.h"
#include "pollset.h"

enum {
    SERVER_MAX_ORIGINS = 8,
    SERVER_TOKEN_SIZE = 32, /* characters */
};

typedef struct ServerOptions {
    FilterRules rules;
    int port;           /* 0: any free port */
    const char *stream; /* path of the Unix socket, or NULL */
    const char *origins[SERVER_MAX_ORIGINS];
    unsigned nb_origins;
    char token[SERVER_TOKEN_SIZE + 1];
} ServerOptions;

typedef struct Server Server;

/* NULL, with a line on stderr, if it cannot listen. @options must stay. */
Server *server_new(const ServerOptions *options);
int server_port(const Server *server);
/* Around poll(), as in guestnet.h. */
void server_before_poll(Server *server, PollSet *set);
void server_after_poll(Server *server, PollSet *set);
void server_free(Server *server);

#endif
