/*
 * page-heat: v86's rule. A guest page has a heat: the number of guest
 * instructions interpreted in it. At 200,000 all TBs of the page that were
 * executed are compiled as one module, together with those of up to two other
 * pages that they lead to. One compilation is in flight at a time; a page that
 * gets hot meanwhile asks again. There are 900 modules at most; when the table
 * is full, all are given up (v86, src/rust/jit.rs: JIT_THRESHOLD, MAX_PAGES,
 * jit_clear_cache; WASM_TABLE_SIZE in src/const.js).
 *
 * v86 adds to a page's heat whenever it leaves it. Here a TB tells when it has
 * executed about a `grain`th of the heat that is needed.
 *
 * The TBs of a page are a list: word 0 of a TB is 1 + the next one, word 1 is
 * 1 + the one before. Words 2 and 3 save looking at the TB's facts, which no
 * cache has, each time that it is hot.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../policy.h"

#include <stdlib.h>
#include <string.h>

enum {
    TABLE_SIZE = 1 << 15,       /* pages that are known, at most half of it */
    GRAIN = 64,
    MAX_PAGES = 16,
};

enum {
    WORD_NEXT,
    WORD_PREV,
    WORD_PAGE,                  /* 1 + index in the table */
    WORD_INSNS,                 /* guest instructions */
};

typedef struct Page {
    uint64_t address;           /* + 1; 0: empty */
    uint64_t heat;
    uint32_t first;             /* 1 + the TB that heads the list; 0: none */
} Page;

typedef struct PageHeat {
    uint64_t heat;
    uint32_t pages;
    Page *table;                /* by address: open addressing */
    uint32_t n;
    bool in_flight;
} PageHeat;

/* Indices into the parameters. */
enum { PARAM_HEAT, PARAM_PAGES };

static const TierParam page_params[] = {
    {
        .name = "heat",
        .unit = "guest instructions",
        .meaning = "compile a page when so many were interpreted in it",
        .type = TIER_PARAM_U64,
        .def.u64 = 200000,
        .min.u64 = 1,
        .max.u64 = UINT64_C(1000000000000),
    },
    {
        .name = "pages",
        .unit = "pages",
        .meaning = "in a module at most",
        .type = TIER_PARAM_U64,
        .def.u64 = 3,
        .min.u64 = 1,
        .max.u64 = MAX_PAGES,
    },
    { .name = NULL },
};

static bool page_init(void *state, TierEngine *engine, const TierValue *values)
{
    PageHeat *self = state;

    (void)engine;
    self->heat = values[PARAM_HEAT].u64;
    self->pages = (uint32_t)values[PARAM_PAGES].u64;
    self->table = calloc(TABLE_SIZE, sizeof(self->table[0]));
    return self->table != NULL;
}

static void page_fini(void *state)
{
    PageHeat *self = state;

    free(self->table);
}

/* The entry of the page at @address, or the empty one where it would be. */
static Page *find_page(const PageHeat *self, uint64_t address)
{
    uint64_t hash = address * UINT64_C(0x9e3779b97f4a7c15) >> 40;

    for (;; hash++) {
        Page *page = &self->table[hash % TABLE_SIZE];

        if (page->address == 0 || page->address == address + 1) {
            return page;
        }
    }
}

/* NULL if it is new and there is no room. */
static Page *make_page(PageHeat *self, uint64_t address)
{
    Page *page = find_page(self, address);

    if (page->address == 0) {
        if (self->n == TABLE_SIZE / 2) {
            return NULL;
        }
        self->n++;
        page->address = address + 1;
    }
    return page;
}

/* Executions of a TB of @insns guest instructions that make a grain of heat. */
static uint32_t grain_of(const PageHeat *self, uint32_t insns)
{
    uint64_t n = self->heat / GRAIN / (insns > 0 ? insns : 1);

    n = n > 0 ? n : 1;
    return n < TIER_MAX_COUNTDOWN ? (uint32_t)n : TIER_MAX_COUNTDOWN;
}

static uint32_t page_translated(void *state, TierEngine *engine,
                                const TierTb *tb)
{
    PageHeat *self = state;
    Page *page = make_page(self, tb->guest_page);
    uint32_t *words = tier_tb_words(engine, tb->id);

    if (!page) {
        return TIER_NEVER_ASK;
    }
    words[WORD_NEXT] = page->first;
    if (page->first > 0) {
        tier_tb_words(engine, page->first - 1)[WORD_PREV] = tb->id + 1;
    }
    page->first = tb->id + 1;
    words[WORD_PAGE] = 1 + (uint32_t)(page - self->table);
    words[WORD_INSNS] = tb->guest_insns;
    return grain_of(self, tb->guest_insns);
}

static void page_invalidated(void *state, TierEngine *engine, const TierTb *tb)
{
    PageHeat *self = state;
    Page *page = find_page(self, tb->guest_page);
    const uint32_t *words = tier_tb_words(engine, tb->id);

    if (page->address == 0) {
        return;
    }
    if (words[WORD_PREV] > 0) {
        tier_tb_words(engine, words[WORD_PREV] - 1)[WORD_NEXT] =
            words[WORD_NEXT];
    } else {
        page->first = words[WORD_NEXT];
    }
    if (words[WORD_NEXT] > 0) {
        tier_tb_words(engine, words[WORD_NEXT] - 1)[WORD_PREV] =
            words[WORD_PREV];
    }
}

