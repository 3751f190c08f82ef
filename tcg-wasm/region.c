/*
 * Planning regions; see region.h.
 *
 * Order and loops come from one algorithm, the weak topological order of
 * F. Bourdoncle ("Efficient chaotic iteration strategies with widenings",
 * 1993): strongly connected components found by depth-first search, each put
 * behind its first-visited node, which is then taken away to find the
 * components inside. For a reducible graph these are the natural loops and
 * their headers. It is applied to the whole group, to find the loop headers,
 * and again to each region, whose order depends on its entry. Recursion is
 * turned into a stack of frames: groups may be long chains.
 *
 * A member may be in several regions, so code is repeated. How much is decided
 * in two rounds. First, each head's region gets its loop, with the loops inside
 * it, and what is reachable without passing another head. The region of a loop
 * inside another loop gets that loop only: it is entered only after an
 * interrupt has left the outer region. Then the regions of other heads, one
 * after the other, also take what is behind further heads, as far as the total
 * allows: each such member saves a jump between functions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "region.h"

typedef struct Frame {
    uint32_t node;
    uint32_t low;           /* lowest number of an open node reached */
    uint8_t edge;           /* next successor to look at */
    bool loop;
    /*
     * the component is known; what is inside is being ordered
     */
    bool inside;
} Frame;

typedef struct Planner {
    const TwRegionNode *nodes;
    uint32_t n;
    const TwRegionLimits *limits;
    TwRegionPlan *plan;

    /* The order that is being made. */
    Frame *frames;
    uint32_t nframes;
    /*
     * when a node was visited; 0: not yet, DONE: it is ordered
     */
    uint32_t *number;
    uint32_t *open;         /* visited nodes that are not ordered yet */
    uint32_t nopen;
    uint32_t last_number;
    uint32_t *order;        /* filled from the back */
    uint32_t first;         /* place of the first node that is ordered */
    uint32_t *end; /* place after the component that a node is head of, or 0 */

    /* What is known of the whole group. */
    uint32_t *place; /* a node's place in the group's order */
    uint32_t *place_end; /* place after a loop header's component, or 0 */
    /*
     * words of each head's region after the first round
     */
    uint32_t *base_words;
    uint8_t *inner; /* is a node in a loop, not as its header? */

    /* The region that is being grown. */
    uint32_t *grown;
    uint32_t ngrown;
    uint8_t *member; /* per node */
} Planner;

enum { DONE = UINT32_MAX };

static void visit(Planner *p, uint32_t node)
{
    p->number[node] = ++p->last_number;
    p->open[p->nopen++] = node;
    p->end[node] = 0;
    p->frames[p->nframes++] = (Frame){
        .node = node,
        .low = p->last_number,
    };
}

/*
 * A successor of the frame's node is the open node with the visit's @number, or
 * leads to it.
 */
static void reaches(Frame *f, uint32_t number)
{
    if (!f->inside && number <= f->low) {
        f->low = number;
        f->loop = true;
    }
}

/*
 * All successors of the frame's node were looked at. True if the frame goes on,
 * with the inside of its component.
 */
static bool close_component(Planner *p, Frame *f)
{
    uint32_t node;

    if (f->inside) {
        p->order[--p->first] = f->node;
        return false;
    }
    if (f->low != p->number[f->node]) {
        return false;
    }
    while ((node = p->open[--p->nopen]) != f->node) {
        p->number[node] = 0;
    }
    p->number[f->node] = DONE;
    if (!f->loop) {
        p->order[--p->first] = f->node;
        return false;
    }
    p->end[f->node] = p->first;
    f->inside = true;
    f->edge = 0;
    return true;
}

/*
 * Order the members of the region that are reachable from @root, in front of
 * those that are ordered already.
 */
