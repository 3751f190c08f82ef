/*
 * What the runtime tells: executions to the engine, a line of the timeline now
 * and then, and the statistics at the end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TCG_WASM_REPORT_H
#define TCG_WASM_REPORT_H

#include <stdint.h>

#include "lib/bytecode.h"

/* Once, before a guest runs and without the lock. */
void tw_report_init(void);

/* Milliseconds since 1970. Needs no lock. */
uint64_t tw_epoch_ms(void);

/*
 * The rest wants the lock.
 */

/* Hand the executions that a header holds, or that all hold, to the engine. */
void tw_settle(TwHeader *header);
void tw_settle_all(void);

/* If it is time: executions to the engine; a line of the timeline. */
void tw_report_counts(int64_t now);
void tw_report_timeline(int64_t now);

#endif
