/*
 * Addresses of host memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "emit-host.h"

#include "emit-regs.h"
#include "emit-slots.h"

static bool has_base(TwInsn insn)
{
    TwFormat format = tw_op_format(insn.op);

    return format == TW_FMT_LD || format == TW_FMT_ST || format == TW_FMT_VLD ||
           format == TW_FMT_VST;
}

uint32_t tw_push_address(TwEmit *e, TwInsn insn)
{
    if (has_base(insn)) {
        return tw_push_base(e, insn.b, insn.imm);
    }
    return tw_push_env(e, insn.imm);
}

void tw_push_store_base(TwEmit *e, TwInsn store)
{
    tw_push_address(e, store);
    e->base_pushed = true;
}

/* The offset that goes with the base that tw_push_store_base() pushed. */
static uint32_t pushed_offset(const TwEmit *e, TwInsn store)
{
    if (has_base(store) && store.b == TW_REG_FRAME) {
        return store.imm >= 0 ? (uint32_t)store.imm : 0;
    }
    return tw_env_offset(e, store.imm);
}

uint32_t tw_open_store(TwEmit *e, TwInsn store)
{
    if (!e->base_pushed) {
        return tw_push_address(e, store);
    }
    e->base_pushed = false;
    return pushed_offset(e, store);
}

/* The base may also be a register that is known to hold env plus a constant. */
void tw_touch_slots(TwEmit *e, TwInsn insn)
{
    TwEnvAccess access;
    bool in_env = tw_env_access(insn, &access);
    int64_t ofs;

    if (!e->plan->nslots) {
        return;
    }
    if (!in_env && e->values[insn.b].kind == TW_ENV_PLUS &&
        (e->known >> insn.b & 1)) {
        ofs = e->values[insn.b].value + insn.imm;
        in_env = ofs == (int32_t)ofs;
        access.ofs = (int32_t)ofs;
    }
    if (in_env) {
        tw_slots_touch(e, &access);
    }
}