static void order_from(Planner *p, uint32_t root)
{
    visit(p, root);
    while (p->nframes) {
        Frame *f = &p->frames[p->nframes - 1];
        uint32_t low = f->low;

        if (f->edge < TW_REGION_EDGES) {
            uint32_t to = p->nodes[f->node].succ[f->edge++];

            if (to == TW_NO_MEMBER || !p->member[to]) {
                continue;
            }
            if (p->number[to] == 0) {
                visit(p, to);
            } else {
                reaches(f, p->number[to]);
            }
        } else if (!close_component(p, f)) {
            p->nframes--;
            if (p->nframes) {
                reaches(f - 1, low);
            }
        }
    }
}

static void start_order(Planner *p)
{
    p->first = p->n;
    p->last_number = 0;
}

static bool is_head(const Planner *p, uint32_t node)
{
    return p->plan->count[node] != 0;
}

/*
 * Order the whole group, and find the heads: plan->count of a head becomes 1,
 * of others 0.
 */
static void find_heads(Planner *p)
{
    uint32_t *count = p->plan->count;

    for (uint32_t i = 0; i < p->n; i++) {
        count[i] = 1;
        p->member[i] = true;
    }
    for (uint32_t i = 0; i < p->n; i++) {
        for (int exit = 0; exit < TW_REGION_GOTO_PTR; exit++) {
            uint32_t to = p->nodes[i].succ[exit];

            if (to != TW_NO_MEMBER && to != i) {
                count[to] = 0;
            }
        }
    }
    count[0] = 1;
    start_order(p);
    for (int roots = 1; roots >= 0; roots--) {
        for (uint32_t i = 0; i < p->n; i++) {
            if (p->number[i] == 0 && (count[i] || !roots)) {
                order_from(p, i);
            }
        }
    }
    for (uint32_t i = 0, loop_end = 0; i < p->n; i++) {
        uint32_t node = p->order[i];

        p->inner[node] = i < loop_end;
        if (p->end[node] > loop_end) {
            loop_end = p->end[node];
        }
        p->place[node] = i;
        p->place_end[node] = p->end[node];
        count[node] |= p->end[node] != 0;
        p->member[node] = false;
        p->number[node] = 0;
    }
}

/* Is @node in the loop of @head? */
static bool nested(const Planner *p, uint32_t node, uint32_t head)
{
    return p->place[node] > p->place[head] &&
           p->place[node] < p->place_end[head];
}

/*
 * Does @node belong to @head's region in the first round? Nodes of @head's loop
 * do. Nodes outside its loop do if they are no heads, unless @head itself is
 * inside another head's loop: then that head's region has them.
 */
static bool belongs(const Planner *p, uint32_t node, uint32_t head)
{
    return nested(p, node, head) || (!p->inner[head] && !is_head(p, node));
}

static uint64_t start_growing(Planner *p, uint32_t head)
{
    p->grown[0] = head;
    p->ngrown = 1;
    p->member[head] = true;
    return p->nodes[head].words;
}

/*
 * Add nodes that the grown region's members lead to, nearest first, up to
 * @limit words. @words: of the region so far. @across: also add other heads and
 * what is behind them. Returns the region's words.
 */
static uint64_t grow(Planner *p, uint64_t words, uint64_t limit, bool across)
{
    uint32_t head = p->grown[0];

    for (uint32_t i = 0; i < p->ngrown; i++) {
        for (int edge = 0; edge < TW_REGION_EDGES; edge++) {
            uint32_t to = p->nodes[p->grown[i]].succ[edge];

            if (to == TW_NO_MEMBER || p->member[to] ||
                (!across && !belongs(p, to, head)) ||
                words + p->nodes[to].words > limit) {
                continue;
            }
            words += p->nodes[to].words;
            p->member[to] = true;
            p->grown[p->ngrown++] = to;
        }
    }
    return words;
}

static void forget_grown(Planner *p)
{
    for (uint32_t i = 0; i < p->ngrown; i++) {
        p->member[p->grown[i]] = false;
        p->number[p->grown[i]] = 0;
    }
}

