/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>

#include "wasm-walk.h"

enum { SECTION_CODE = 10, MAX_DEPTH = 4096, MAX_STEPS = 10000 };

typedef struct Reader {
    const uint8_t *at;
    const uint8_t *end;
} Reader;

static uint32_t byte(Reader *r)
{
    if (r->at == r->end) {
        abort();
    }
    return *r->at++;
}

static uint64_t leb(Reader *r)
{
    uint64_t v = 0;
    uint32_t b;
    unsigned shift = 0;

    do {
        b = byte(r);
        v |= shift < 64 ? (uint64_t)(b & 0x7f) << shift : 0;
        shift += 7;
    } while (b & 0x80);
    return v;
}

static Reader part(Reader *r)
{
    uint64_t size = leb(r);
    Reader inner = { r->at, r->at + size };

    r->at += size;
    return inner;
}

static Reader find_body(const TwBuf *module, uint32_t index)
{
    Reader r = { module->data + 8, module->data + module->len }, section, body;
    uint32_t id;

    do {
        id = byte(&r);
        section = part(&r);
    } while (id != SECTION_CODE);
    leb(&section);
    do {
        body = part(&section);
    } while (index-- > 0);
    return body;
}

static void read_immediates(Reader *r, WasmInsn *insn)
{
    switch (insn->op) {
    case W_BLOCK:
    case W_LOOP:
    case W_IF:
    case W_PREFIX_ATOMIC:
        byte(r);
        break;
    case W_BR_TABLE:
        for (uint64_t n = leb(r) + 1; n > 0; n--) {
            leb(r);
        }
        break;
    case W_BR:
    case W_BR_IF:
    case W_RETURN_CALL:
    case W_LOCAL_GET:
    case W_LOCAL_SET:
    case W_LOCAL_TEE:
    case W_I32_CONST:
    case W_I64_CONST:
        insn->imm = (uint32_t)leb(r);
        break;
    case W_CALL_INDIRECT:
    case W_RETURN_CALL_INDIRECT:
        insn->imm = (uint32_t)leb(r);
        leb(r);
        break;
    default:
        if (insn->op >= W_I32_LOAD && insn->op <= W_I64_STORE32) {
            insn->imm = (uint32_t)leb(r);
            insn->ofs = (uint32_t)leb(r);
        }
        break;
    }
    if (insn->op == W_PREFIX_ATOMIC) {
        byte(r);
    }
}

static void match_ends(WasmCode *code)
{
    uint32_t open[MAX_DEPTH], depth = 0;

    for (uint32_t i = 0; i < code->n; i++) {
        switch (code->insns[i].op) {
        case W_BLOCK:
        case W_LOOP:
        case W_IF:
            open[depth++] = i;
            break;
        case W_ELSE:
            code->insns[open[depth - 1]].other = i;
            break;
        case W_END:
            if (depth == 0) {
                break;  /* the function's */
            }
            depth--;
            code->insns[open[depth]].end = i;
            if (code->insns[open[depth]].other) {
                code->insns[code->insns[open[depth]].other].end = i;
            } else {
                code->insns[open[depth]].other = i;
            }
            break;
        }
    }
}

WasmCode wasm_decode(const TwBuf *module, uint32_t index)
{
    Reader r = find_body(module, index);
    WasmCode code = {
        .insns = calloc((size_t)(r.end - r.at), sizeof(code.insns[0])),
    };

    if (!code.insns) {
        abort();
    }
    for (uint64_t groups = leb(&r); groups > 0; groups--) {
        leb(&r);
        byte(&r);
    }
    while (r.at < r.end) {
        WasmInsn *insn = &code.insns[code.n++];

        insn->op = (uint8_t)byte(&r);
        read_immediates(&r, insn);
    }
    match_ends(&code);
    return code;
}

void wasm_free(WasmCode *code)
{
    free(code->insns);
    *code = (WasmCode){ 0 };
}

unsigned wasm_count(const WasmCode *code, unsigned op)
{
    unsigned count = 0;

    for (uint32_t i = 0; i < code->n; i++) {
        count += code->insns[i].op == op;
    }
    return count;
}

/* Where does a branch out of @depth scopes at @at lead? */
static uint32_t branch(const WasmCode *code, uint32_t at, uint32_t depth)
{
    for (uint32_t i = at; i-- > 0;) {
        const WasmInsn *insn = &code->insns[i];

        if ((insn->op == W_BLOCK || insn->op == W_LOOP || insn->op == W_IF) &&
            insn->end > at && depth-- == 0) {
            return insn->op == W_LOOP ? i : insn->end;
        }
    }
    abort();
}

/* The index of the instruction that follows @at on the path. */
static uint32_t step(const WasmCode *code, uint32_t at)
{
    const WasmInsn *insn = &code->insns[at];
    const WasmInsn *before = at ? insn - 1 : insn;
    bool chained = before->op == W_I32_EQ && before[-2].op == W_LOCAL_TEE;
    bool two_arms = insn->op == W_IF && insn->other != insn->end;

    switch (insn->op) {
    case W_BR:
        return branch(code, at, insn->imm);
    case W_BR_IF:
        return chained ? branch(code, at, insn->imm) : at + 1;
    case W_IF:
        return two_arms || chained ? at + 1 : insn->end;
    case W_ELSE:
        return insn->end;
    default:
        return at + 1;
    }
}

static uint32_t find_loop(const WasmCode *code, unsigned nth)
{
    for (uint32_t i = 0; i < code->n; i++) {
        if (code->insns[i].op == W_LOOP && nth-- == 0) {
            return i;
        }
    }
    abort();
}

WasmPath wasm_follow(const WasmCode *code, unsigned nth, uint32_t limit)
{
    uint32_t start = find_loop(code, nth), at = start + 1;
    WasmPath path = { .returned = false };

    for (int i = 0; i < MAX_STEPS; i++) {
        const WasmInsn *insn = &code->insns[at];

        path.returned = at == start;
        if (at == start || insn->op == W_RETURN || insn->op == W_RETURN_CALL) {
            return path;
        }
        path.branch_tables += insn->op == W_BR_TABLE;
        if (insn->ofs >= limit) {
            path.stores += insn->op >= W_I32_STORE;
            path.loads += insn->op < W_I32_STORE;
        }
        at = step(code, at);
    }
    return path;    /* caught in an inner loop */
}
