/*
 * Jumps by lookup (returns, calls, jumps to another page) that need not compute
 * the guest's state.
 *
 * helper_lookup_tb_ptr() asks the target for pc, cs_base and flags, and then
 * finds the TB of that state in the vCPU's jump cache. For riscv64 the flags
 * cost several times what the rest does, and both were 40 % of a steady sha256.
 * But a TB that changes nothing that flags depend on ends with the flags that
 * it was translated for, as goto_tb relies on. Such a TB need only look at pc.
 *
 * So tw_speed_lookups() scans each new TB. Flags may change by helpers with
 * side effects, and by stores; but not by stores to the parts of env that
 * target_marks() names, nor by stores below env (the interrupt word,
 * can_do_io). In a TB without flag-changing code, the call of the helper and
 * the goto_ptr after it become one LOOKUP, which calls tw_lookup() with the TB.
 * Compiled code that has a hint probes the jump cache itself.
 *
 * The helper's other duties are kept: with breakpoints or logging, the helper
 * is called; an entry of the jump cache is checked as the helper checks it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitmap.h"
#include "qemu/log.h"
#include "cpu.h"
#include "exec/cpu-common.h"
#include "exec/translation-block.h"
#include "exec/helper-proto-common.h"
#include "accel/tcg/tb-hash.h"
#include "hw/core/cpu.h"
#include "tcg/tcg.h"
#include "lib/insn.h"
#include "env-offsets.h"
#include "lookup.h"
#include "state.h"
#ifdef TARGET_ARM
#include "cpu-features.h"
#endif

enum { MAX_OFFSET = 1 << 16 };

/*
 * What each target says, in accordance with its cpu_get_tb_cpu_state():
 *
 *   target_marks()         sets, in a bitmap of env's bytes, those on which
 *                          neither flags nor cs_base depend
 *   target_can_tell()      can the functions below tell the state after @tb, if
 *                          @tb changed nothing that flags depend on?
 *   target_pc(),           pc and cs_base of that state; flags are @tb's own
 *   target_cs_base()
 *   target_pc_is_plain()   is pc the 64 bits at TARGET_PC_OFS? If these are not
 *                          the pc of any TB, that is right, too.
 */

#ifndef TARGET_RISCV
/* All bytes of env; the target clears those that flags depend on. */
static void mark_all(unsigned long *found)
{
    bitmap_set(found, 0, MIN(sizeof(CPUArchState), (size_t)MAX_OFFSET));
}
#endif

#if defined(TARGET_RISCV)
/* Flags depend on much of env, but on two only of TCG's globals. */
static void target_marks(unsigned long *found)
{
    const TCGTemp *env = tcgv_ptr_temp(tcg_env);

    for (int i = 0; i < tcg_ctx->nb_globals; i++) {
        const TCGTemp *temp = &tcg_ctx->temps[i];
        size_t size = temp->type == TCG_TYPE_I32 ? 4 : 8;

        if (temp->kind == TEMP_GLOBAL && temp->mem_base == env &&
            temp->mem_offset >= 0 && temp->mem_offset + size <= MAX_OFFSET) {
            bitmap_set(found, temp->mem_offset, size);
        }
    }
    bitmap_clear(found, offsetof(CPURISCVState, vl), sizeof(target_ulong));
    bitmap_clear(found, offsetof(CPURISCVState, vstart), sizeof(target_ulong));
}

static bool target_can_tell(const TranslationBlock *tb)
{
    return true;
}

static vaddr target_pc(const CPUArchState *env, const TranslationBlock *tb)
{
    return env->xl == MXL_RV32 ? (uint32_t)env->pc : env->pc;
}

static uint64_t target_cs_base(CPUArchState *env, const TranslationBlock *tb)
{
    return tb->cs_base;
}

static bool target_pc_is_plain(const TranslationBlock *tb)
{
    return FIELD_EX32(tb->flags, TB_FLAGS, XL) != MXL_RV32;
}

#define TARGET_PC_OFS offsetof(CPURISCVState, pc)
#elif defined(TARGET_I386)
static void target_marks(unsigned long *found)
{
    mark_all(found);
    bitmap_clear(found, offsetof(CPUX86State, hflags),
                 sizeof_field(CPUX86State, hflags));
    bitmap_clear(found, offsetof(CPUX86State, eflags),
                 sizeof_field(CPUX86State, eflags));
    bitmap_clear(found, offsetof(CPUX86State, segs[R_CS].base),
                 sizeof_field(CPUX86State, segs[R_CS].base));
}

