/*
 * The engine, by way of emscripten and Node.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "host.h"

#include <emscripten.h>

/* clang-format off */
EM_JS(int, micro_js_install, (uint32_t bytes, uint32_t len, double *times), {
    try {
        const code = new Uint8Array(wasmMemory.buffer, bytes >>> 0,
                                    len >>> 0).slice();
        const table = globalThis.microTable ?? wasmTable;
        const imports = {'e': {'m': wasmMemory, 't': table}};
        const t0 = performance.now();
        const module = new WebAssembly.Module(code);
        const t1 = performance.now();
        new WebAssembly.Instance(module, imports);
        const t2 = performance.now();
        const out = new Float64Array(wasmMemory.buffer, times >>> 0, 2);
        out[0] = (t1 - t0) * 1e6;
        out[1] = (t2 - t1) * 1e6;
        return 1;
    } catch (e) {
        err('micro: the engine refused a module: ' + e);
        return 0;
    }
});

EM_JS(int, micro_js_own_table, (uint32_t slots, uint32_t stub), {
    try {
        const fn = wasmTable.get(stub >>> 0);
        globalThis.microTable =
            new WebAssembly.Table({'initial': slots, 'element': 'anyfunc'});
        for (let i = 0; i < slots; i++) {
            globalThis.microTable.set(i, fn);
        }
        return 1;
    } catch (e) {
        return 0;
    }
});

EM_JS(double, micro_js_now_ms, (void), {
    return performance.now();
});

EM_JS(double, micro_js_cpu_us, (void), {
    const usage = process.threadCpuUsage();
    return usage.user + usage.system;
});

EM_JS(double, micro_js_rss, (void), {
    const status = require('fs').readFileSync('/proc/self/status', 'latin1');
    return /VmRSS:[^0-9]*([0-9]+)/.exec(status)[1] * 1024;
});

EM_JS(double, micro_js_maps, (void), {
    const maps = require('fs').readFileSync('/proc/self/maps', 'latin1');
    return maps.split('\n').length - 1;
});
/* clang-format on */

bool host_install(const uint8_t *bytes, uint32_t len, double *module_ns,
                  double *instance_ns)
{
    double times[2];

    if (!micro_js_install((uint32_t)bytes, len, times)) {
        return false;
    }
    *module_ns += times[0];
    *instance_ns += times[1];
    return true;
}

bool host_own_table(uint32_t slots, TwTbFn *stub)
{
    return micro_js_own_table(slots, (uint32_t)stub);
}

double host_now_ns(void)
{
    return micro_js_now_ms() * 1e6;
}

double host_cpu_ns(void)
{
    return micro_js_cpu_us() * 1e3;
}

HostMemory host_memory(void)
{
    return (HostMemory){ micro_js_rss(), micro_js_maps() };
}
