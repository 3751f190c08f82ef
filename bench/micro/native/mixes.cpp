/*
 * The mixes that benchmarks share, made when they are first asked for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "micro.hpp"

#include <cstdio>
#include <cstdlib>

static Mix make_mix(bool fused)
{
    Mix mix;

    if (!mix_init(&mix, mix_tbs, mix_seed, fused)) {
        std::fprintf(stderr, "micro-native: out of memory\n");
        std::exit(3);
    }
    mix_link(&mix, mix.n);
    return mix;
}

const Mix &plain_mix()
{
    static const Mix mix = make_mix(false);

    return mix;
}

const Mix &fused_mix()
{
    static const Mix mix = make_mix(true);

    return mix;
}
