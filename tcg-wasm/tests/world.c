/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#include "world-fp.h"

World world;
jmp_buf world_leave;
TwGlobal world_globals[WORLD_MAX_GLOBALS];
unsigned world_nglobals;
WorldLink world_links[2 * WORLD_MAX_TBS];
unsigned world_nlinks;
uint32_t world_executed[WORLD_MAX_TBS];
uint32_t world_sampled[WORLD_MAX_TBS];
uint32_t world_sample_period;
bool world_shares_lookups;

static void mix(uint64_t v)
{
    Rng rng = { world.log_hash ^ v };

    world.log_hash = rng_next(&rng);
}

void world_look_at_env(void)
{
    uint64_t hash = 0, word;
    const uint8_t *parts[] = { (const uint8_t *)world.env.regs, world.env.mem,
                               world.env.vecs, world.below_mem };
    const size_t sizes[] = { sizeof(world.env.regs), sizeof(world.env.mem),
                             sizeof(world.env.vecs), sizeof(world.below_mem) };

    for (int i = 0; i < 4; i++) {
        for (size_t at = 0; at < sizes[i]; at += sizeof(word)) {
            memcpy(&word, parts[i] + at, sizeof(word));
            hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
            hash ^= hash >> 29;
        }
    }
    mix(hash);
}

uint64_t world_log(const LogEntry *entry)
{
    world.log[world.log_count++ % WORLD_LOG_SIZE] = *entry;
    mix(entry->kind);
    mix(entry->retaddr);
    for (int i = 0; i < 7; i++) {
        mix(entry->args[i]);
    }
    return world.log_hash;
}

/*
 * Helpers: each logs its arguments and returns a hash of all that was logged.
 */

enum { KIND_LOAD = 100, KIND_STORE = 200 };

static uint64_t called(uint32_t kind, bool quiet, uint64_t a, uint64_t b,
                       uint64_t c, uint64_t d, uint64_t e, uint64_t f,
                       uint64_t g)
{
    LogEntry entry = {
        .kind = kind,
        .retaddr = quiet ? 0 : (uint32_t)world.frame.ret_pc,
        .args = { a, b, c, d, e, f, g },
    };

    if (!quiet) {
        world_look_at_env();
    }
    return world_log(&entry);
}

/* clang-format off */
/* H(number, result, parameters, the seven logged values) */
#define HELPERS(H) \
    H(0, void, (void), 0, 0, 0, 0, 0, 0, 0) \
    H(1, uint32_t, (uint32_t a), a, 0, 0, 0, 0, 0, 0) \
    H(2, uint64_t, (uint64_t a), a, 0, 0, 0, 0, 0, 0) \
    H(3, void, (uint64_t a, uint32_t b), a, b, 0, 0, 0, 0, 0) \
    H(4, uint64_t, (uint32_t a, uint64_t b), a, b, 0, 0, 0, 0, 0) \
    H(5, uint32_t, (uint64_t a, uint32_t b, uint64_t c), a, b, c, 0, 0, 0, 0) \
    H(6, uint64_t, (uint64_t a, uint64_t b, uint64_t c, uint64_t d), \
      a, b, c, d, 0, 0, 0) \
    H(7, void, (uint32_t a, uint64_t b, uint32_t c, uint64_t d, uint32_t e), \
      a, b, c, d, e, 0, 0) \
    H(8, uint32_t, (uint32_t a, uint32_t b, uint32_t c, uint32_t d, \
                    uint32_t e, uint32_t f), a, b, c, d, e, f, 0) \
    H(9, uint64_t, (uint64_t a, uint32_t b, uint64_t c, uint32_t d, \
                    uint64_t e, uint32_t f, uint64_t g), a, b, c, d, e, f, g) \
    H(10, uint32_t, (uint32_t a, uint32_t b, uint32_t c), a, b, c, 0, 0, 0, 0)

