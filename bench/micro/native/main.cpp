/*
 * The native microbenchmarks: emission, interpreter, policies. Options and
 * output are those of google-benchmark.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "micro.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

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

static void describe_input()
{
    MixFacts facts = mix_facts(&plain_mix());

    benchmark::AddCustomContext("mix_tbs", std::to_string(mix_tbs));
    benchmark::AddCustomContext("mix_words_per_tb",
                                std::to_string(facts.words));
    benchmark::AddCustomContext("mix_guest_insns_per_tb",
                                std::to_string(facts.guest_insns));
    benchmark::AddCustomContext("mix_executed_per_tb",
                                std::to_string(facts.executed));
    benchmark::AddCustomContext("mix_env_share",
                                std::to_string(facts.env_share));
}

int main(int argc, char **argv)
{
    machine_init();
    register_emission();
    register_interpreter();
    register_policies();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 2;
    }
    describe_input();
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
