/*
 * The JSON writer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put(TierJson *json, const char *text, size_t len)
{
    while (len > 0) {
        size_t room = sizeof(json->buf) - json->len;
        size_t part = len < room ? len : room;

        memcpy(json->buf + json->len, text, part);
        json->len += part;
        text += part;
        len -= part;
        if (json->len == sizeof(json->buf)) {
            tier_json_end(json);
        }
    }
}

/* What goes before a value or a key. */
static void separate(TierJson *json)
{
    if (json->need_comma) {
        put(json, ",", 1);
    }
    json->need_comma = true;
}

void tier_json_start(TierJson *json, TierSinkFn *sink, void *opaque)
{
    json->sink = sink;
    json->opaque = opaque;
    json->len = 0;
    json->need_comma = false;
}

void tier_json_end(TierJson *json)
{
    if (json->len > 0) {
        json->sink(json->opaque, json->buf, json->len);
        json->len = 0;
    }
}

void tier_json_open(TierJson *json, char bracket)
{
    separate(json);
    put(json, &bracket, 1);
    json->need_comma = false;
}

void tier_json_close(TierJson *json, char bracket)
{
    put(json, &bracket, 1);
    json->need_comma = true;
}

void tier_json_key(TierJson *json, const char *key)
{
    tier_json_string(json, key);
    put(json, ":", 1);
    json->need_comma = false;
}

void tier_json_string(TierJson *json, const char *text)
{
    if (!text) {
        tier_json_null(json);
        return;
    }
    separate(json);
    put(json, "\"", 1);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        char escape[8];

        if (c == '"' || c == '\\') {
            escape[0] = '\\';
            escape[1] = (char)c;
            put(json, escape, 2);
        } else if (c < 0x20) {
            snprintf(escape, sizeof(escape), "\\u%04x", c);
            put(json, escape, 6);
        } else {
            put(json, text, 1);
        }
    }
    put(json, "\"", 1);
}

void tier_json_raw(TierJson *json, const char *text)
{
    separate(json);
    put(json, text, strlen(text));
}

void tier_json_u64(TierJson *json, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    tier_json_raw(json, text);
}

void tier_json_hex(TierJson *json, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "\"0x%" PRIx64 "\"", value);
    tier_json_raw(json, text);
}

void tier_json_bool(TierJson *json, bool value)
{
    tier_json_raw(json, value ? "true" : "false");
}

void tier_json_null(TierJson *json)
{
    tier_json_raw(json, "null");
}

void tier_json_newline(TierJson *json)
{
    bool need_comma = json->need_comma;

    if (need_comma) {
        put(json, ",", 1);
    }
    put(json, "\n", 1);
    json->need_comma = false;
}
