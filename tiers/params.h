/*
 * Parameters of policies: declared once, as an array of TierParam that ends
 * with an entry without a name. Specs, help, results and JSON use these names.
 *
 * Numbers are parsed strictly and without the locale: whole numbers are decimal
 * digits; others have at most 15 significant digits, so that each has exactly
 * one value on every host.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TIER_PARAMS_H
#define TIER_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TIER_MAX_PARAMS = 16,   /* of one policy */
    TIER_VALUE_MAX = 256,   /* a value as text, with its NUL */
};

/* Whole numbers stay exact in JSON readers that only know doubles. */
#define TIER_PARAM_U64_LIMIT (UINT64_C(1) << 53)

typedef enum TierParamType {
    TIER_PARAM_U64,
    TIER_PARAM_DOUBLE,
    TIER_PARAM_BOOL,        /* on | off */
    TIER_PARAM_ENUM,        /* one of @choices */
    TIER_PARAM_TEXT,        /* printable ASCII without commas */
} TierParamType;

typedef union TierValue {
    uint64_t u64;
    double number;
    bool on;
    unsigned choice;        /* index into @choices */
    const char *text;       /* never NULL once parsed */
} TierValue;

typedef struct TierParam {
    const char *name;
    const char *unit;       /* "" where there is none */
    const char *meaning;
    const char *const *choices; /* NULL-terminated; TIER_PARAM_ENUM only */
    TierParamType type;
    TierValue def;
    TierValue min, max;     /* inclusive; U64 and DOUBLE only */
} TierParam;

const char *tier_param_type_name(TierParamType type);

/*
 * Parse the @len bytes at @text as a value of @param, in its range. A TEXT is
 * checked only: its value is for the caller to keep.
 */
bool tier_value_parse(const TierParam *param, const char *text, size_t len,
                      TierValue *value);

/* Print @value as tier_value_parse() reads it; true if it fitted. */
bool tier_value_print(const TierParam *param, TierValue value, char *buf,
                      size_t size);

/* What a value may be, in words: "a whole number from 1 to 10". */
void tier_param_print_range(const TierParam *param, char *buf, size_t size);

#endif
