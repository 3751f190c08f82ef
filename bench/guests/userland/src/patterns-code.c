/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Patterns of generated code. Each builds its code and, as it does so, composes
 * what one pass does to the sum: a map sum -> a * sum + b. The map of n passes
 * is its n-th power, so that any number of passes can be checked at once.
 */
#include "mechanisms.h"

enum {
    FIRST_SUM = 1,
    BLOCK_STEPS = 2,
    CODE_SIZE = 16 * PAGE,
    STREAM = 1024,         /* indirect jumps in a pass */
    RUN = 16,              /* dispersed blocks that are chained in a page */
    RUN_STRIDE = 7,        /* slots from one to the next, in their run */
    ENTRY = 8 * CODE_SLOT, /* what stands before the dispersed blocks */
};

typedef struct Map {
    uint32_t a, b;
} Map;

/* A pattern that is built. */
typedef struct Built {
    unsigned char *code;
    unsigned long insns; /* of one pass */
    unsigned long count; /* what the counter counts in one pass */
    Map pass;
    uint32_t sum;
    Node *node, *last; /* of the list, if there is one */
    Target *first;     /* of the table, if there is one */
} Built;

static const Map identity = { 1, 0 };

/* First `one`, then `other`. */
static Map then(Map one, Map other)
{
    Map both = { one.a * other.a, one.b * other.a + other.b };

    return both;
}

/* What a step does, and a visit of a node with this value. */
static Map adding(uint32_t k)
{
    Map step = { 3, k };

    return step;
}

static Map power(Map map, unsigned long n)
{
    Map result = identity;

    for (; n; n >>= 1) {
        if (n & 1) {
            result = then(result, map);
        }
        map = then(map, map);
    }
    return result;
}

/* The constant of the i-th step. */
static uint32_t constant(unsigned long i)
{
    return (uint32_t)(i * 181 + 7) % CODE_STEP_MAX;
}

static Built built(size_t size)
{
    Built new = { .code = pages_get(size, true),
                  .count = 1,
                  .pass = identity,
                  .sum = FIRST_SUM };

    return new;
}

/* Write a step of the pass. */
static void step(Built *built, Code *code, uint32_t k)
{
    code_step(code, k);
    built->pass = then(built->pass, adding(k));
}

static bool run(void *state, unsigned long passes)
{
    Built *built = state;
    Map all = power(built->pass, passes);
    uint32_t want = all.a * built->sum + all.b;

    built->sum = code_run(built->code, built->sum, passes * built->count,
                          built->node, built->first);
    if (built->sum != want) {
        return wrong("sum", built->sum, want);
    }
    if (built->last && built->last->seen != want) {
        return wrong("stored", built->last->seen, want);
    }
    return true;
}

Measured measure_blocks(const Pattern *pattern, const Options *options)
{
    Built blocks = built(CODE_SIZE);
    unsigned char *first = blocks.code + 64;
    Code code = { .at = blocks.code };

    code_begin(&code);
    code_jump(&code, first);
    code.insns = 0;
    for (unsigned long i = 0; i < pattern->size; i++) {
        code.at = first + i * pattern->more;
        for (unsigned j = 0; j < BLOCK_STEPS; j++) {
            step(&blocks, &code, constant(i * BLOCK_STEPS + j));
        }
        if (i + 1 < pattern->size) {
            code_jump(&code, first + (i + 1) * pattern->more);
        }
    }
    code_loop(&code, first);
    blocks.insns = code.insns;
    code_end(&code);
    code_flush(blocks.code, blocks.code + CODE_SIZE);
    return measure(run, &blocks, blocks.insns, 0, options);
}

