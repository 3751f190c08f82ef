/*
 * tw-disas FILE: the TB bytecode in FILE (one TB after another, as in a code
 * buffer; "-": stdin) as text. Stops with status 1 where a TB does not verify.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../bytecode.h"

enum { DONE = 0, FAILED = 1, USAGE = 2 };

static uint64_t *read_words(FILE *f, size_t *nwords)
{
    size_t cap = 1 << 16;
    uint64_t *words = NULL;

    *nwords = 0;
    for (;;) {
        uint64_t *bigger = realloc(words, cap * sizeof(words[0]));
        size_t n;

        if (!bigger) {
            free(words);
            return NULL;
        }
        words = bigger;
        n = fread(&words[*nwords], sizeof(words[0]), cap - *nwords, f);
        *nwords += n;
        if (*nwords < cap) {
            return words;
        }
        cap *= 2;
    }
}

/* Words of the TB at @code; all that is left if its header does not say. */
static size_t tb_words(const uint64_t *code, size_t left)
{
    TwHeader header;
    size_t words;

    if (left < TW_HEADER_WORDS) {
        return left;
    }
    memcpy(&header, code, sizeof(header));
    words = header.size / sizeof(code[0]);
    return words >= TW_HEADER_WORDS && words <= left ? words : left;
}

static bool print_tb(const uint64_t *code, size_t nwords, size_t first)
{
    char line[200];

    for (size_t at = 0; at < nwords;) {
        unsigned words = tw_disas_insn(code, at, nwords, line, sizeof(line));

        printf("%04zu  %s\n", at, line);
        at += words;
    }
    if (!tw_verify(code, nwords, line, sizeof(line))) {
        fflush(stdout);
        fprintf(stderr, "tw-disas: TB at word %zu: %s\n", first, line);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    bool ok = true;
    size_t nwords;
    uint64_t *words;
    FILE *f;

    if (argc != 2) {
        fprintf(stderr, "usage: tw-disas FILE\n");
        return USAGE;
    }
    f = strcmp(argv[1], "-") ? fopen(argv[1], "rb") : stdin;
    if (!f) {
        fprintf(stderr, "tw-disas: cannot open %s: give a file of bytecode\n",
                argv[1]);
        return USAGE;
    }
    words = read_words(f, &nwords);
    fclose(f);
    if (!words) {
        fprintf(stderr, "tw-disas: not enough memory for %s\n", argv[1]);
        return FAILED;
    }
    for (size_t at = 0; ok && at < nwords;) {
        size_t n = tb_words(&words[at], nwords - at);

        ok = print_tb(&words[at], n, at);
        at += n;
    }
    free(words);
    return ok ? DONE : FAILED;
}