static bool target_can_tell(const TranslationBlock *tb)
{
    return true;
}

/* tb's cs_base is the base of CS, also with CF_PCREL. */
static vaddr target_pc(const CPUArchState *env, const TranslationBlock *tb)
{
    return tb->flags & HF_CS64_MASK ? env->eip
                                    : (uint32_t)(tb->cs_base + env->eip);
}

static uint64_t target_cs_base(CPUArchState *env, const TranslationBlock *tb)
{
    return tb->cs_base;
}

/* If eip has more than 32 bits where 32 count, no TB is found. */
static bool target_pc_is_plain(const TranslationBlock *tb)
{
    return tb->flags & HF_CS64_MASK || tb->cs_base == 0;
}

#define TARGET_PC_OFS offsetof(CPUX86State, eip)
#elif defined(TARGET_ARM)
static void target_marks(unsigned long *found)
{
    mark_all(found);
    bitmap_clear(found, offsetof(CPUARMState, hflags),
                 sizeof_field(CPUARMState, hflags));
    bitmap_clear(found, offsetof(CPUARMState, pstate),
                 sizeof_field(CPUARMState, pstate));
}

/* AArch32 has more state in its flags, and is rare. */
static bool target_can_tell(const TranslationBlock *tb)
{
    CPUARMTBFlags flags = { tb->flags, tb->cs_base };

    return EX_TBFLAG_ANY(flags, AARCH64_STATE);
}

static vaddr target_pc(const CPUArchState *env, const TranslationBlock *tb)
{
    return env->pc;
}

/*
 * cs_base is the second half of the flags. The branch type in it is of the next
 * instruction, and changes with most jumps.
 */
static uint64_t target_cs_base(CPUArchState *env, const TranslationBlock *tb)
{
    CPUARMTBFlags flags = { tb->flags, tb->cs_base };

    if (cpu_isar_feature(aa64_bti, env_archcpu(env))) {
        DP_TBFLAG_A64(flags, BTYPE, env->btype);
    }
    return flags.flags2;
}

static bool target_pc_is_plain(const TranslationBlock *tb)
{
    return true;
}

#define TARGET_PC_OFS offsetof(CPUARMState, pc)
#else
#error "say here what the target's flags depend on"
#endif

static uintptr_t tw_lookup(void *opaque, uintptr_t own_tb)
{
    CPUArchState *env = opaque;
    CPUState *cpu = env_cpu(env);
    const TranslationBlock *own = (const void *)own_tb;
    vaddr pc = target_pc(env, own);
    CPUJumpCache *jc = cpu->tb_jmp_cache;
    unsigned hash = tb_jmp_cache_hash_func(pc);
    const TranslationBlock *tb = qatomic_read(&jc->array[hash].tb);

    if (likely(tb && jc->array[hash].pc == pc && tb->flags == own->flags &&
               tb->cs_base == target_cs_base(env, own) &&
               tb_cflags(tb) == own->cflags &&
               QTAILQ_EMPTY(&cpu->breakpoints))) {
        cpu->neg.can_do_io = true;
        return (uintptr_t)tb->tc.ptr;
    }
    return (uintptr_t)helper_lookup_tb_ptr(env);
}

/* The jump cache's entry of @header's TB; false if @own_tb may not go there. */
static bool expect(uint64_t own_tb, uint32_t header, TwExpected *expected)
{
    const TranslationBlock *own = (const void *)(uintptr_t)own_tb;
    const TwHeader *h = (const void *)(uintptr_t)header;
    const TranslationBlock *tb = (const void *)(uintptr_t)h->host_tb;

    *expected = (TwExpected){
        .tag = (uintptr_t)tb,
        .valid_at = (uintptr_t)&tb->cflags,
        .valid = own->cflags & ~CF_INVALID,
    };
    return target_pc_is_plain(own) && tb->flags == own->flags &&
           tb->cs_base == own->cs_base &&
           (tb->cflags & ~CF_INVALID) == expected->valid;
}

enum { JUMP_BITS = 4 };

QEMU_BUILD_BUG_ON(TB_JMP_CACHE_BITS != 12 || TB_JMP_PAGE_BITS != 6);

