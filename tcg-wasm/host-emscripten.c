/*
 * The engine behind host.h: JavaScript's WebAssembly, by way of emscripten. The
 * only file of tcg-wasm that knows emscripten.
 *
 * vCPU threads never return to their event loop, so everything is synchronous:
 * new WebAssembly.Module() may be used in workers for modules of any size.
 * A module's instance stays alive as long as the table holds its functions;
 * nothing else refers to it.
 *
 * JavaScript receives every 32-bit argument as a signed number, so an address
 * above 2 GiB arrives negative: `>>> 0` makes it unsigned before it is used.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <emscripten.h>
#include <emscripten/heap.h>

#include "host.h"

enum { MODULES_KEPT = 64 };

/* clang-format off */
EM_JS(uint32_t, tw_js_reserve, (uint32_t n, uint32_t stub), {
    try {
        const base = wasmTable.length;
        wasmTable.grow(n >>> 0, wasmTable.get(stub >>> 0));
        return base;
    } catch (e) {
        return 0;
    }
});

/* keep: only compile the module; the last @keep modules stay referenced. */
EM_JS(int, tw_js_install, (uint32_t bytes, uint32_t len, int keep), {
    try {
        /* slice() copies out of the shared memory, which modules need. */
        const code = new Uint8Array(wasmMemory.buffer, bytes >>> 0,
                                    len >>> 0).slice();
        const module = new WebAssembly.Module(code);
        if (keep) {
            const kept = Module['twKept'] = Module['twKept'] || [];
            kept.push(module);
            if (kept.length > keep) {
                kept.shift();
            }
        } else {
            new WebAssembly.Instance(module,
                                     {'e': {'m': wasmMemory, 't': wasmTable}});
        }
        return 1;
    } catch (e) {
        if (!Module['twRefused']) {
            Module['twRefused'] = true;
            err('tierlab: the engine refused a module: ' + e);
        }
        return 0;
    }
});

/*
 * Node knows the machine's memory, and a limit of the process's. Chromium says
 * 8 GiB at most, Firefox nothing.
 */
EM_JS(double, tw_js_physical_memory, (void), {
    if (typeof process === 'object' && process.getBuiltinModule) {
        const total = process.getBuiltinModule('node:os').totalmem();
        const limit = process.constrainedMemory();
        return limit > 0 && limit < total ? limit : total;
    }
    const gib = typeof navigator === 'object' ? navigator.deviceMemory : 0;
    return (gib || 0) * 1024 * 1024 * 1024;
});

EM_JS(void, tw_js_release, (uint32_t base, uint32_t n, uint32_t stub), {
    const first = base >>> 0;
    const end = first + (n >>> 0);
    const fn = wasmTable.get(stub >>> 0);
    for (let i = first; i < end; i++) {
        wasmTable.set(i, fn);
    }
});

EM_JS(uint32_t, tw_js_memory_pages, (void), {
    return wasmMemory.buffer.byteLength / 65536;
});

/* clang-format on */

uint32_t tw_host_reserve(uint32_t n, TwTbFn *stub)
{
    return tw_js_reserve(n, (uint32_t)stub);
}

bool tw_host_install(const uint8_t *bytes, uint32_t len)
{
    return tw_js_install((uint32_t)bytes, len, 0);
}

/* V8 shares the code of modules of equal bytes, as long as one is alive. */
bool tw_host_prepare(const uint8_t *bytes, uint32_t len)
{
    return tw_js_install((uint32_t)bytes, len, MODULES_KEPT);
}

void tw_host_release(uint32_t base, uint32_t n, TwTbFn *stub)
{
    tw_js_release(base, n, (uint32_t)stub);
}

uint32_t tw_host_index(const void *fn)
{
    return (uint32_t)fn;
}

TwTbFn *tw_host_fn(uint32_t index)
{
    return (TwTbFn *)index;
}

void tw_host_memory_limits(uint32_t *min_pages, uint32_t *max_pages)
{
    /* Any memory of at least no size, at most all that wasm32 can address. */
    *min_pages = 0;
    *max_pages = 65536;
}

/*
 * Of the processors that engines run on, x86 alone makes a negative NaN of an
 * invalid operation; Arm's and RISC-V's default NaN is positive (Arm ARM,
 * FPCR.DN and "FPDefaultNaN"; RISC-V unprivileged ISA, 11.3; Intel SDM 1,
 * table 4-3).
 * Engines pass it on as it is. Volatile: to be done at run time.
 */
bool tw_host_is_tso(void)
{
    volatile double infinite = __builtin_inf();
    double nan = infinite - infinite;

    return __builtin_signbit(nan);
}

uint64_t tw_host_physical_memory(void)
{
    return (uint64_t)tw_js_physical_memory();
}

uint64_t tw_host_memory_max(void)
{
    return emscripten_get_heap_max();
}

uint64_t tw_host_memory_size(void)
{
    return (uint64_t)tw_js_memory_pages() << 16;
}
