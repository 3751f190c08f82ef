/*
 * The native microbenchmarks: emission, interpreter, policies. Options and
 * output are those of google-benchmark.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "parts.hpp"

#include <string>

#include "micro.hpp"

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