static bool append_region(Planner *p, uint32_t head)
{
    TwRegionPlan *plan = p->plan;

    start_order(p);
    order_from(p, head);
    if (plan->nmembers + p->ngrown > plan->members_cap) {
        uint32_t cap = 2 * plan->members_cap + p->ngrown;
        uint32_t *members = realloc(plan->members, cap * sizeof(members[0]));

        if (!members) {
            return false;
        }
        plan->members = members;
        plan->members_cap = cap;
    }
    memcpy(&plan->members[plan->nmembers], &p->order[p->first],
           p->ngrown * sizeof(plan->members[0]));
    plan->start[head] = plan->nmembers;
    plan->count[head] = p->ngrown;
    plan->nmembers += p->ngrown;
    return true;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/*
 * How many words may a region have, if the regions may have @total and the
 * others have @taken?
 */
static uint64_t room(const Planner *p, uint64_t total, uint64_t taken)
{
    return least(p->limits->region_words, taken < total ? total - taken : 0);
}

static bool plan_regions(Planner *p, const uint32_t *heads, uint32_t nheads)
{
    uint64_t taken = 0;

    for (uint32_t i = 0; i < nheads; i++) {
        taken += p->nodes[heads[i]].words;
    }
    for (uint32_t i = 0; i < nheads; i++) {
        uint64_t words = start_growing(p, heads[i]);

        taken -= words;
        words = grow(p, words, room(p, p->limits->total_words, taken), false);
        p->base_words[i] = (uint32_t)words;
        taken += words;
        forget_grown(p);
    }
    for (uint32_t i = 0; i < nheads; i++) {
        uint64_t words = start_growing(p, heads[i]);

        taken -= p->base_words[i];
        words = grow(p, words, p->base_words[i], false);
        if (!p->inner[heads[i]]) {
            words =
                grow(p, words, room(p, p->limits->across_words, taken), true);
        }
        taken += words;
        if (!append_region(p, heads[i])) {
            return false;
        }
        forget_grown(p);
    }
    return true;
}

/*
 * Heads get their regions in the group's order, outer loops before inner ones.
 */
static bool plan_all(Planner *p)
{
    uint32_t nheads = 0, *heads = malloc(p->n * sizeof(heads[0]));
    bool ok = false;

    if (heads) {
        find_heads(p);
        for (uint32_t i = 0; i < p->n; i++) {
            if (is_head(p, p->order[i])) {
                heads[nheads++] = p->order[i];
            }
        }
        ok = plan_regions(p, heads, nheads);
    }
    free(heads);
    return ok;
}

bool tw_region_plan(const TwRegionNode *nodes, uint32_t n,
                    const TwRegionLimits *limits, TwRegionPlan *plan)
{
    Planner p = { .nodes = nodes, .n = n, .limits = limits, .plan = plan };
    uint32_t *arrays = calloc((size_t)n * 8 + 1, sizeof(arrays[0]));
    bool ok = false;

    *plan = (TwRegionPlan){
        .start = calloc((size_t)n + 1, sizeof(plan->start[0])),
        .count = calloc((size_t)n + 1, sizeof(plan->count[0])),
    };
    p.frames = malloc(((size_t)n + 1) * sizeof(p.frames[0]));
    p.member = calloc((size_t)n + 1, 1);
    p.inner = calloc((size_t)n + 1, 1);
    if (arrays && plan->start && plan->count && p.frames && p.member &&
        p.inner) {
        p.number = arrays;
        p.open = arrays + n;
        p.order = arrays + 2 * (size_t)n;
        p.end = arrays + 3 * (size_t)n;
        p.place = arrays + 4 * (size_t)n;
        p.place_end = arrays + 5 * (size_t)n;
        p.base_words = arrays + 6 * (size_t)n;
        p.grown = arrays + 7 * (size_t)n;
        ok = n == 0 || plan_all(&p);
    }
    free(arrays);
    free(p.frames);
    free(p.member);
    free(p.inner);
    if (!ok) {
        tw_region_plan_free(plan);
    }
    return ok;
}

void tw_region_plan_free(TwRegionPlan *plan)
{
    free(plan->members);
    free(plan->start);
    free(plan->count);
    *plan = (TwRegionPlan){ 0 };
}