#define RETURN_void(v) (void)(v)
#define RETURN_uint32_t(v) return (uint32_t)(v)
#define RETURN_uint64_t(v) return (v)
#define DEFINE(n, ret, params, ...) \
    static ret helper_##n params \
    { \
        RETURN_##ret(called(n, false, __VA_ARGS__)); \
    } \
    static ret quiet_##n params \
    { \
        RETURN_##ret(called(n, true, __VA_ARGS__)); \
    }
HELPERS(DEFINE)
/* clang-format on */

/* These look at guest state in env, and change it. */
static void helper_env(Env *env, uint64_t value)
{
    called(50, false, env == &world.env, value, env->regs[1], 0, 0, 0, 0);
    env->regs[1] ^= value;
    env->mem[value % WORLD_MEM_SIZE]++;
}

static uint64_t helper_env_get(Env *env, uint32_t i)
{
    return called(51, false, env == &world.env, i, env->regs[i % TW_NB_REGS], 0,
                  0, 0, 0);
}

static void helper_leave(uint64_t value)
{
    called(60, false, value, 0, 0, 0, 0, 0, 0);
    world.left = 1;
    longjmp(world_leave, 1);
}

enum { PTR64 = sizeof(void *) == 8 };
#define SIG(ret, n, mask) (TW_SIG_##ret | (n) << 2 | (TwSig)(mask) << 6)
#define BOTH(n) (uintptr_t)helper_##n, (uintptr_t)quiet_##n

const WorldHelper world_helpers[] = {
    { SIG(VOID, 0, 0), false, false, BOTH(0) },
    { SIG(I32, 1, 0), false, false, BOTH(1) },
    { SIG(I64, 1, 1), false, false, BOTH(2) },
    { SIG(VOID, 2, 1), false, false, BOTH(3) },
    { SIG(I64, 2, 2), false, false, BOTH(4) },
    { SIG(I32, 3, 5), false, false, BOTH(5) },
    { SIG(I64, 4, 15), false, false, BOTH(6) },
    { SIG(VOID, 5, 10), false, false, BOTH(7) },
    { SIG(I32, 6, 0), false, false, BOTH(8) },
    { SIG(I64, 7, 0x55), false, false, BOTH(9) },
    { SIG(I32, 3, 0), false, false, BOTH(10) },
    { SIG(VOID, 2, 2 | PTR64), true, true, (uintptr_t)helper_env, 0 },
    { SIG(I64, 2, PTR64), true, false, (uintptr_t)helper_env_get, 0 },
};

const WorldHelper world_no_return = {
    SIG(VOID, 1, 1), false, false, (uintptr_t)helper_leave, 0,
};

unsigned world_nb_helpers(void)
{
    return sizeof(world_helpers) / sizeof(world_helpers[0]);
}

/*
 * Guest memory: address v is guest[v % size], whatever its page. The slow path
 * works byte by byte, so that accesses may cross pages, and now and then
 * enters the page into the TLB.
 */

static uint64_t guest_load(uint64_t addr, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < bytes; i++) {
        v |= (uint64_t)world.guest[(addr + i) % WORLD_GUEST_SIZE] << (8 * i);
    }
    return v;
}

static void guest_store(uint64_t addr, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        world.guest[(addr + i) % WORLD_GUEST_SIZE] = (uint8_t)(v >> (8 * i));
    }
}

static void set_entry(unsigned mmu, uint64_t page, uint64_t read,
                      uint64_t write)
{
    uintptr_t index = page & (world.descs[mmu].mask >> TW_TLB_ENTRY_BITS);
    uint64_t addr = page << WORLD_PAGE_BITS;

    world.tlb[mmu][index] = (TwTlbEntry){
        .addr_read = addr | read,
        .addr_write = addr | write,
        .addr_code = addr,
        .addend = (uintptr_t)world.guest +
                  (uintptr_t)(addr % WORLD_GUEST_SIZE) - (uintptr_t)addr,
    };
}

static uint64_t swap(uint64_t v, unsigned bytes)
{
    return __builtin_bswap64(v) >> (64 - 8 * bytes);
}

