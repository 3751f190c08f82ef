/*
 * What the benchmarks in the engine ask of it, beside tcg-wasm/host.h: times of
 * its two steps apart, and what Linux knows of the process.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MICRO_ENGINE_HOST_H
#define MICRO_ENGINE_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "tcg-wasm/bytecode.h"

/* As tw_host_install(); adds the times of both steps. */
bool host_install(const uint8_t *bytes, uint32_t len, double *module_ns,
                  double *instance_ns);

/* A table of @slots with the stub in all of them, used from now on in place of
 * the program's own. False if there is no memory for it. */
bool host_own_table(uint32_t slots, TwTbFn *stub);

double host_now_ns(void);

/* Time that this thread has run, so that others on the machine matter less. */
double host_cpu_ns(void);

/* Resident memory and memory mappings of the process. */
typedef struct HostMemory {
    double rss_bytes;
    double maps;
} HostMemory;

HostMemory host_memory(void);

#endif
