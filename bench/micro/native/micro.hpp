/*
 * What all native benchmarks include: google-benchmark, and our C headers.
 *
 * Names of benchmarks are native/PART/WHAT/PARAMETER:VALUE.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MICRO_NATIVE_HPP
#define MICRO_NATIVE_HPP

#include <benchmark/benchmark.h>

extern "C" {
#include "bench/micro/insn-kinds.h"
#include "bench/micro/machine.h"
#include "bench/micro/tb-mix.h"
#include "bench/micro/boot-events.h"
#include "tcg-wasm/emit.h"
}

/* Of the mixes: enough that a group is not in the cache when it comes again. */
constexpr uint32_t mix_tbs = 4096;
constexpr uint64_t mix_seed = 1;

/*
 * mixes.cpp: the mix, linked as one ring; without superinstructions, and with.
 * The process ends if memory is short.
 */
const Mix &plain_mix();
const Mix &fused_mix();

#endif
