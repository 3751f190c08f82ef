/*
 * The small machine that random TBs run on: env with what lies below it, the
 * frame, a TLB over some guest memory, host memory, helpers that log.
 *
 * All of it is one flat object, so that a run is: restore, execute, compare.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_TESTS_WORLD_H
#define TW_TESTS_WORLD_H

#include <setjmp.h>

#include "../emit.h"
#include "../interp.h"
#include "../rng.h"

enum {
    WORLD_PAGE_BITS = 12,
    WORLD_NB_MMU = 3,
    WORLD_TLB_MAX = 16,
    WORLD_GUEST_SIZE = 1 << 15,
    WORLD_NB_PAGES = 12,
    WORLD_MEM_SIZE = 256,
    WORLD_BELOW_SIZE = 64,
    WORLD_FP_BELOW_SIZE = 16,
    WORLD_LOG_SIZE = 64,
    WORLD_MAX_TBS = 16,
    WORLD_MAX_GLOBALS = 80,
    WORLD_PTRS = 4,
    WORLD_PC = 3, /* the register that is the guest's pc */
    WORLD_JUMPS = 1 << 12,
    WORLD_FP_STATUSES = 4,
    WORLD_FP_GROUPS = 12,
    WORLD_FP_VECS = 8,
};

typedef struct LogEntry {
    uint32_t kind;
    uint32_t retaddr;
    uint64_t args[7];
} LogEntry;

/* An entry of the jump cache: the header of a TB, and where it was. */
typedef struct WorldJump {
    uintptr_t tag;
    uint64_t pc;
} WorldJump;

typedef struct WorldJumps {
    uint64_t other;
    WorldJump entries[WORLD_JUMPS];
} WorldJumps;

/* Floating point: nothing of it is a global. See world-fp.h. */
typedef struct WorldFpState {
    uint64_t env; /* its address, for pointers that nobody knows */
    uint64_t mode; /* the guest's dynamic mode */
    uint32_t status[WORLD_FP_STATUSES]; /* the start of a float_status */
    uint64_t singles[WORLD_FP_GROUPS][3]; /* related numbers, boxed */
    uint64_t doubles[WORLD_FP_GROUPS][3];
    uint64_t integers[WORLD_FP_GROUPS];
    uint8_t vecs[WORLD_FP_VECS][16]; /* pairs: of 64 bits, of 32, and so on */
} WorldFpState;

/* What TW_REG_ENV points at. */
typedef struct Env {
    uint64_t regs[TW_NB_REGS];
    int64_t branch_fuel;
    int32_t tb_fuel;
    uint32_t pad;
    /*
     * Pointers, in 64 bits on every host: offsets of env are the same on all.
     */
    uint64_t host_ptr; /* to the middle of host[] */
    uint64_t ptrs[WORLD_PTRS]; /* headers or 0, for jumps by lookup */
    uint64_t jumps; /* to world_jumps */
    uint32_t busy;
    uint8_t mem[WORLD_MEM_SIZE];
    uint8_t vecs[16 * TW_NB_VREGS];
    WorldFpState fp;
} Env;

typedef struct World {
    TwTlbDesc descs[WORLD_NB_MMU];
    uint8_t fp_below[WORLD_FP_BELOW_SIZE]; /* as env.fp.vecs */
    uint8_t below_mem[WORLD_BELOW_SIZE];
    Env env;
    TwFrame frame;
    uint64_t host[64];
    TwTlbEntry tlb[WORLD_NB_MMU][WORLD_TLB_MAX];
    uint64_t pages[WORLD_NB_PAGES]; /* guest page numbers that are used */
    uint64_t log_hash;
    uint32_t log_count;
    uint32_t left;                  /* by a helper that does not return */
    LogEntry log[WORLD_LOG_SIZE];
    uint8_t guest[WORLD_GUEST_SIZE];
} World;

#define WORLD_TLB_OFS \
    ((int32_t)offsetof(World, descs) - (int32_t)offsetof(World, env))
