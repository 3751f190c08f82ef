/*
 * See filter.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "filter.h"

#include <string.h>

/* Offsets: Ethernet, IPv4 without options, and what follows it. */
enum {
    ETH_TYPE = 12,
    IP = 14,
    IP_LENGTH = IP + 2,
    IP_FRAGMENT = IP + 6,
    IP_PROTOCOL = IP + 9,
    IP_SUM = IP + 10,
    IP_SOURCE = IP + 12,
    IP_DESTINATION = IP + 16,
    PAYLOAD = IP + 20,
    L4_DESTINATION = PAYLOAD + 2,
    L4_NEEDED = 8, /* bytes of TCP, UDP or ICMP that an ICMP error repeats */

    TYPE_IPV4 = 0x0800,
    TYPE_ARP = 0x0806,
    VERSION_4_NO_OPTIONS = 0x45,
    FRAGMENTED = 0x3fff, /* more follow, or a later one; without flag 0x4000 */
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    ECHO_REQUEST = 8,
    UNREACHABLE = 3,
    BY_ADMINISTRATOR = 13,
    PORT_DNS = 53,
    PORT_DHCP = 67,
};

#define BROADCAST UINT32_C(0xffffffff)

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static bool has_port(const FilterRules *rules, uint16_t port)
{
    for (unsigned i = 0; i < rules->nb_ports; i++) {
        if (rules->ports[i] == port) {
            return true;
        }
    }
    return false;
}

/* Not this machine, no broadcast, no address that only this machine reaches. */
static bool is_outside(const FilterRules *rules, uint32_t address)
{
    uint32_t top = address >> 24;

    return top != 0 && top != 127 && top < 224 &&
           (address >> 16) != 0xa9fe /* link-local */ &&
           (address & NET_MASK) != NET_PREFIX && !rules->is_own(address);
}

static FilterVerdict filter_ipv4(const FilterRules *rules, const uint8_t *frame)
{
    uint8_t protocol = frame[IP_PROTOCOL];
    uint32_t to = get32(frame + IP_DESTINATION);
    uint16_t port = get16(frame + L4_DESTINATION);
    bool allowed;

    if (protocol == PROTOCOL_UDP && port == PORT_DHCP &&
        (to == BROADCAST || to == NET_HOST)) {
        return FILTER_PASS;
    }
    if ((to >> 24) >= 224 || to == (NET_PREFIX | ~NET_MASK)) {
        return FILTER_DROP; /* to many hosts: such frames get no errors */
    }
    switch (protocol) {
    case PROTOCOL_ICMP:
        if (frame[PAYLOAD] != ECHO_REQUEST) {
            return FILTER_DROP;
        }
        allowed = to == NET_HOST;
        break;
    case PROTOCOL_TCP:
        allowed = to == NET_HOST && has_port(rules, port);
        break;
    case PROTOCOL_UDP:
        allowed = false;
        break;
    default:
        return FILTER_DROP;
    }
    if (rules->outside) {
        allowed |= is_outside(rules, to);
        allowed |=
            protocol != PROTOCOL_ICMP && to == NET_DNS && port == PORT_DNS;
    }
    return allowed ? FILTER_PASS : FILTER_REFUSE;
}

FilterVerdict filter_frame(const FilterRules *rules, const uint8_t *frame,
                           size_t size)
{
    size_t length;

    if (size < IP) {
        return FILTER_DROP;
    }
    if (get16(frame + ETH_TYPE) == TYPE_ARP) {
        return FILTER_PASS;
    }
    if (get16(frame + ETH_TYPE) != TYPE_IPV4 || size < PAYLOAD ||
        frame[IP] != VERSION_4_NO_OPTIONS ||
        (get16(frame + IP_FRAGMENT) & FRAGMENTED)) {
        return FILTER_DROP;
    }
    length = get16(frame + IP_LENGTH);
    if (length > size - IP || length < PAYLOAD - IP + L4_NEEDED) {
        return FILTER_DROP;
    }
    return filter_ipv4(rules, frame);
}

static uint16_t checksum(const uint8_t *data, size_t size)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < size; i += 2) {
        sum += get16(data + i);
    }
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

void filter_refusal(const uint8_t *frame, uint8_t answer[FILTER_REFUSAL_SIZE])
{
    const uint8_t from[4] = { NET_HOST >> 24, NET_HOST >> 16 & 0xff,
                              NET_HOST >> 8 & 0xff, NET_HOST & 0xff };
    uint8_t *icmp = answer + PAYLOAD;

    memset(answer, 0, FILTER_REFUSAL_SIZE);
    memcpy(answer, frame + 6, 6);
    /* libslirp's own address: 52:55 and the host's IPv4 address. */
    answer[6] = 0x52;
    answer[7] = 0x55;
    memcpy(answer + 8, from, 4);
    put16(answer + ETH_TYPE, TYPE_IPV4);

    answer[IP] = VERSION_4_NO_OPTIONS;
    put16(answer + IP_LENGTH, FILTER_REFUSAL_SIZE - IP);
    answer[IP + 8] = 64; /* hops left */
    answer[IP_PROTOCOL] = PROTOCOL_ICMP;
    memcpy(answer + IP_SOURCE, from, 4);
    memcpy(answer + IP_DESTINATION, frame + IP_SOURCE, 4);
    put16(answer + IP_SUM, checksum(answer + IP, PAYLOAD - IP));

    icmp[0] = UNREACHABLE;
    icmp[1] = BY_ADMINISTRATOR;
    memcpy(icmp + 8, frame + IP, PAYLOAD - IP + L4_NEEDED);
    put16(icmp + 2, checksum(icmp, FILTER_REFUSAL_SIZE - PAYLOAD));
}
