/*
 * Plays a small run and prints its statistics, for check_json.py.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>

#include "play.h"

static void to_stdout(void *opaque, const char *text, size_t len)
{
    (void)opaque;
    fwrite(text, 1, len, stdout);
}

int main(void)
{
    static Play play;

    play_start(&play, "threshold:n=10", UINT64_C(18446744073709551615));
    for (uint32_t i = 0; i < 200; i++) {
        play_translate(&play);
        play_enter(&play, i, i % 20);
    }
    play_settle(&play);
    tier_failed(play.engine, (uint32_t[]){ 5 }, 1, TIER_REFUSED_TABLE_FULL);
    tier_invalidated(play.engine, 7);
    tier_counters(play.engine)->first_insn_epoch_ms = UINT64_C(1700000000000);
    tier_stats_json(play.engine, to_stdout, NULL);
    play_free(&play);
    return 0;
}
