/*
 * What a WebAssembly engine offers, and where its limits are: as far as our
 * code cache would go, no further. Modules are like those that tcg-wasm emits: they
 * import the memory and the table, and put their functions into the table.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/* Limits that are looked for, and no harder than this. */
const MAX_SLOTS = [1 << 16, 1 << 18, 1 << 20, 10000000];
const MAX_PAGES = 65536;
const PER_STEP = 1000;

const I32 = 0x7f, V128 = 0x7b, FUNC = 0x60, FUNCREF = 0x70;
const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

function leb(n) {
    const bytes = [];
    do {
        bytes.push((n & 0x7f) | (n > 0x7f ? 0x80 : 0));
        n >>>= 7;
    } while (n);
    return bytes;
}

function signedLeb(n) {
    const bytes = [];
    for (;;) {
        const low = n & 0x7f;
        n >>= 7;
        if ((n === 0 && !(low & 0x40)) || (n === -1 && (low & 0x40))) {
            return [...bytes, low];
        }
        bytes.push(low | 0x80);
    }
}

const section = (id, content) => [id, ...leb(content.length), ...content];

/* A function of no arguments; @results and @code as bytes, without end. */
function module(results, code) {
    const body = [0, ...code, 0x0b];
    return Uint8Array.from([
        ...HEADER,
        ...section(1, [1, FUNC, 0, results.length, ...results]),
        ...section(3, [1, 0]),
        ...section(10, [1, ...leb(body.length), ...body]),
    ]);
}

const FEATURES = {
    tail_calls: module([], [0x12, 0]),
    /* i32.const 0, i8x16.splat, i8x16.popcnt */
    simd: module([V128], [0x41, 0, 0xfd, 0x0f, 0xfd, 0x62]),
    /* two of them, i8x16.relaxed_swizzle */
    relaxed_simd: module([V128], [0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f,
                                  0xfd, 0x80, 0x02]),
    /* try, catch_all, end */
    exceptions: module([], [0x06, 0x40, 0x19, 0x0b]),
    /* try_table with no clause, end */
    exceptions_exnref: module([], [0x1f, 0x40, 0, 0x0b]),
    atomics: module([], [0xfe, 0x03, 0]),
};

function features() {
    const found = Object.fromEntries(Object.entries(FEATURES).map(
        ([name, bytes]) => [name, WebAssembly.validate(bytes)]));
    return {
        ...found,
        jspi: typeof WebAssembly.Suspending === 'function',
        wait_async: typeof Atomics.waitAsync === 'function',
        shared_memory: typeof SharedArrayBuffer === 'function',
    };
}

/* @value: how far it went; @at_least: nothing stopped it there. */
const limit = (value, why = null) => ({ value, at_least: why === null, why });

function memoryPages() {
    let memory;
    try {
        memory = new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES,
                                          shared: true });
        for (let step = MAX_PAGES / 16; memory.buffer.byteLength / 65536 <
             MAX_PAGES;) {
            const pages = memory.buffer.byteLength / 65536;
            memory.grow(Math.min(step, MAX_PAGES - pages));
        }
        return limit(MAX_PAGES);
    } catch (e) {
        return limit((memory?.buffer.byteLength ?? 0) / 65536, String(e));
    }
}

function tableSlots() {
    let best = 0;
    for (const slots of MAX_SLOTS) {
        try {
            new WebAssembly.Table({ element: 'anyfunc', initial: slots });
            best = slots;
        } catch (e) {
            return limit(best, String(e));
        }
    }
    return limit(best);
}

/* Imports "m" and "t"; one function, in slot @slot. */
function member(slot, code) {
    const body = [0, ...code, 0x0b];
    const head = [
        ...HEADER,
        ...section(1, [1, FUNC, 0, 0]),
        ...section(2, [2, 1, 0x65, 1, 0x6d, 2, 3, 0, ...leb(MAX_PAGES),
                       1, 0x65, 1, 0x74, 1, FUNCREF, 0, 0]),
        ...section(3, [1, 0]),
        ...section(9, [1, 0, 0x41, ...signedLeb(slot), 0x0b, 1, 0]),
    ];
    return Uint8Array.from([...head,
        ...section(10, [1, ...leb(body.length), ...body])]);
}

/* i32.const @at, i32.const @what, i32.store */
const store = (at, what) =>
    [0x41, ...signedLeb(at), 0x41, ...signedLeb(what), 0x36, 2, 0];

function machine(slots) {
    return {
        e: {
            m: new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES,
                                        shared: true }),
            t: new WebAssembly.Table({ element: 'anyfunc', initial: slots }),
        },
    };
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 0));

/* Modules that are all different, alive and called once. */
async function modulesAlive(most, tell) {
    const imports = machine(most);
    let n = 0;
    try {
        for (; n < most; n++) {
            const bytes = member(n, store(n % 16384 * 4, n));
            new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
            imports.e.t.get(n)();
            if (n % PER_STEP === 0) {
                tell({ modules: n });
                await pause();
            }
        }
        return limit(n);
    } catch (e) {
        return limit(n, String(e));
    }
}

/* Compiled code, in modules of a MiB, each called so that it is compiled. */
async function codeMiB(most, tell) {
    const imports = machine(most);
    let n = 0;
    try {
        for (; n < most; n++) {
            const code = [];
            while (code.length < 1 << 20) {
                code.push(...store(code.length & 0xfffc, n + code.length));
            }
            new WebAssembly.Instance(new WebAssembly.Module(member(n, code)),
                                     imports);
            imports.e.t.get(n)();
            tell({ code_mib: n });
            await pause();
        }
        return limit(n);
    } catch (e) {
        return limit(n, String(e));
    }
}

/*
 * All of it. @most: { modules, code_mib }; @tell is told how far it is, should
 * the engine not survive it.
 */
export async function probe(most, tell) {
    const found = { features: features(), limits: {} };
    const { limits } = found;
    limits.memory_pages = memoryPages();
    limits.table_slots = tableSlots();
    tell({ features: found.features, limits: { ...limits } });
    limits.modules = await modulesAlive(most.modules, tell);
    limits.code_mib = await codeMiB(most.code_mib, tell);
    return found;
}