Measured measure_calls(const Pattern *pattern, const Options *options)
{
    Built calls = built(CODE_SIZE);
    unsigned char *first = calls.code + 64;
    unsigned char *function = calls.code + PAGE / 2;
    const uint32_t k = 77;
    Code code = { .at = function };
    unsigned long called;

    code_step(&code, k);
    code_return(&code);
    called = code.insns;
    code.at = calls.code;
    code_begin(&code);
    code_jump(&code, first);
    code.at = first;
    code.insns = 0;
    for (unsigned long i = 0; i < pattern->size; i++) {
        step(&calls, &code, constant(i));
        code_call(&code, function);
        calls.pass = then(calls.pass, adding(k));
    }
    code_loop(&code, first);
    calls.insns = code.insns + pattern->size * called;
    code_end(&code);
    code_flush(calls.code, calls.code + CODE_SIZE);
    return measure(run, &calls, calls.insns, 0, options);
}

Measured measure_indirect(const Pattern *pattern, const Options *options)
{
    enum { TARGET_BYTES = 2 * CODE_SLOT };

    Built jumps = built(CODE_SIZE);
    unsigned char *dispatch = jumps.code + 64, *end = dispatch + 64;
    unsigned char *targets = jumps.code + PAGE;
    Code code = { .at = jumps.code };
    uint32_t random = 1;

    jumps.first = pages_get((STREAM + 1) * sizeof(Target), false);
    code_begin(&code);
    code_jump(&code, dispatch);
    for (unsigned long i = 0; i < pattern->size; i++) {
        code.at = targets + i * TARGET_BYTES;
        code.insns = 0;
        code_step(&code, constant(i));
        code_jump(&code, dispatch);
    }
    /* each target has as many as the last one */
    jumps.insns = STREAM * code.insns;
    code.at = dispatch;
    code.insns = 0;
    code_dispatch(&code);
    jumps.insns += (STREAM + 1) * code.insns;
    code.at = end;
    code.insns = 0;
    code_restart(&code);
    code_loop(&code, dispatch);
    jumps.insns += code.insns;
    code_end(&code);
    for (unsigned long i = 0; i < STREAM; i++) {
        unsigned long target;

        random = random * 1664525 + 1013904223;
        target = (random >> 8) % pattern->size;
        jumps.first[i].to = targets + target * TARGET_BYTES;
        jumps.pass = then(jumps.pass, adding(constant(target)));
    }
    jumps.first[STREAM].to = end;
    code_flush(jumps.code, jumps.code + CODE_SIZE);
    return measure(run, &jumps, jumps.insns, 0, options);
}

