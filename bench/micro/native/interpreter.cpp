/*
 * The interpreter: by kind of instruction, from TB to TB, and the mix, plain
 * and with superinstructions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "parts.hpp"

#include <string>
#include <vector>

#include "micro.hpp"

using benchmark::Counter;

constexpr int32_t fuel = 1000;  /* executions of the TB that counts */

static void per(benchmark::State &state, const char *what, double n)
{
    state.counters[what] =
        Counter(n, Counter::kIsIterationInvariantRate | Counter::kInvert);
}

static void by_kind(benchmark::State &state, const Kind &kind, bool fused)
{
    std::vector<uint64_t> words(KIND_MAX_WORDS);

    machine_init();
    kind_make(&kind, words.data(), fused);
    for (auto _ : state) {
        machine_run(reinterpret_cast<TwHeader *>(words.data()), fuel);
    }
    per(state, "s_per_insn",
        static_cast<double>(fuel) * (KIND_PER_TB / kind.insns * kind.insns));
}

static void chain(benchmark::State &state, bool by_pointer)
{
    const uint32_t n = 64;
    std::vector<uint64_t> words(n * CHAIN_WORDS);
    std::vector<uint64_t *> code(n);

    for (uint32_t i = 0; i < n; i++) {
        code[i] = &words[i * CHAIN_WORDS];
    }
    kind_make_chain(code.data(), n, by_pointer);
    for (auto _ : state) {
        machine_run(reinterpret_cast<TwHeader *>(code[0]), fuel);
    }
    per(state, "s_per_tb", static_cast<double>(fuel) * n);
}

static void whole_mix(benchmark::State &state, const Mix &mix)
{
    MixFacts facts = mix_facts(&mix);
    const int32_t laps = 20;

    machine_init();
    machine_tbs = mix.code;
    for (auto _ : state) {
        machine_run(mix_header(&mix, 0), laps);
    }
    per(state, "s_per_tb", static_cast<double>(laps) * mix.n);
    per(state, "s_per_insn", laps * facts.executed * mix.n);
}

void register_interpreter()
{
    const std::string prefix = "native/interp/";

    for (uint32_t i = 0; i < nb_kinds; i++) {
        const Kind &kind = kinds[i];

        /* One instruction alone is never part of a sequence. */
        for (bool fused : { false, true }) {
            if (fused && kind.insns == 1) {
                continue;
            }
            std::string name = prefix + kind.name;

            if (kind.insns > 1) {
                name += fused ? "/fused" : "/plain";
            }
            benchmark::RegisterBenchmark(
                name.c_str(),
                [&kind, fused](auto &state) { by_kind(state, kind, fused); });
        }
    }
    benchmark::RegisterBenchmark((prefix + "chain/goto_tb").c_str(), chain,
                                 false);
    benchmark::RegisterBenchmark((prefix + "chain/goto_ptr").c_str(), chain,
                                 true);
    benchmark::RegisterBenchmark(
        (prefix + "mix/plain").c_str(),
        [](benchmark::State &state) { whole_mix(state, plain_mix()); });
    benchmark::RegisterBenchmark(
        (prefix + "mix/fused").c_str(),
        [](benchmark::State &state) { whole_mix(state, fused_mix()); });
}
