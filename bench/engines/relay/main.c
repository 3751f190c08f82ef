/*
 * The network of guests that run in a browser engine: frames come over a
 * WebSocket, and user-mode networking (libslirp) takes them from there.
 *
 * The relay prints the address for a client, with its secret, as its only line.
 * It ends when its standard input ends, so it cannot outlive its parent.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "own.h"
#include "server.h"

enum { EXIT_USAGE = 2, EXIT_SETUP = 3, LONGEST_SLEEP_MS = 1000 };

static const char usage[] =
    "usage: tierlab-relay [--host PORT]... [--outside] [--port PORT]\n"
    "                     [--stream PATH] [--origin ORIGIN]...\n"
    "  --host PORT      guests reach 127.0.0.1:PORT at 10.0.2.2:PORT\n"
    "  --outside        guests reach other machines\n"
    "  --port PORT      where to listen; otherwise a free one is taken\n"
    "  --stream PATH    listen on a Unix socket, too, for -netdev stream\n"
    "  --origin ORIGIN  let pages from there connect\n";

static bool bad_usage(const char *what, const char *value)
{
    fprintf(stderr, "tierlab-relay: %s%s; see --help\n", what, value);
    return false;
}

static int parse_port(const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);

    return *text && !*end && port > 0 && port < 65536 ? (int)port : 0;
}

static bool parse_option(ServerOptions *options, int option, const char *value)
{
    FilterRules *rules = &options->rules;
    int port;

    switch (option) {
    case 'h':
        port = parse_port(value);
        if (!port) {
            return bad_usage("--host takes a port, not ", value);
        }
        if (rules->nb_ports == FILTER_MAX_PORTS) {
            return bad_usage("too many ports: ", value);
        }
        rules->ports[rules->nb_ports++] = (uint16_t)port;
        return true;
    case 'o':
        rules->outside = true;
        return true;
    case 'p':
        options->port = parse_port(value);
        return options->port || bad_usage("no port: ", value);
    case 's':
        options->stream = value;
        return true;
    case 'g':
        if (options->nb_origins == SERVER_MAX_ORIGINS) {
            return bad_usage("too many origins: ", value);
        }
        options->origins[options->nb_origins++] = value;
        return true;
    default:
        return bad_usage("bad option", "");
    }
}

static bool parse(ServerOptions *options, int argc, char **argv)
{
    static const struct option known[] = {
        { "host", required_argument, NULL, 'h' },
        { "outside", no_argument, NULL, 'o' },
        { "port", required_argument, NULL, 'p' },
        { "stream", required_argument, NULL, 's' },
        { "origin", required_argument, NULL, 'g' },
        { "help", no_argument, NULL, '?' },
        { NULL, 0, NULL, 0 },
    };
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (!parse_option(options, option, optarg)) {
            return false;
        }
    }
    return optind == argc || bad_usage("unexpected: ", argv[optind]);
}

static bool make_token(char token[SERVER_TOKEN_SIZE + 1])
{
    uint8_t bytes[SERVER_TOKEN_SIZE / 2];

    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(bytes); i++) {
        snprintf(token + 2 * i, 3, "%02x", bytes[i]);
    }
    return true;
}

/* A descriptor that is readable when a signal asks the relay to end. */
static int signals(void)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Whether the relay's parent is gone. */
static bool input_ended(short came)
{
    char unused[64];

    return came != 0 && read(STDIN_FILENO, unused, sizeof(unused)) <= 0;
}

static void serve(Server *server, int asked_to_end)
{
    PollSet set = { 0 };

    for (;;) {
        int input, end;

        pollset_clear(&set, LONGEST_SLEEP_MS);
        input = pollset_add(&set, STDIN_FILENO, POLLIN);
        end = pollset_add(&set, asked_to_end, POLLIN);
        server_before_poll(server, &set);
        pollset_poll(&set);
        if (pollset_came(&set, end) || input_ended(pollset_came(&set, input))) {
            break;
        }
        server_after_poll(server, &set);
    }
    pollset_free(&set);
}

int main(int argc, char **argv)
{
    static ServerOptions options = { .rules.is_own = own_address };
    int asked_to_end;
    Server *server;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    if (!parse(&options, argc, argv)) {
        return EXIT_USAGE;
    }
    asked_to_end = signals();
    if (asked_to_end < 0 || !make_token(options.token)) {
        perror("tierlab-relay: cannot start");
        return EXIT_SETUP;
    }
    server = server_new(&options);
    if (!server) {
        return EXIT_SETUP;
    }
    printf("ws://127.0.0.1:%d/%s\n", server_port(server), options.token);
    fflush(stdout);
    serve(server, asked_to_end);
    server_free(server);
    if (options.stream) {
        unlink(options.stream);
    }
    return EXIT_SUCCESS;
}
