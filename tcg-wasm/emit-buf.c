/*
 * Growing and freeing the buffer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-buf.h"

#include <stdlib.h>

void tw_buf_free(TwBuf *buf)
{
    free(buf->data);
    *buf = (TwBuf){ 0 };
}

bool tw_buf_need(TwBuf *buf, size_t n)
{
    size_t cap = buf->cap ? buf->cap : 4096;
    uint8_t *data;

    if (buf->cap - buf->len >= n) {
        return !buf->failed;
    }
    while (cap - buf->len < n) {
        cap *= 2;
    }
    data = realloc(buf->data, cap);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    return !buf->failed;
}
