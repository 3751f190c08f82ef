/*
 * Which frames of a guest pass.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../filter.h"

enum { TCP = 6, UDP = 17, ICMP = 1, SIZE = 14 + 20 + 20, IP = 14, L4 = 34 };

#define OWN UINT32_C(0xc0a80107)
#define OTHER UINT32_C(0xc0a80108)

static bool is_own(uint32_t address)
{
    return address == OWN;
}

static const FilterRules isolated = { .is_own = is_own };
static const FilterRules one_port = {
    .ports = { 8000 },
    .nb_ports = 1,
    .is_own = is_own,
};
static const FilterRules outside = { .outside = true, .is_own = is_own };

static uint8_t frame[SIZE];

static void put(uint8_t *at, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
    }
}

static void make(uint8_t protocol, uint32_t to, uint16_t port)
{
    memset(frame, 0, sizeof(frame));
    put(frame + 6, 0x52540012, 4);
    put(frame + 12, 0x0800, 2);
    frame[IP] = 0x45;
    put(frame + IP + 2, SIZE - IP, 2);
    frame[IP + 9] = protocol;
    put(frame + IP + 12, UINT32_C(0x0a00020f), 4);
    put(frame + IP + 16, to, 4);
    put(frame + L4 + 2, port, 2);
    if (protocol == ICMP) {
        frame[L4] = 8;
    }
}

static FilterVerdict verdict(const FilterRules *rules)
{
    /* A copy on the heap: a sanitizer sees reads behind its end. */
    uint8_t *copy = malloc(SIZE);
    FilterVerdict result;

    memcpy(copy, frame, SIZE);
    result = filter_frame(rules, copy, SIZE);
    free(copy);
    return result;
}

static void test_always(void **unused)
{
    const FilterRules *all[] = { &isolated, &one_port, &outside };

    (void)unused;
    for (int i = 0; i < 3; i++) {
        make(UDP, UINT32_MAX, 67);
        assert_int_equal(verdict(all[i]), FILTER_PASS);
        make(UDP, NET_HOST, 67);
        assert_int_equal(verdict(all[i]), FILTER_PASS);
        make(ICMP, NET_HOST, 0);
        assert_int_equal(verdict(all[i]), FILTER_PASS);
        put(frame + 12, 0x0806, 2);
        assert_int_equal(verdict(all[i]), FILTER_PASS);
    }
}

static void test_ports(void **unused)
{
    (void)unused;
    make(TCP, NET_HOST, 8000);
    assert_int_equal(verdict(&one_port), FILTER_PASS);
    assert_int_equal(verdict(&isolated), FILTER_REFUSE);
    assert_int_equal(verdict(&outside), FILTER_REFUSE);
    make(TCP, NET_HOST, 8001);
    assert_int_equal(verdict(&one_port), FILTER_REFUSE);
    make(UDP, NET_HOST, 8000);
    assert_int_equal(verdict(&one_port), FILTER_REFUSE);
    make(TCP, NET_HOST + 2, 8000);
    assert_int_equal(verdict(&one_port), FILTER_REFUSE);
    make(TCP, OTHER, 8000);
    assert_int_equal(verdict(&one_port), FILTER_REFUSE);
}

static void test_names(void **unused)
{
    const uint8_t protocols[] = { TCP, UDP };

    (void)unused;
    for (int i = 0; i < 2; i++) {
        make(protocols[i], NET_DNS, 53);
        assert_int_equal(verdict(&outside), FILTER_PASS);
        assert_int_equal(verdict(&one_port), FILTER_REFUSE);
        make(protocols[i], NET_DNS, 54);
        assert_int_equal(verdict(&outside), FILTER_REFUSE);
    }
}

/* Each address is this machine's, or no address of a single host. */
static void test_outside_is_not_here(void **unused)
{
    const uint32_t here[] = {
        UINT32_C(0x00000000),
        UINT32_C(0x00ffffff),
        UINT32_C(0x7f000001),
        UINT32_C(0x7fffffff),
        UINT32_C(0xa9fea9fe),
        UINT32_C(0x0a000200),
        UINT32_C(0x0a0002fe),
        NET_HOST,
        OWN,
    };
    const uint8_t protocols[] = { TCP, UDP, ICMP };

    (void)unused;
    for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++) {
        for (int p = 0; p < 3; p++) {
            if (here[i] == NET_HOST && protocols[p] == ICMP) {
                continue;
            }
            make(protocols[p], here[i], 80);
            assert_int_equal(verdict(&outside), FILTER_REFUSE);
        }
    }
}

