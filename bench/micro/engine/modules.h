/*
 * Modules of TBs of the mix: emitted, and installed in the engine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MICRO_ENGINE_MODULES_H
#define MICRO_ENGINE_MODULES_H

#include "bench/micro/machine.h"
#include "bench/micro/tb-mix.h"

/* How to make modules of TBs. */
typedef struct Layout {
    uint32_t group;             /* TBs a module; 0: interpreted */
    TwShape shape;
    TwChaining chaining;
    TwCounts counts;
} Layout;

typedef struct InstallTimes {
    double emit_ns, module_ns, instance_ns;
    double wasm_bytes;
    uint32_t modules;
} InstallTimes;

/*
 * The mix that all benchmarks of a process take their TBs from, made when it is
 * first asked for. Ends the program if memory is short.
 */
Mix *modules_mix(void);

/*
 * Compile TBs [@first, @first + @n) of the mix into the slots from @slot on,
 * and add to @times. False if the emitter or the engine refuses a module.
 */
bool modules_install(const Layout *layout, uint32_t first, uint32_t n,
                     uint32_t slot, InstallTimes *times);

/*
 * The first of MODULES_SLOTS slots of the program's own table. Ends the program
 * if the table cannot grow.
 */
enum { MODULES_SLOTS = 256 * 1024 };
uint32_t modules_slots(void);

#endif