/* The group that is made, and the pages in it. */
typedef struct Group {
    const PageHeat *self;
    TierEngine *engine;
    TierDecision *decision;
    uint64_t pages[MAX_PAGES];
    uint32_t n;
} Group;

/* What was executed on the page, and can be compiled. */
static void add_page(Group *group, uint64_t address)
{
    const Page *page = find_page(group->self, address);
    TierDecision *d = group->decision;
    uint32_t link = page->first;

    group->pages[group->n++] = address;
    while (link > 0 && d->n < TIER_MAX_GROUP) {
        uint32_t id = link - 1;

        if (tier_tb_may_compile(group->engine, id, 1, TIER_FUNCTIONS) &&
            tier_tb_executions(group->engine, id) > 0) {
            d->ids[d->n++] = id;
        }
        link = tier_tb_words(group->engine, id)[WORD_NEXT];
    }
}

static void follow(Group *group, uint32_t succ)
{
    const TierTb *tb = succ != TIER_NO_TB ? tier_tb(group->engine, succ) : NULL;

    if (!tb || group->n == group->self->pages) {
        return;
    }
    for (uint32_t i = 0; i < group->n; i++) {
        if (group->pages[i] == tb->guest_page) {
            return;
        }
    }
    add_page(group, tb->guest_page);
}

static void make_group(PageHeat *self, TierEngine *engine, uint64_t address,
                       TierDecision *decision)
{
    Group group = { .self = self, .engine = engine, .decision = decision };

    decision->n = 0;
    add_page(&group, address);
    for (uint32_t i = 0; i < decision->n && group.n < self->pages; i++) {
        follow(&group, tier_tb_succ(engine, decision->ids[i], 0));
        follow(&group, tier_tb_succ(engine, decision->ids[i], 1));
    }
    decision->tier = decision->n > 0;
    self->in_flight = decision->n > 0;
}

static void page_hot(void *state, TierEngine *engine, const TierTb *tb,
                     uint32_t executions, TierDecision *decision)
{
    PageHeat *self = state;
    const uint32_t *words = tier_tb_words(engine, decision->ids[0]);
    uint32_t insns = words[WORD_INSNS];
    Page *page;

    if (words[WORD_PAGE] == 0) {
        return; /* there was no room for its page */
    }
    page = &self->table[words[WORD_PAGE] - 1];
    decision->ask_again = grain_of(self, insns);
    decision->why = TIER_REFUSED_WAIT;
    page->heat += (uint64_t)executions * insns;
    if (page->heat < self->heat) {
        return;
    }
    if (self->in_flight) {
        page->heat = self->heat;
        decision->why = TIER_REFUSED_BUDGET;
        return;
    }
    page->heat = 0;
    make_group(self, engine, tb->guest_page, decision);
}

static uint32_t page_compiled(void *state, TierEngine *engine,
                              const uint32_t *ids, uint32_t n,
                              const TierCost *cost)
{
    PageHeat *self = state;

    (void)engine;
    (void)ids;
    (void)n;
    (void)cost;
    self->in_flight = false;
    return TIER_NEVER_ASK;
}

/* As in v86, the interpreter goes on, and the page gets hot again. */
static uint32_t page_failed(void *state, TierEngine *engine,
                            const uint32_t *ids, uint32_t n, TierRefusal why)
{
    PageHeat *self = state;
    const TierTb *tb = tier_tb(engine, ids[0]);

    (void)n;
    self->in_flight = false;
    if (!tb || why == TIER_REFUSED_BAD_BYTECODE ||
        why == TIER_REFUSED_TOO_LARGE) {
        return TIER_NEVER_ASK;
    }
    return grain_of(self, tb->guest_insns);
}

/* The TB is interpreted and heats its page again, whose list still has it. */
static uint32_t page_demoted(void *state, TierEngine *engine, const TierTb *tb)
{
    (void)engine;
    return grain_of(state, tb->guest_insns);
}

static void page_flushed(void *state, TierEngine *engine)
{
    PageHeat *self = state;

    (void)engine;
    memset(self->table, 0, TABLE_SIZE * sizeof(self->table[0]));
    self->n = 0;
    self->in_flight = false;
}

const TierPolicy tier_policy_page_heat = {
    .name = "page-heat",
    .summary = "compile a guest page when enough was interpreted in it",
    .source = "v86, src/rust/jit.rs",
    .params = page_params,
    .common = "evict=flush-all,max-modules=900",
    .state_size = sizeof(PageHeat),
    .init = page_init,
    .translated = page_translated,
    .hot = page_hot,
    .compiled = page_compiled,
    .failed = page_failed,
    .demoted = page_demoted,
    .invalidated = page_invalidated,
    .flushed = page_flushed,
    .fini = page_fini,
};
