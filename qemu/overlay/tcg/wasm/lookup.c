/*
 * Looked-up jumps (returns, calls, jumps to another page) without computing the
 * guest's state.
 *
 * helper_lookup_tb_ptr() asks the target for pc, cs_base and flags, and then
 * finds the TB of that state in the vCPU's jump cache. For riscv64 the flags
 * cost several times what the rest does, and both were 40 % of a steady sha256.
 * But a TB that changes nothing that flags depend on ends with the flags that it
 * was itself translated for, as goto_tb relies on: only pc must be looked at.
 *
 * So TBs are scanned when they are translated. What may change flags: helpers
 * with side effects, and stores to env other than to TCG globals (but those in
 * target_keeps_state_in(), which flags are made of) and to what lies below env
 * (the interrupt word, can_do_io). In TBs without these, the call of the helper
 * and the goto_ptr after it become one LOOKUP, which calls tw_lookup() with the
 * TB; compiled code that has a hint probes the jump cache itself.
 *
 * What the helper does besides is kept: breakpoints and logging go to it, and an
 * entry of the jump cache is valid for the same reasons as there.
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
#include "runtime-internal.h"

enum { MAX_OFFSET = 1 << 16 };

/* Bit per offset from env: a global that flags do not depend on. */
static unsigned long *harmless;

#ifdef TARGET_RISCV
static bool target_keeps_state_in(intptr_t ofs)
{
    return ofs == offsetof(CPURISCVState, vl) ||
           ofs == offsetof(CPURISCVState, vstart);
}

/* As cpu_get_tb_cpu_state(). */
static vaddr target_pc(CPUArchState *env)
{
    return env->xl == MXL_RV32 ? (uint32_t)env->pc : env->pc;
}

/* Is the pc, where TBs with the flags of @tb are looked up, the 64 bits in env? */
static bool target_pc_is_plain(const TranslationBlock *tb)
{
    return FIELD_EX32(tb->flags, TB_FLAGS, XL) != MXL_RV32;
}

#define TARGET_PC_OFS offsetof(CPURISCVState, pc)
#else
#error "say here what the target's flags depend on"
#endif

static uintptr_t tw_lookup(void *opaque, uintptr_t own_tb)
{
    CPUArchState *env = opaque;
    CPUState *cpu = env_cpu(env);
    const TranslationBlock *own = (const void *)own_tb;
    vaddr pc = target_pc(env);
    CPUJumpCache *jc = cpu->tb_jmp_cache;
    unsigned hash = tb_jmp_cache_hash_func(pc);
    const TranslationBlock *tb = qatomic_read(&jc->array[hash].tb);

    if (likely(tb && jc->array[hash].pc == pc && tb->flags == own->flags &&
               tb->cs_base == own->cs_base && tb_cflags(tb) == own->cflags &&
               QTAILQ_EMPTY(&cpu->breakpoints))) {
        cpu->neg.can_do_io = true;
        return (uintptr_t)tb->tc.ptr;
    }
    return (uintptr_t)helper_lookup_tb_ptr(env);
}

/* What the jump cache has for @header's TB, if @own_tb may go there. */
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

/* Of what is in CPUState, which lies before env. */
#define CPU_OFS(field) ((int)offsetof(CPUState, field) - (int)sizeof(CPUState))

QEMU_BUILD_BUG_ON(TB_JMP_CACHE_BITS != 12 || TB_JMP_PAGE_BITS != 6);

const TwJumpCache *tw_jump_cache(void)
{
    static const TwJumpCache cache = {
        .ptr = CPU_OFS(tb_jmp_cache),
        .entries = offsetof(CPUJumpCache, array),
        .entry_bits = JUMP_BITS,
        .tag = offsetof(typeof_field(CPUJumpCache, array[0]), tb),
        .pc = offsetof(typeof_field(CPUJumpCache, array[0]), pc),
        .env_pc = TARGET_PC_OFS,
        .busy = CPU_OFS(breakpoints.tqh_first),
        .expect = expect,
    };

    return &cache;
}

static void find_harmless(void)
{
    const TCGTemp *env = tcgv_ptr_temp(tcg_env);
    unsigned long *found = bitmap_new(MAX_OFFSET);

    for (int i = 0; i < tcg_ctx->nb_globals; i++) {
        const TCGTemp *temp = &tcg_ctx->temps[i];

        if (temp->kind == TEMP_GLOBAL && temp->mem_base == env &&
            temp->mem_offset >= 0 && temp->mem_offset < MAX_OFFSET &&
            !target_keeps_state_in(temp->mem_offset)) {
            set_bit(temp->mem_offset, found);
        }
    }
    /* Whole before others see it; should two threads come here, one is lost. */
    qatomic_store_release(&harmless, found);
}

static bool is_harmless(TwInsn insn)
{
    switch (tw_op_format(insn.op)) {
    case TW_FMT_CALL:
        return insn.c & TW_CALL_NO_SIDE_EFFECTS;
    case TW_FMT_STE:
    case TW_FMT_STEI:
        return insn.imm < 0 ||
               (insn.imm < MAX_OFFSET && test_bit(insn.imm, harmless));
    case TW_FMT_ST:
        return insn.b == TW_REG_FRAME;
    default:
        return true;
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

/* Are the words at @at a call of the helper, and a jump to its result in r0? */
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
    if (tb_cflags(tb) != current_cpu->tcg_cflags ||
        qemu_loglevel_mask(CPU_LOG_TB_CPU | CPU_LOG_EXEC)) {
        return;
    }
    if (!harmless) {
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