static void log_access(uint32_t kind, void *env, uint64_t addr, uint64_t v,
                       uint32_t oi, uintptr_t ra)
{
    LogEntry entry = {
        .kind = kind,
        .retaddr = (uint32_t)ra,
        .args = { env == &world.env, addr, v, oi },
    };
    uint64_t hash;

    if (world_shares_lookups) {
        return;
    }
    world_look_at_env();
    hash = world_log(&entry);
    if (hash % 64 == 1) {
        world.left = 2; /* a fault */
        longjmp(world_leave, 1);
    }
    if (hash % 16 == 2 && world_nlinks) {
        const WorldLink *link = &world_links[(hash >> 8) % world_nlinks];

        *link->word = link->choices[(hash >> 32) % 3];
    }
    if (hash % 8 == 0) {
        set_entry((oi & 15) % WORLD_NB_MMU, addr >> WORLD_PAGE_BITS, 0, 0);
    }
}

static uint64_t slow_load(unsigned size, void *env, uint64_t addr, uint32_t oi,
                          uintptr_t ra)
{
    uint64_t v = guest_load(addr, 1u << size);

    v = oi & 0x100 ? swap(v, 1u << size) : v;
    log_access(KIND_LOAD + size, env, addr, v, oi, ra);
    return v;
}

static void slow_store(unsigned size, void *env, uint64_t addr, uint64_t v,
                       uint32_t oi, uintptr_t ra)
{
    if (size < 3) {
        v &= (UINT64_C(1) << (8 << size)) - 1;
    }
    log_access(KIND_STORE + size, env, addr, v, oi, ra);
    guest_store(addr, oi & 0x100 ? swap(v, 1u << size) : v, 1u << size);
}

#define SLOW(bits, size, type) \
    uint64_t world_ld##bits(void *env, uint64_t addr, uint32_t oi, \
                            uintptr_t ra) \
    { \
        return slow_load(size, env, addr, oi, ra); \
    } \
    void world_st##bits(void *env, uint64_t addr, type v, uint32_t oi, \
                        uintptr_t ra) \
    { \
        slow_store(size, env, addr, v, oi, ra); \
    }
SLOW(8, 0, uint32_t)
SLOW(16, 1, uint32_t)
SLOW(32, 2, uint32_t)
SLOW(64, 3, uint64_t)

/*
 * Jumps by lookup. A hit reads only what compiled code's probe reads. A miss
 * reads all of env, and changes what is cached, valid and busy.
 */

WorldJumps world_jumps;
uint32_t world_valid[WORLD_MAX_TBS];

static WorldJump *jump_entry(uint64_t pc)
{
    unsigned shift = WORLD_PAGE_BITS - 6;
    uint64_t x = pc ^ pc >> shift;

    return &world_jumps.entries[(x >> shift & 0xfc0) | (x & 0x3f)];
}

/*
 * Which word of world_valid is the TB's? Native tests have no 32-bit pointers.
 */
static uint32_t valid_index(uint32_t header)
{
    return (header * 0x9e3779b1u) >> 16 & (WORLD_MAX_TBS - 1);
}

/* May @own find this TB? */
static bool may_find(uint64_t own, uint32_t header)
{
    return ((uint32_t)own ^ valid_index(header)) % 8 != 0;
}

static bool expect(uint64_t own, uint32_t header, TwExpected *expected)
{
    *expected = (TwExpected){
        .tag = header,
        .valid_at = (uint32_t)(uintptr_t)&world_valid[valid_index(header)],
        .valid = WORLD_VALID,
    };
    return may_find(own, header);
}

uintptr_t world_lookup(void *env, uintptr_t own)
{
    uint64_t pc = ((Env *)env)->regs[WORLD_PC], hash;
    WorldJump *entry = jump_entry(pc);
    LogEntry miss = {
        .kind = 300,
        .retaddr = (uint32_t)world.frame.ret_pc,
        .args = { env == &world.env, pc, own },
    };
    uintptr_t to;

    if (entry->tag && entry->pc == pc && !world.env.busy &&
        may_find(own, (uint32_t)entry->tag) &&
        world_valid[valid_index((uint32_t)entry->tag)] == WORLD_VALID) {
        return entry->tag;
    }
    world_look_at_env();
    hash = world_log(&miss);
    world.env.busy = hash % 32 == 0;
    to = (uintptr_t)world.env.ptrs[(hash >> 16) % WORLD_PTRS];
    if (to) {
        world_valid[valid_index((uint32_t)to)] = WORLD_VALID + (hash % 4 == 0);
    }
    if ((hash >> 24) % 8) {
        *entry = (WorldJump){ to, (hash >> 32) % 16 ? pc : pc + 1 };
    }
    return to;
}