static unsigned long common_divisor(unsigned long a, unsigned long b)
{
    while (b) {
        unsigned long rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* A stride that visits all of `n` places and goes far each time. */
static unsigned long far_stride(unsigned long n)
{
    unsigned long stride = n * 5 / 8 + 1;

    while (common_divisor(stride, n) != 1) {
        stride++;
    }
    return stride;
}

/* The i-th node; in each page at another place, for the host's cache. */
static Node *node_at(unsigned char *memory, unsigned long i,
                     unsigned long apart)
{
    unsigned long within = apart < PAGE ? 0 : i * 64 % PAGE;

    return (Node *)(memory + i * apart + within);
}

Measured measure_memory(const Pattern *pattern, const Options *options)
{
    const unsigned long count = pattern->size;
    const unsigned long stride = far_stride(count);
    unsigned char *memory = pages_get(count * pattern->more, false);
    Built list = built(CODE_SIZE);
    unsigned char *first = list.code + 64;
    Code code = { .at = list.code };
    Measured measured;

    for (unsigned long i = 0, at = 0; i < count; i++) {
        unsigned long next = (at + stride) % count;

        list.last = node_at(memory, at, pattern->more);
        list.last->next = node_at(memory, next, pattern->more);
        list.last->value = constant(i);
        list.pass = then(list.pass, adding(constant(i)));
        at = next;
    }
    list.node = list.last->next;
    list.count = count;
    code_begin(&code);
    code_jump(&code, first);
    code.at = first;
    code.insns = 0;
    code_visit(&code);
    code_loop(&code, first);
    list.insns = count * code.insns;
    code_end(&code);
    code_flush(list.code, list.code + CODE_SIZE);
    measured = measure(run, &list, list.insns, 0, options);
    pages_return(memory, count * pattern->more);
    return measured;
}

/*
 * Where the i-th dispersed block is: RUN blocks in turn are in one page, the
 * next RUN in a page far away. Programs, too, mostly jump within a page.
 */
static unsigned char *dispersed(const Built *blocks, unsigned long i,
                                unsigned long count)
{
    const unsigned long runs = count / RUN;
    unsigned long run = i / RUN * far_stride(runs) % runs;
    unsigned long within = i * RUN_STRIDE % RUN;

    return blocks->code + ENTRY + (run * RUN + within) * CODE_SLOT;
}

static void build_dispersed(Built *blocks, unsigned long count)
{
    unsigned char *first = dispersed(blocks, 0, count);
    unsigned char *end = blocks->code + ENTRY / 2;
    Code code = { .at = blocks->code };

    code_begin(&code);
    code_jump(&code, first);
    code.insns = 0;
    for (unsigned long i = 0; i < count; i++) {
        code.at = dispersed(blocks, i, count);
        step(blocks, &code, constant(i));
        code_jump(&code, i + 1 < count ? dispersed(blocks, i + 1, count) : end);
    }
    code.at = end;
    code_loop(&code, first);
    blocks->insns = code.insns;
    code_end(&code);
}

/* Passes through code that is new to the emulator, again and again. */
static Measured measure_fresh(const Pattern *pattern, const Options *options)
{
    const uint64_t wanted = (uint64_t)options->ms * 1000000;
    const size_t size = ENTRY + pattern->size * CODE_SLOT;
    Measured measured = { 0, 0 };

    do {
        Built blocks = built(size);
        uint64_t began;
        bool right;

        build_dispersed(&blocks, pattern->size);
        code_flush(blocks.code, blocks.code + size);
        began = clock_ns();
        right = run(&blocks, pattern->more);
        measured.ns += clock_ns() - began;
        measured.events += (uint64_t)blocks.insns * pattern->more;
        pages_return(blocks.code, size);
        if (!right) {
            measured.ns = 0;
            break;
        }
    } while (measured.ns < wanted);
    return measured;
}

Measured measure_dispersed(const Pattern *pattern, const Options *options)
{
    const size_t size = ENTRY + pattern->size * CODE_SLOT;
    Measured measured;
    Built blocks;

    if (pattern->more) {
        return measure_fresh(pattern, options);
    }
    blocks = built(size);
    build_dispersed(&blocks, pattern->size);
    code_flush(blocks.code, blocks.code + size);
    measured = measure(run, &blocks, blocks.insns, options->warm, options);
    pages_return(blocks.code, size);
    return measured;
}

/* Code whose constant changes before each pass. */
typedef struct Rewritten {
    unsigned char *code, *step;
    uint32_t sum;
    unsigned long done;
} Rewritten;

static bool rewrite(void *state, unsigned long passes)
{
    Rewritten *block = state;

    for (; passes; passes--) {
        uint32_t k = constant(block->done++);
        uint32_t want = 3 * block->sum + k;

        code_patch(block->step, k);
        code_flush(block->step, block->step + CODE_SLOT);
        block->sum = code_run(block->code, block->sum, 1, NULL, NULL);
        if (block->sum != want) {
            return wrong("sum", block->sum, want);
        }
    }
    return true;
}

Measured measure_rewrites(const Pattern *pattern, const Options *options)
{
    Rewritten block = { .code = pages_get(PAGE, true), .sum = FIRST_SUM };
    Code code = { .at = block.code };

    (void)pattern;
    code_begin(&code);
    block.step = code.at;
    code_step(&code, 0);
    code_end(&code);
    code_flush(block.code, code.at);
    return measure(rewrite, &block, 1, 0, options);
}
