/*
 * Emitting and installing, with the time of each step.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "modules.h"

#include <stdio.h>
#include <stdlib.h>

#include "host.h"
#include "tcg-wasm/host.h"

enum { MIX_TBS = 16384, MIX_SEED = 1 };

Mix *modules_mix(void)
{
    static Mix mix;

    if (!mix.n && !mix_init(&mix, MIX_TBS, MIX_SEED, true)) {
        fprintf(stderr, "micro-engine: out of memory\n");
        exit(3);
    }
    return &mix;
}

uint32_t modules_slots(void)
{
    static uint32_t base;

    if (!base) {
        base = tw_host_reserve(MODULES_SLOTS, machine_interpret);
        if (!base) {
            fprintf(stderr, "micro-engine: the table cannot grow\n");
            exit(3);
        }
    }
    return base;
}

static bool install(const TwEmitOptions *options, uint32_t first, uint32_t n,
                    InstallTimes *times)
{
    static TwBuf buf;
    double start = host_now_ns();
    TwRefusal why;

    buf.len = 0;
    why = tw_emit_module(options, &modules_mix()->refs[first], n, &buf);
    times->emit_ns += host_now_ns() - start;
    times->wasm_bytes += (double)buf.len;
    times->modules++;
    return why == TW_REFUSED_NONE &&
           host_install(buf.data, (uint32_t)buf.len, &times->module_ns,
                        &times->instance_ns);
}

bool modules_install(const Layout *layout, uint32_t first, uint32_t n,
                     uint32_t slot, InstallTimes *times)
{
    TwTarget target = machine_target();
    TwEmitOptions options = {
        .target = &target,
        .shape = layout->shape,
        .chaining = layout->chaining,
        .counts = layout->counts,
        .sample_period = 64,
    };

    for (uint32_t i = 0; i < n; i += layout->group) {
        uint32_t members = n - i < layout->group ? n - i : layout->group;

        options.table_base = slot + i;
        if (!install(&options, first + i, members, times)) {
            return false;
        }
    }
    return true;
}