const TwJumpCache *tw_jump_cache(void)
{
    static const TwJumpCache cache = {
        .ptr = TW_CPU_OFS(tb_jmp_cache),
        .entries = offsetof(CPUJumpCache, array),
        .entry_bits = JUMP_BITS,
        .tag = offsetof(typeof_field(CPUJumpCache, array[0]), tb),
        .pc = offsetof(typeof_field(CPUJumpCache, array[0]), pc),
        .env_pc = TARGET_PC_OFS,
        .busy = TW_CPU_OFS(breakpoints.tqh_first),
        .expect = expect,
    };

    return &cache;
}

static void find_harmless(void)
{
    unsigned long *found = bitmap_new(MAX_OFFSET);

    target_marks(found);
    /* Published when complete. If two threads do so, one bitmap is lost. */
    qatomic_store_release(&tw.harmless, found);
}

static bool store_is_harmless(int32_t ofs, unsigned size)
{
    return ofs < 0 ||
           (ofs <= (int)(MAX_OFFSET - size) &&
            find_next_zero_bit(tw.harmless, ofs + size, ofs) == ofs + size);
}

/* A format that is not listed may do harm. */
static bool is_harmless(TwInsn insn)
{
    switch (tw_op_format(insn.op)) {
    case TW_FMT_CALL:
        return insn.c & TW_CALL_NO_SIDE_EFFECTS;
    case TW_FMT_STE:
        return store_is_harmless(insn.imm, 1 << (insn.op - TW_OP_STE8));
    case TW_FMT_STEI:
        return store_is_harmless(insn.imm, 1 << (insn.op - TW_OP_STEI8));
    case TW_FMT_ST:
        return insn.b == TW_REG_FRAME;
    case TW_FMT_VST:
        return insn.b == TW_REG_FRAME ||
               (insn.b == TW_REG_ENV &&
                store_is_harmless(insn.imm, 1 << insn.c));
    case TW_FMT_ENTRY:
    case TW_FMT_LOOKUP:
    case TW_FMT_EXIT:
    case TW_FMT_GOTO_TB:
    case TW_FMT_VI64:
    case TW_FMT_RI64:
    case TW_FMT_R:
    case TW_FMT_I:
    case TW_FMT_RR:
    case TW_FMT_RRR:
    case TW_FMT_RI:
    case TW_FMT_RRI:
    case TW_FMT_FIELD:
    case TW_FMT_DEPOSIT:
    case TW_FMT_R4:
    case TW_FMT_R6:
    case TW_FMT_MOVCOND:
    case TW_FMT_B:
    case TW_FMT_RRB:
    case TW_FMT_RIB:
    case TW_FMT_EB:
    case TW_FMT_LD:
    case TW_FMT_LDE:
    case TW_FMT_QMEM:
    case TW_FMT_VLD:
    case TW_FMT_VOP:
        return true;
    default:
        return false;
    }
}

static bool keeps_state(const uint64_t *code, size_t nwords)
{
    for (size_t at = 0; at < nwords;) {
        TwInsn insn = tw_insn_at(code, at);

        if (!is_harmless(insn)) {
            return false;
        }
        at += tw_op_words(insn.op);
    }
    return true;
}

/* Do the words at @at call the helper and jump to its result, in r0? */
static bool is_lookup(const uint64_t *code, size_t at, size_t nwords)
{
    TwInsn next;

    if (tw_insn_at(code, at).op != TW_OP_CALL || at + 3 > nwords ||
        code[at + 1] != (uintptr_t)helper_lookup_tb_ptr) {
        return false;
    }
    next = tw_insn_at(code, at + 2);
    return next.op == TW_OP_GOTO_PTR && next.a == 0;
}

void tw_speed_lookups(const TranslationBlock *tb, uint64_t *code, size_t nwords)
{
    if (!target_can_tell(tb) || tb_cflags(tb) != current_cpu->tcg_cflags ||
        qemu_loglevel_mask(CPU_LOG_TB_CPU | CPU_LOG_EXEC)) {
        return;
    }
    if (!tw.harmless) {
        find_harmless();
    }
    if (!keeps_state(code, nwords)) {
        return;
    }
    for (size_t at = 0; at < nwords;) {
        TwInsn insn = tw_insn_at(code, at);

        if (is_lookup(code, at, nwords)) {
            code[at] = TW_OP_LOOKUP;
            code[at + 1] = (uintptr_t)tw_lookup;
            code[at + 2] = (uintptr_t)tb;
            insn.op = TW_OP_LOOKUP;
        }
        at += tw_op_words(insn.op);
    }
}
