/*
 * Which frames of a guest may go on to the user-mode network.
 *
 * libslirp alone is no wall: it connects to any address that a guest names, to
 * this machine as well (127.0.0.1, 0.0.0.0, its other addresses), and its
 * restricted mode allows no server of this machine at 10.0.2.2. So the relay
 * looks at each frame first, and passes only these:
 *
 *   ARP; DHCP; echo requests to 10.0.2.2
 *   TCP to 10.0.2.2 at the ports named: servers on 127.0.0.1
 *   with `outside`: TCP, UDP, echo requests to addresses that are not this
 *   machine, and name resolution by 10.0.2.3
 *
 * The relay drops all other frames. A frame that libslirp might read in another
 * way than this filter (fragments, IP options, IPv6) never passes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef RELAY_FILTER_H
#define RELAY_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FILTER_MAX_PORTS = 16,
    FILTER_REFUSAL_SIZE = 14 + 20 + 8 + 28,
};

/* libslirp's network, in which every guest is: 10.0.2.0/24. */
#define NET_PREFIX UINT32_C(0x0a000200)
#define NET_MASK UINT32_C(0xffffff00)
#define NET_HOST UINT32_C(0x0a000202)
#define NET_DNS UINT32_C(0x0a000203)
#define NET_FIRST UINT32_C(0x0a00020f)

typedef struct FilterRules {
    uint16_t ports[FILTER_MAX_PORTS];
    unsigned nb_ports;
    bool outside;
    /* Whether an address, in host order, is one of this machine's own. */
    bool (*is_own)(uint32_t address);
} FilterRules;

typedef enum FilterVerdict {
    FILTER_PASS,
    FILTER_DROP,
    FILTER_REFUSE, /* drop it, and tell the guest by filter_refusal() */
} FilterVerdict;

FilterVerdict filter_frame(const FilterRules *rules, const uint8_t *frame,
                           size_t size);

/*
 * The answer to a refused frame: "administratively filtered". By this answer a
 * guest's connect() fails at once; without it connect() waits for minutes.
 */
void filter_refusal(const uint8_t *frame, uint8_t answer[FILTER_REFUSAL_SIZE]);

#endif
