/*
 * See own.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "own.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stddef.h>
#include <time.h>

static struct ifaddrs *known;
static time_t looked_at;

static void look(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (known && now.tv_sec == looked_at) {
        return;
    }
    freeifaddrs(known);
    looked_at = now.tv_sec;
    if (getifaddrs(&known) != 0) {
        known = NULL;
    }
}

bool own_address(uint32_t address)
{
    look();
    for (const struct ifaddrs *i = known; i; i = i->ifa_next) {
        if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET) {
            const struct sockaddr_in *in =
                (const struct sockaddr_in *)(const void *)i->ifa_addr;

            if (ntohl(in->sin_addr.s_addr) == address) {
                return true;
            }
        }
    }
    return known == NULL;
}
