/*
 * The entry point of a fuzz target, as libFuzzer calls it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_TESTS_FUZZ_H
#define TIER_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
