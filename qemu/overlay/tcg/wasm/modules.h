/*
 * Modules and their members: whose code a TB executes. All functions want the
 * runtime's lock.
 *
 * A watched module is out of use though it is installed: its members' fn is 0,
 * and the first member that tier 0 enters puts the module back. So the eviction
 * policy learns which modules are in use, and compiled code counts nothing for
 * that.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_WASM_MODULES_H
#define TCG_WASM_MODULES_H

#include "tiers/refusals.h"
#include "code-cache.h"

/* In TwHeader.flags: the TB is compiled, but its module is watched. */
enum { TW_HEADER_WATCHED = 1 };

/* Make the code of @module what its members execute. */
void tw_modules_publish(const TwModule *module);

/* The watched @module was entered: its members execute its code again. */
void tw_modules_put_back(const TwModule *module);

/*
 * Take the code of @module away from its members, and give @module up. @why: as
 * for tier_demoted().
 */
void tw_modules_retire(TwModule *module, TierRefusal why);

/* Do to modules what the engine wants done to them. */
void tw_modules_handle_events(void);

#endif
