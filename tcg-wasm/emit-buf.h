/*
 * The buffer that a module is written to, and numbers as Wasm encodes them.
 *
 * tw_buf_need() makes room; the tw_put_* functions do not check for it. Numbers
 * are LEB128: seven bits a byte, the lowest first, bit 7 set in all but the
 * last.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_EMIT_BUF_H
#define TW_EMIT_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing byte buffer; zero-initialise, reuse by setting len = 0. */
typedef struct TwBuf {
    uint8_t *data;
    size_t len;
    size_t cap;
    bool failed; /* out of memory: contents are incomplete */
} TwBuf;

void tw_buf_free(TwBuf *buf);

/*
 * Make room for @n more bytes. False if memory is short, now or earlier: then
 * @failed is set, and nothing may be written.
 */
bool tw_buf_need(TwBuf *buf, size_t n);

static inline void tw_put_byte(TwBuf *buf, unsigned byte)
{
    buf->data[buf->len++] = (uint8_t)byte;
}

static inline void tw_put_u32(TwBuf *buf, uint32_t v)
{
    for (; v > 0x7f; v >>= 7) {
        tw_put_byte(buf, (v & 0x7f) | 0x80);
    }
    tw_put_byte(buf, v);
}

static inline void tw_put_s64(TwBuf *buf, int64_t v)
{
    while (v > 63 || v < -64) {
        tw_put_byte(buf, (v & 0x7f) | 0x80);
        v >>= 7;
    }
    tw_put_byte(buf, v & 0x7f);
}

/* How many bytes does tw_put_s64() write? */
static inline unsigned tw_s64_size(int64_t v)
{
    unsigned n = 1;

    for (; v > 63 || v < -64; v >>= 7) {
        n++;
    }
    return n;
}

/*
 * A size that is known only when what it measures has been written: five bytes,
 * padded, so that nothing has to move. Returns where what is measured starts,
 * for tw_patch_size() at its end.
 */
static inline size_t tw_put_size_later(TwBuf *buf)
{
    buf->len += 5;
    return buf->len;
}

static inline void tw_patch_size(TwBuf *buf, size_t start)
{
    size_t size = buf->len - start;

    for (int i = 0; i < 5; i++) {
        buf->data[start - 5 + i] = (size & 0x7f) | (i < 4 ? 0x80 : 0);
        size >>= 7;
    }
}

#endif