void world_forget_jumps(void)
{
    memset(&world_jumps, 0, sizeof(world_jumps));
    for (unsigned i = 0; i < WORLD_MAX_TBS; i++) {
        world_valid[i] = WORLD_VALID;
    }
}

const TwJumpCache world_jump_cache = {
    .ptr = offsetof(Env, jumps),
    .entries = offsetof(WorldJumps, entries),
    .entry_bits = 4,
    .tag = offsetof(WorldJump, tag),
    .pc = offsetof(WorldJump, pc),
    .env_pc = 8 * WORLD_PC,
    .busy = offsetof(Env, busy),
    .expect = expect,
};
static_assert(sizeof(WorldJump) == 1 << 4, "entry_bits");

/*
 * Tier 0.
 */

static uint64_t interp_ldx(void *env, uint64_t addr, uint32_t oi, uintptr_t ra)
{
    unsigned size = TW_MEMOP_SIZE(oi);
    uint64_t v = slow_load(size, env, addr, oi, ra);
    unsigned unused = 64 - (8 << size);

    return oi & TW_MEMOP_SIGN ? (uint64_t)((int64_t)(v << unused) >> unused)
                              : v;
}

static void interp_call(TwSig sig, uintptr_t fn, uint64_t *regs)
{
    if (!tw_call(sig, fn, regs)) {
        fprintf(stderr, "tw_call: signature 0x%x not in the table\n", sig);
        abort();
    }
}

static bool interp_hot(TwHeader *header)
{
    TwFrame *frame = &world.frame;

    header->countdown = 1;
    world_executed[header->id]++;
    if (world_sample_period && --frame->sample_left == 0) {
        frame->sample_left = world_sample_period;
        world_sampled[header->id] += world_sample_period;
    }
    return false;
}

#define TW_INTERP_FN world_interpret
#define TW_INTERP_TLB_OFS WORLD_TLB_OFS
#define TW_INTERP_PAGE_BITS WORLD_PAGE_BITS
#define TW_INTERP_LD(size, env, addr, oi, ra) slow_load(size, env, addr, oi, ra)
#define TW_INTERP_ST(size, env, addr, v, oi, ra) \
    slow_store(size, env, addr, v, oi, ra)
#define TW_INTERP_LDX(env, addr, oi, ra) interp_ldx(env, addr, oi, ra)
#define TW_INTERP_STX(env, addr, v, oi, ra) \
    slow_store(TW_MEMOP_SIZE(oi), env, addr, v, oi, ra)
#define TW_INTERP_CALL(sig, fn, regs) interp_call(sig, fn, regs)
#define TW_INTERP_HOT(env, frame, header) interp_hot(header)
#include "../interp.c.inc"

/*
 * Contents.
 */

static void fill(Rng *rng, void *data, size_t size)
{
    uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)rng_next(rng);
    }
}

/* Elements of all sizes that are likely to be at some edge. */
static void fill_vecs(Rng *rng)
{
    for (size_t at = 0; at < sizeof(world.env.vecs);) {
        size_t size = (size_t)1 << rng_below(rng, 4);
        uint64_t v = rng_value(rng);

        if (at % size == 0) {
            memcpy(&world.env.vecs[at], &v, size);
            at += size;
        }
    }
}

static uint64_t random_flags(Rng *rng)
{
    switch (rng_below(rng, 8)) {
    case 0:
        return 1 << (WORLD_PAGE_BITS - 1); /* invalid: never equal */
    case 1:
        return 1 << (WORLD_PAGE_BITS - 3);
    default:
        return 0;
    }
}

