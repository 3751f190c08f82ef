/*
 * flush-all: the whole buffer, as QEMU does. The least work for each byte that
 * becomes free, and every TB that is still in use is translated again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../buffer.h"

const TierBuffer tier_buffer_flush_all = {
    .summary = "flush the whole code buffer when it is full",
    .source = "baseline: QEMU's tb_flush()",
};