#define WORLD_BELOW_OFS (-WORLD_BELOW_SIZE)
#define WORLD_FP_BELOW_OFS (WORLD_BELOW_OFS - WORLD_FP_BELOW_SIZE)
static_assert(offsetof(World, env) - offsetof(World, below_mem) ==
                  WORLD_BELOW_SIZE,
              "the memory ends where env starts");
static_assert(offsetof(World, below_mem) - offsetof(World, fp_below) ==
                  WORLD_FP_BELOW_SIZE,
              "one behind the other");

extern World world;
extern jmp_buf world_leave;

/*
 * The globals of this world, by offset: regions may keep them in locals. Every
 * helper but the quiet ones looks at all of env, and so do the slow paths.
 */
extern TwGlobal world_globals[WORLD_MAX_GLOBALS];
extern unsigned world_nglobals;

/*
 * Chained exits: word 1 of a GOTO_TB, and what it may hold. Now and then a slow
 * path changes one, as when QEMU links or invalidates a TB.
 */
typedef struct WorldLink {
    uint64_t *word;
    uint64_t choices[3];
} WorldLink;
extern WorldLink world_links[2 * WORLD_MAX_TBS];
extern unsigned world_nlinks;

/*
 * By id of TB: how often tier 0 executed it, and how many executions were
 * counted for it by sampling.
 */
extern uint32_t world_executed[WORLD_MAX_TBS];
extern uint32_t world_sampled[WORLD_MAX_TBS];
extern uint32_t world_sample_period;

/*
 * A helper for CALL. @quiet is the same but does not look at env, for calls
 * with NO_READ_GLOBALS; or 0.
 */
typedef struct WorldHelper {
    TwSig sig;
    bool takes_env;
    bool writes_env;
    uintptr_t fn;
    uintptr_t quiet;
} WorldHelper;

extern const WorldHelper world_helpers[];
unsigned world_nb_helpers(void);
extern const WorldHelper world_no_return;

/* For helpers: log a call; returns a hash of all that was logged. */
uint64_t world_log(const LogEntry *entry);

/*
 * Hash all of env that may be a global, as if an exception needed it now:
 * compiled code must have written it.
 */
void world_look_at_env(void);

/* Fill the world with random contents; slots and ptrs are the generator's. */
void world_init(Rng *rng);

/* Tier 0 of this world. */
TwTbFn world_interpret;

/*
 * Compiled code may take a slow path where tier 0 finds the page in the TLB. So
 * slow paths neither log, nor fault, nor change anything else than the access.
 */
extern bool world_shares_lookups;

/* Slow paths, by size; the same functions serve compiled code. */
uint64_t world_ld8(void *env, uint64_t addr, uint32_t oi, uintptr_t ra);
uint64_t world_ld16(void *env, uint64_t addr, uint32_t oi, uintptr_t ra);
uint64_t world_ld32(void *env, uint64_t addr, uint32_t oi, uintptr_t ra);
uint64_t world_ld64(void *env, uint64_t addr, uint32_t oi, uintptr_t ra);
void world_st8(void *env, uint64_t addr, uint32_t v, uint32_t oi, uintptr_t ra);
void world_st16(void *env, uint64_t addr, uint32_t v, uint32_t oi,
                uintptr_t ra);
void world_st32(void *env, uint64_t addr, uint32_t v, uint32_t oi,
                uintptr_t ra);
void world_st64(void *env, uint64_t addr, uint64_t v, uint32_t oi,
                uintptr_t ra);

/*
 * LOOKUP: by the guest's pc, through a jump cache that forgets now and then,
 * and distrusts TBs whose word in world_valid is not WORLD_VALID.
 */
enum { WORLD_VALID = 77 };
extern WorldJumps world_jumps;
extern uint32_t world_valid[WORLD_MAX_TBS];
TwLookupFn world_lookup;
extern const TwJumpCache world_jump_cache;
void world_forget_jumps(void);

/* Name and first differing byte of two worlds' contents, or NULL. */
const char *world_difference(const World *a, const World *b, size_t *ofs);

#endif
