/*
 * Why the emitter did not compile a group: one typed reason per refusal. The
 * engine of tiers/ counts refusals by reason.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TW_EMIT_REFUSAL_H
#define TW_EMIT_REFUSAL_H

typedef enum TwRefusal {
#define COMPILE_REFUSAL(name, key, meaning) TW_REFUSED_##name,
#include "tiers/refusals.def"
    TW_NB_REFUSALS
} TwRefusal;

/* The name of a reason in results and messages, for example "too-large". */
const char *tw_refusal_key(TwRefusal why);

/* A reason in a few words of English. */
const char *tw_refusal_meaning(TwRefusal why);

#endif