static void init_tlb(Rng *rng)
{
    for (unsigned i = 0; i < WORLD_NB_PAGES; i++) {
        uint64_t page = i < 8 ? i : rng_value(rng);

        world.pages[i] = page & (~UINT64_C(0) >> WORLD_PAGE_BITS);
    }
    for (unsigned mmu = 0; mmu < WORLD_NB_MMU; mmu++) {
        unsigned entries = 1u << rng_below(rng, 5);

        memset(world.tlb[mmu], 0xff, sizeof(world.tlb[mmu]));
        world.descs[mmu].table = world.tlb[mmu];
        world.descs[mmu].mask = (uintptr_t)(entries - 1) << TW_TLB_ENTRY_BITS;
        for (unsigned i = 0; i < WORLD_NB_PAGES; i++) {
            if (rng_percent(rng, 70)) {
                uint64_t read = random_flags(rng);

                set_entry(mmu, world.pages[i], read, random_flags(rng));
            }
        }
    }
}

/*
 * Most registers are globals, and some places of each size in env's other
 * memory.
 */
static void choose_globals(Rng *rng)
{
    unsigned n = 0;
    int32_t ofs;

    for (ofs = WORLD_BELOW_OFS; ofs < WORLD_BELOW_OFS + 56;) {
        uint8_t size = (uint8_t)(1 << rng_below(rng, 4));

        if (rng_percent(rng, 25)) {
            world_globals[n++] = (TwGlobal){ ofs, size };
        }
        ofs += size;
    }
    for (int i = 0; i < TW_NB_REGS; i++) {
        if (rng_percent(rng, 85)) {
            world_globals[n++] = (TwGlobal){ 8 * i, 8 };
        }
    }
    for (ofs = offsetof(Env, mem);
         ofs < (int32_t)offsetof(Env, mem) + WORLD_MEM_SIZE - 8 &&
         n < WORLD_MAX_GLOBALS;) {
        uint8_t size = (uint8_t)(1 << rng_below(rng, 4));

        if (rng_percent(rng, 50)) {
            world_globals[n++] = (TwGlobal){ ofs, size };
        }
        /* Now and then they overlap. */
        ofs += rng_percent(rng, 5) ? 1 : size;
    }
    world_nglobals = n;
}

void world_init(Rng *rng)
{
    choose_globals(rng);
    memset(&world, 0, sizeof(world));
    fill(rng, world.below_mem, sizeof(world.below_mem));
    fill(rng, world.env.mem, sizeof(world.env.mem));
    fill_vecs(rng);
    fill(rng, world.host, sizeof(world.host));
    fill(rng, world.guest, sizeof(world.guest));
    for (int i = 0; i < TW_NB_REGS; i++) {
        world.env.regs[i] = rng_value(rng);
    }
    for (int i = 0; i < 128; i++) {
        world.frame.spill[i] = rng_value(rng);
    }
    world.env.branch_fuel = 40;
    world.env.tb_fuel = 40;
    world.env.host_ptr = (uintptr_t)&world.host[32];
    world.env.jumps = (uintptr_t)&world_jumps;
    init_tlb(rng);
    world_fp_init(&(Rng){ ~rng->state });
}

const char *world_difference(const World *a, const World *b, size_t *ofs)
{
    static const struct {
        const char *name;
        size_t ofs;
        size_t size;
    } parts[] = {
#define PART(field) { #field, offsetof(World, field), sizeof(a->field) }
        PART(fp_below), PART(below_mem), PART(descs), PART(env.regs),
        PART(env),      PART(frame),     PART(host),  PART(tlb),
        PART(log_hash), PART(log_count), PART(left),  PART(log),
        PART(guest),
#undef PART
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const uint8_t *x = (const uint8_t *)a + parts[i].ofs;
        const uint8_t *y = (const uint8_t *)b + parts[i].ofs;

        for (*ofs = 0; *ofs < parts[i].size; (*ofs)++) {
            if (x[*ofs] != y[*ofs]) {
                return parts[i].name;
            }
        }
    }
    return NULL;
}
