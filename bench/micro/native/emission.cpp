/*
 * The emitter, and what comes before it: verifier and superinstructions. Each
 * iteration does one group; groups follow each other through the mix.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "parts.hpp"

#include <string>
#include <vector>

#include "micro.hpp"

using benchmark::Counter;

/* Bytecode, guest instructions and TBs that went through. */
struct Done {
    uint64_t tbs = 0, bytes = 0, guest_insns = 0;

    void add(const Mix &mix, uint32_t first, uint32_t n)
    {
        for (uint32_t i = first; i < first + n; i++) {
            bytes += mix.tbs[i].nwords * sizeof(uint64_t);
            guest_insns += mix.tbs[i].guest_insns;
        }
        tbs += n;
    }

    void report(benchmark::State &state) const
    {
        state.SetBytesProcessed(static_cast<int64_t>(bytes));
        state.SetItemsProcessed(static_cast<int64_t>(tbs));
        state.counters["s_per_tb"] = Counter(
            static_cast<double>(tbs), Counter::kIsRate | Counter::kInvert);
    }
};

static void emission(benchmark::State &state, TwShape shape)
{
    const Mix &mix = plain_mix();
    uint32_t group = static_cast<uint32_t>(state.range(0)), first = 0;
    TwTarget target = machine_target();
    TwEmitOptions options = {};
    TwBuf out = {};
    uint64_t wasm = 0;
    Done done;

    target.mem_max_pages = 65536;
    options.target = &target;
    options.shape = shape;
    options.chaining = TW_CHAIN_TAIL;
    for (auto _ : state) {
        out.len = 0;
        TwRefusal why = tw_emit_module(&options, &mix.refs[first], group, &out);

        if (why != TW_REFUSED_NONE) {
            state.SkipWithError(tw_refusal_key(why));
            break;
        }
        benchmark::DoNotOptimize(out.data);
        wasm += out.len;
        done.add(mix, first, group);
        first = (first + group) % mix.n;
    }
    done.report(state);
    state.counters["wasm_bytes_per_guest_insn"] =
        static_cast<double>(wasm) / static_cast<double>(done.guest_insns);
    state.counters["wasm_bytes_per_bytecode_byte"] =
        static_cast<double>(wasm) / static_cast<double>(done.bytes);
    tw_buf_free(&out);
}

static void verification(benchmark::State &state)
{
    const Mix &mix = plain_mix();
    uint32_t i = 0;
    Done done;

    for (auto _ : state) {
        char why[100];

        if (!tw_verify(mix.code[i], mix.tbs[i].nwords, why, sizeof(why))) {
            state.SkipWithError(why);
            break;
        }
        done.add(mix, i, 1);
        i = (i + 1) % mix.n;
    }
    done.report(state);
}

/*
 * tw_fuse() of fused code changes nothing and takes as long, so it may be
 * repeated.
 */
static void fusing(benchmark::State &state)
{
    const Mix &mix = fused_mix();
    uint32_t i = 0;
    Done done;

    for (auto _ : state) {
        tw_fuse(mix.code[i], mix.tbs[i].nwords);
        benchmark::ClobberMemory();
        done.add(mix, i, 1);
        i = (i + 1) % mix.n;
    }
    done.report(state);
}

void register_emission()
{
    static const struct {
        const char *name;
        TwShape shape;
    } shapes[] = {
        { "functions", TW_SHAPE_FUNCTIONS },
        { "regions", TW_SHAPE_REGIONS },
    };

    for (const auto &s : shapes) {
        std::string name = std::string("native/emit/") + s.name;
        TwShape shape = s.shape;

        benchmark::RegisterBenchmark(
            name.c_str(),
            [shape](benchmark::State &state) { emission(state, shape); })
            ->ArgName("tbs")
            ->Arg(1)
            ->Arg(8)
            ->Arg(64)
            ->Arg(512);
    }
    benchmark::RegisterBenchmark("native/verify", verification);
    benchmark::RegisterBenchmark("native/fuse", fusing);
}
