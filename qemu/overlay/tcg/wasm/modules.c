/*
 * Modules and their members; see modules.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "modules.h"
#include "state.h"

/* The header of @id, if the TB is live and executes the code of @module. */
static TwHeader *member(const TwModule *module, uint32_t id)
{
    const TierTbRecord *record = tier_tb_record(tw.engine, id);

    return record && record->module == module->id ? tw_header(id) : NULL;
}

void tw_modules_publish(const TwModule *module)
{
    for (uint32_t i = 0; i < module->n; i++) {
        uint32_t id = module->ids[i];
        TwHeader *header = tw_header(id);

        /* From now on an entry into tier 0 goes on in fn. */
        header->countdown = tier_rearm(tw.engine, id, header->countdown, 1);
        header->flags &= ~TW_HEADER_WATCHED;
        qatomic_store_release(&header->fn, module->base + i);
    }
}

void tw_modules_put_back(const TwModule *module)
{
    for (uint32_t i = 0; i < module->n; i++) {
        TwHeader *header = member(module, module->ids[i]);

        if (header) {
            header->flags &= ~TW_HEADER_WATCHED;
            header->countdown = 1;
            qatomic_store_release(&header->fn, module->base + i);
        }
    }
    tier_module_touched(tw.engine, module->id);
}

void tw_modules_retire(TwModule *module, TierRefusal why)
{
    for (uint32_t i = 0; i < module->n; i++) {
        uint32_t id = module->ids[i];
        TwHeader *header = member(module, id);

        if (header) {
            qatomic_set(&header->fn, 0);
            header->flags &= ~TW_HEADER_WATCHED;
            header->countdown = tier_rearm(tw.engine, id, header->countdown,
                                           tier_demoted(tw.engine, id, why));
        }
    }
    tier_module_retired(tw.engine, module->id);
    tw_cache_retire(&tw.cache, module);
}

/* The countdown of published code is 1: the next entry calls tw_hot(). */
static void watch(const TwModule *module)
{
    for (uint32_t i = 0; i < module->n; i++) {
        TwHeader *header = member(module, module->ids[i]);

        if (header) {
            header->flags |= TW_HEADER_WATCHED;
            qatomic_set(&header->fn, 0);
        }
    }
}

void tw_modules_handle_events(void)
{
    TierModuleEvent event;

    while (tier_next_event(tw.engine, &event)) {
        TwModule *module = tw_cache_module(&tw.cache, event.module);

        if (!module) {
            continue;
        }
        switch (event.kind) {
        case TIER_MODULE_RETIRE:
            tw_modules_retire(module, TIER_REFUSED_NONE);
            break;
        case TIER_MODULE_WATCH:
            watch(module);
            break;
        }
    }
}