static void test_outside(void **unused)
{
    const uint32_t there[] = {
        OTHER,
        UINT32_C(0x01000000),
        UINT32_C(0x7effffff),
        UINT32_C(0x80000000),
        UINT32_C(0xdfffffff),
        UINT32_C(0x0a000300),
        UINT32_C(0x0a0001ff),
    };
    const uint8_t protocols[] = { TCP, UDP, ICMP };

    (void)unused;
    for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++) {
        for (int p = 0; p < 3; p++) {
            make(protocols[p], there[i], 80);
            assert_int_equal(verdict(&outside), FILTER_PASS);
            assert_int_equal(verdict(&isolated), FILTER_REFUSE);
        }
    }
}

/* Errors are never sent to many hosts, and never answer an error. */
static void test_silence(void **unused)
{
    const uint32_t many[] = { UINT32_MAX, UINT32_C(0xe0000001),
                              UINT32_C(0xf0000000), UINT32_C(0x0a0002ff) };

    (void)unused;
    for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
        make(UDP, many[i], 80);
        assert_int_equal(verdict(&outside), FILTER_DROP);
    }
    make(ICMP, OTHER, 0);
    frame[L4] = 3;
    assert_int_equal(verdict(&outside), FILTER_DROP);
    make(47, OTHER, 0);
    assert_int_equal(verdict(&outside), FILTER_DROP);
}

/* Frames that libslirp might read in another way do not pass. */
static void test_doubtful(void **unused)
{
    const struct {
        int at;
        uint32_t value;
        int bytes;
    } doubtful[] = {
        { 12, 0x86dd, 2 },       /* IPv6 */
        { 12, 0x8100, 2 },       /* VLAN */
        { 12, 0x88f8, 2 },       /* NC-SI, which libslirp answers */
        { IP, 0x46, 1 },         /* options */
        { IP, 0x44, 1 },         /* a short header */
        { IP, 0x65, 1 },         /* another version */
        { IP + 6, 0x2000, 2 },   /* more fragments */
        { IP + 6, 0x0001, 2 },   /* a later fragment */
        { IP + 2, SIZE, 2 },     /* longer than the frame */
        { IP + 2, 20 + 7, 2 },   /* no whole header */
        { IP + 2, 0, 2 },
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(doubtful) / sizeof(doubtful[0]); i++) {
        make(TCP, NET_HOST, 8000);
        assert_int_equal(verdict(&one_port), FILTER_PASS);
        put(frame + doubtful[i].at, doubtful[i].value, doubtful[i].bytes);
        assert_int_equal(verdict(&one_port), FILTER_DROP);
    }
    make(TCP, NET_HOST, 8000);
    put(frame + IP + 6, 0x4000, 2); /* must not be fragmented */
    assert_int_equal(verdict(&one_port), FILTER_PASS);
}

static void test_short(void **unused)
{
    (void)unused;
    make(TCP, NET_HOST, 8000);
    for (size_t size = 0; size < SIZE; size++) {
        uint8_t *copy = malloc(size + 1);

        memcpy(copy + 1, frame, size);
        assert_int_equal(filter_frame(&one_port, copy + 1, size), FILTER_DROP);
        free(copy);
    }
}

static uint32_t sum16(const uint8_t *data, size_t size)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < size; i += 2) {
        sum += (uint32_t)(data[i] << 8 | data[i + 1]);
    }
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

static void test_refusal(void **unused)
{
    const uint8_t head[] = { 0x52, 0x54, 0, 0x12, 0, 0, 0x52,
                             0x55, 0x0a, 0, 2,    2, 8, 0 };
    uint8_t answer[FILTER_REFUSAL_SIZE];

    (void)unused;
    make(TCP, OTHER, 80);
    filter_refusal(frame, answer);
    assert_memory_equal(answer, head, sizeof(head));
    assert_int_equal(sum16(answer + IP, 20), 0xffff);
    assert_int_equal(sum16(answer + L4, FILTER_REFUSAL_SIZE - L4), 0xffff);
    assert_memory_equal(answer + IP + 16, frame + IP + 12, 4);
    assert_int_equal(answer[L4], 3);
    assert_int_equal(answer[L4 + 1], 13);
    assert_memory_equal(answer + L4 + 8, frame + IP, 28);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_always),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_outside_is_not_here),
        cmocka_unit_test(test_outside),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_doubtful),
        cmocka_unit_test(test_short),
        cmocka_unit_test(test_refusal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
