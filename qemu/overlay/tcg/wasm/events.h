/*
 * What happens to TBs: each event is told to the engine, which may ask the
 * policy for a decision. runtime.h has the events that come from QEMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_WASM_EVENTS_H
#define TCG_WASM_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/bytecode.h"

/*
 * @header's countdown ran out. Asks the policy, compiles if that is the
 * decision, and sets the countdown anew. True if compiled code is to be entered
 * now.
 */
bool tw_hot(TwHeader *header);

/* A moment passed; @now is get_clock(). Asks the policy for groups. */
void tw_tick(int64_t now);

/*
 * @header's code is not in the calling thread's table: install its module
 * there. If the engine refuses the module, the module is given up.
 */
void tw_not_installed(TwHeader *header);

#endif
