/*
 * The benchmarks: each file adds its own to the list.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MICRO_ENGINE_BENCHES_H
#define MICRO_ENGINE_BENCHES_H

#include "bench.h"

/* Module, instance, first call, memory. */
void install_benches(BenchList *list);
void dispatch_benches(BenchList *list); /* steady state */
void lifetime_benches(BenchList *list); /* table sizes, churn */

#endif
