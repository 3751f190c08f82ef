/*
 * Reader of profiles: strict, so that a damaged file is not taken for a cold
 * program.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char magic[] = "tierlab-profile 1";

enum {
    HASH_DIGITS = 16,
    MAX_DIGITS = 19,            /* of a count: any such fits */
    MAX_LINE = 64,
    FIRST_SIZE = 1024,
};

/* Where it is to go and what is read. */
typedef struct Reader {
    TierProfile *profile;
    const char *path;
    FILE *file;
    unsigned long line;
    uint64_t last;              /* executions of the line before */
    uint64_t least;
    char *err;
    size_t errsize;
} Reader;

/* Always false. */
static bool fail(const Reader *reader, const char *why)
{
    snprintf(reader->err, reader->errsize,
             "profile %.200s, line %lu: %s: make it again with "
             "`tierlab profile`",
             reader->path, reader->line, why);
    return false;
}

/* The slot of @hash, or the empty one where it would be. */
static TierProfileEntry *find(const TierProfile *profile, uint64_t hash)
{
    uint32_t mask = profile->size - 1;
    /* The low bits of a multiplicative hash are its worst. */
    uint32_t i = (uint32_t)(hash >> 32 ^ hash) & mask;

    while (profile->table[i].hash && profile->table[i].hash != hash) {
        i = (i + 1) & mask;
    }
    return &profile->table[i];
}

static bool grow(TierProfile *profile)
{
    TierProfile bigger = {
        .size = profile->size ? 2 * profile->size : FIRST_SIZE,
        .n = profile->n,
    };

    bigger.table = calloc(bigger.size, sizeof(bigger.table[0]));
    if (!bigger.table) {
        return false;
    }
    for (uint32_t i = 0; i < profile->size; i++) {
        if (profile->table[i].hash) {
            *find(&bigger, profile->table[i].hash) = profile->table[i];
        }
    }
    free(profile->table);
    *profile = bigger;
    return true;
}

/* The next line, without its end; false at the end of the file. */
static bool next_line(Reader *reader, char *line, bool *ok)
{
    size_t len;

    *ok = true;
    reader->line++;
    if (!fgets(line, MAX_LINE, reader->file)) {
        *ok = !ferror(reader->file) || fail(reader, "cannot be read");
        return false;
    }
    len = strlen(line);
    if (len == 0 || line[len - 1] != '\n') {
        *ok = fail(reader, "too long, or the file is cut off");
        return false;
    }
    line[len - 1] = '\0';
    return true;
}

static const char *parse_hash(const char *text, uint64_t *hash)
{
    static const char digits[] = "0123456789abcdef";

    *hash = 0;
    for (int i = 0; i < HASH_DIGITS; i++, text++) {
        const char *digit = *text ? strchr(digits, *text) : NULL;

        if (!digit) {
            return NULL;
        }
        *hash = *hash << 4 | (uint64_t)(digit - digits);
    }
    return text;
}

static bool parse_count(const char *text, uint64_t *count)
{
    size_t len = strlen(text);

    *count = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        *count = *count * 10 + (uint64_t)(*text - '0');
    }
    return len > 0 && len <= MAX_DIGITS && *text == '\0';
}

static bool parse_line(Reader *reader, const char *line)
{
    TierProfile *profile = reader->profile;
    const char *rest;
    TierProfileEntry entry;
    TierProfileEntry *slot;

    rest = parse_hash(line, &entry.hash);
    if (!rest || *rest != ' ' || entry.hash == 0 ||
        !parse_count(rest + 1, &entry.executions)) {
        return fail(reader, "not a hash and a count");
    }
    if (entry.executions > reader->last) {
        return fail(reader, "more executions than the line before");
    }
    reader->last = entry.executions;
    if (entry.executions < reader->least) {
        return true;
    }
    if (profile->n == TIER_PROFILE_MAX) {
        return fail(reader, "too many lines");
    }
    if (2 * profile->n >= profile->size && !grow(profile)) {
        return fail(reader, "no memory for it");
    }
    slot = find(profile, entry.hash);
    if (slot->hash) {
        return fail(reader, "the same hash again");
    }
    *slot = entry;
    profile->n++;
    return true;
}

static bool read_all(Reader *reader)
{
    char line[MAX_LINE];
    bool ok;

    if (!next_line(reader, line, &ok) || strcmp(line, magic) != 0) {
        return ok && fail(reader, "the file does not begin with "
                                  "'tierlab-profile 1'");
    }
    while (next_line(reader, line, &ok)) {
        if (!parse_line(reader, line)) {
            return false;
        }
    }
    return ok;
}

bool tier_profile_read(TierProfile *profile, const char *path, uint64_t least,
                       char *err, size_t errsize)
{
    Reader reader = {
        .profile = profile,
        .path = path,
        .last = UINT64_MAX,
        .least = least,
        .err = err,
        .errsize = errsize,
    };
    bool ok;

    memset(profile, 0, sizeof(*profile));
    reader.file = fopen(path, "r");
    if (!reader.file) {
        snprintf(err, errsize,
                 "cannot open the profile %.200s: %s: name one that "
                 "`tierlab profile` made",
                 path, strerror(errno));
        return false;
    }
    ok = read_all(&reader);
    fclose(reader.file);
    if (!ok) {
        tier_profile_free(profile);
    }
    return ok;
}

void tier_profile_free(TierProfile *profile)
{
    free(profile->table);
    memset(profile, 0, sizeof(*profile));
}

uint64_t tier_profile_executions(const TierProfile *profile, uint64_t hash)
{
    return hash && profile->size ? find(profile, hash)->executions : 0;
}
