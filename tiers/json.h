/*
 * A small JSON writer: commas and escapes are its business, nesting the
 * caller's. Text goes to a sink in pieces of up to a few KiB; nothing is
 * allocated.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_JSON_H
#define TIER_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void TierSinkFn(void *opaque, const char *text, size_t len);

typedef struct TierJson {
    TierSinkFn *sink;
    void *opaque;
    size_t len;
    bool need_comma;
    char buf[4096];
} TierJson;

void tier_json_start(TierJson *json, TierSinkFn *sink, void *opaque);

/* Hand what is left to the sink. */
void tier_json_end(TierJson *json);

/* @bracket: one of { } [ ]; a key comes before, inside an object. */
void tier_json_open(TierJson *json, char bracket);
void tier_json_close(TierJson *json, char bracket);
void tier_json_key(TierJson *json, const char *key);

void tier_json_string(TierJson *json, const char *text); /* NULL: null */
void tier_json_u64(TierJson *json, uint64_t value);
void tier_json_hex(TierJson *json, uint64_t value);     /* "0x..." */
void tier_json_bool(TierJson *json, bool value);
void tier_json_null(TierJson *json);
void tier_json_newline(TierJson *json);                 /* before a value */

/* @text as it is: a number that was printed elsewhere. */
void tier_json_raw(TierJson *json, const char *text);

#endif
