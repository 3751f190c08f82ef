/*
 * Loops that run long enough for every policy to compile them, with known
 * results: CRC-32 in two ways, SHA-256 of "abc", and SHA-256 again and again
 * over its own digest, for as many rounds as a million bytes take.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../metal.h"

enum { SIZE = 16 * 1024, ROUNDS = 6, BLOCKS = 400 };

static uint8_t data[SIZE];
static uint32_t table[256];

static const uint32_t sha_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t crc_by_bits(const uint8_t *p, size_t size)
{
    uint32_t crc = ~0u;

    while (size--) {
        crc ^= *p++;
        for (int i = 0; i < 8; i++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
    }
    return ~crc;
}

static uint32_t crc_by_table(const uint8_t *p, size_t size)
{
    uint32_t crc = ~0u;

    while (size--) {
        crc = crc >> 8 ^ table[(crc ^ *p++) & 255];
    }
    return ~crc;
}

static uint32_t turn(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

/* One block of SHA-256 (FIPS 180-4, 6.2.2). */
static void sha_block(uint32_t h[8], const uint32_t block[16])
{
    uint32_t w[64], s[8];

    for (int t = 0; t < 64; t++) {
        w[t] = t < 16 ? block[t]
                      : w[t - 16] + w[t - 7] +
                            (turn(w[t - 15], 7) ^ turn(w[t - 15], 18) ^
                             w[t - 15] >> 3) +
                            (turn(w[t - 2], 17) ^ turn(w[t - 2], 19) ^
                             w[t - 2] >> 10);
    }
    for (int i = 0; i < 8; i++) {
        s[i] = h[i];
    }
    for (int t = 0; t < 64; t++) {
        uint32_t e = s[4], a = s[0];
        uint32_t t1 = s[7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) +
                      ((e & s[5]) ^ (~e & s[6])) + sha_constants[t] + w[t];
        uint32_t t2 = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) +
                      ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));

        for (int i = 7; i > 0; i--) {
            s[i] = s[i - 1] + (i == 4 ? t1 : 0);
        }
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) {
        h[i] += s[i];
    }
}

static uint64_t sha(void)
{
    uint32_t h[8] = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    };
    uint32_t block[16] = { 0x61626380, [15] = 24 };

    sha_block(h, block);
    EXPECT(h[0] == 0xba7816bf && h[1] == 0x8f01cfea && h[7] == 0xf20015ad);
    for (int n = 0; n < BLOCKS; n++) {
        for (int i = 0; i < 8; i++) {
            block[i] ^= h[i];
        }
        sha_block(h, block);
    }
    return (uint64_t)h[0] << 32 | h[7];
}

uint64_t check_hot(void)
{
    uint64_t state = 0x082efa98ec4e6c89, digest = 0;

    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++) {
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
        }
    }
    EXPECT(crc_by_bits((const uint8_t *)"123456789", 9) == 0xcbf43926);
    for (int round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < SIZE; i++) {
            data[i] = (uint8_t)(metal_random(&state) >> 11);
        }
        EXPECT(crc_by_bits(data, SIZE) == crc_by_table(data, SIZE));
        digest = metal_mix(digest, crc_by_table(data, SIZE));
    }
    return metal_mix(digest, sha());
}
