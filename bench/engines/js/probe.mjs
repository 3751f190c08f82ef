/*
 * Finds out what a WebAssembly engine offers and where its limits are, as far as our
 * code cache could reach them. The probe's modules are like those that tcg-wasm emits:
 * they import the memory and the table, and put their functions into the table.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

/**
 * @typedef {object} Limit
 * @property {number} value how far the probe came
 * @property {boolean} at_least nothing stopped the probe there
 * @property {string | null} why the engine's error that stopped it
 */
/** @typedef {{ modules: number, code_mib: number }} Most how far the probe goes */
/**
 * @typedef {object} Found
 * @property {Record<string, boolean>} features
 * @property {Record<string, Limit>} limits
 */
/** @typedef {Partial<Found> & Partial<Most>} Progress */

/* How many table slots, pages of memory, and modules between pauses are tried. */
const MAX_SLOTS = [1 << 16, 1 << 18, 1 << 20, 10000000];
const MAX_PAGES = 65536;
const PER_STEP = 1000;

const V128 = 0x7b, FUNC = 0x60, FUNCREF = 0x70;
const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/**
 * An unsigned number in LEB128.
 *
 * @param {number} n
 */
function leb(n) {
    const bytes = [];
    do {
        bytes.push((n & 0x7f) | (n > 0x7f ? 0x80 : 0));
        n >>>= 7;
    } while (n);
    return bytes;
}

/**
 * A signed number in LEB128.
 *
 * @param {number} n
 */
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

/**
 * @param {number} id
 * @param {number[]} content
 */
const section = (id, content) => [id, ...leb(content.length), ...content];

/**
 * A module of one function without arguments.
 *
 * @param {number[]} results types, as bytes
 * @param {number[]} code without the final `end`
 */
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
    /* i32.const 0 and i8x16.splat, twice; i8x16.relaxed_swizzle */
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
        jspi: typeof Reflect.get(WebAssembly, 'Suspending') === 'function',
        wait_async: typeof Atomics.waitAsync === 'function',
        shared_memory: typeof SharedArrayBuffer === 'function',
    };
}

/**
 * @param {number} value
 * @param {string | null} why
 * @returns {Limit}
 */
const limit = (value, why = null) => ({ value, at_least: why === null, why });

function memoryPages() {
    /** @type {WebAssembly.Memory | undefined} */
    let memory;
    try {
        memory = new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES,
                                          shared: true });
        let pages;
        while ((pages = memory.buffer.byteLength / 65536) < MAX_PAGES) {
            memory.grow(Math.min(MAX_PAGES / 16, MAX_PAGES - pages));
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

/**
 * A module that imports the memory "m" and the table "t", and puts its one function
 * into a slot of the table.
 *
 * @param {number} slot
 * @param {number[]} code
 */
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

/**
 * Code: i32.const `at`, i32.const `what`, i32.store.
 *
 * @param {number} at
 * @param {number} what
 */
const store = (at, what) =>
    [0x41, ...signedLeb(at), 0x41, ...signedLeb(what), 0x36, 2, 0];

/**
 * What the modules of `member()` import.
 *
 * @param {number} slots
 */
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

/**
 * How many modules can be alive, all different and each called once.
 *
 * @param {number} most
 * @param {(progress: Progress) => void} tell
 */
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

/**
 * How much compiled code can be alive, in modules of a MiB, each called so that the
 * engine compiles it.
 *
 * @param {number} most
 * @param {(progress: Progress) => void} tell
 */
async function codeMiB(most, tell) {
    const imports = machine(most);
    let n = 0;
    try {
        for (; n < most; n++) {
            /** @type {number[]} */
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

/**
 * Find out everything. `tell` is told what was found so far, because the engine may
 * not survive the probe.
 *
 * @param {Most} most
 * @param {(progress: Progress) => void} tell
 * @returns {Promise<Found>}
 */
export async function probe(most, tell) {
    /** @type {Record<string, Limit>} */
    const limits = {};
    const found = { features: features(), limits };
    limits.memory_pages = memoryPages();
    limits.table_slots = tableSlots();
    tell({ features: found.features, limits: { ...limits } });
    limits.modules = await modulesAlive(most.modules, tell);
    limits.code_mib = await codeMiB(most.code_mib, tell);
    return found;
}
