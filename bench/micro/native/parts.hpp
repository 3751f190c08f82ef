/*
 * The parts: each file registers its benchmarks with google-benchmark.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MICRO_PARTS_HPP
#define MICRO_PARTS_HPP

void register_emission();
void register_interpreter();
void register_policies();

#endif
