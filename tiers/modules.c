/*
 * A pool of entries, an open-addressed index of their ids, and two doubly
 * linked lists.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "modules.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 64 };

/* Lists */

static TierLinks *links_of(TierModules *m, const TierList *list, uint32_t i)
{
    return list == &m->age ? &m->pool[i].age : &m->pool[i].queue;
}

static void list_append(TierModules *m, TierList *list, uint32_t i)
{
    TierLinks *links = links_of(m, list, i);

    links->prev = list->last;
    links->next = TIER_NO_ENTRY;
    if (list->last == TIER_NO_ENTRY) {
        list->first = i;
    } else {
        links_of(m, list, list->last)->next = i;
    }
    list->last = i;
}

static void list_remove(TierModules *m, TierList *list, uint32_t i)
{
    const TierLinks *links = links_of(m, list, i);

    if (links->prev == TIER_NO_ENTRY) {
        list->first = links->next;
    } else {
        links_of(m, list, links->prev)->next = links->next;
    }
    if (links->next == TIER_NO_ENTRY) {
        list->last = links->prev;
    } else {
        links_of(m, list, links->next)->prev = links->prev;
    }
}

static uint32_t number_of(const TierModules *m, const TierModuleEntry *entry)
{
    return (uint32_t)(entry - m->pool);
}

/* The index */

/*
 * Scattered, as consecutive ids side by side would be one cluster, and
 * empty_slot() goes to the end of its cluster.
 */
static uint32_t home_of(const TierModules *m, uint32_t id)
{
    uint32_t hash = id * UINT32_C(0x9e3779b1);

    return (hash ^ hash >> 15) & (m->index_size - 1);
}

static uint32_t following(const TierModules *m, uint32_t slot)
{
    return (slot + 1) & (m->index_size - 1);
}

/* The slot that holds @id, or the empty one where it would be. */
static uint32_t find_slot(const TierModules *m, uint32_t id)
{
    uint32_t slot = home_of(m, id);

    while (m->index[slot] && m->pool[m->index[slot] - 1].facts.id != id) {
        slot = following(m, slot);
    }
    return slot;
}

/* Empty @slot, and move up those that were displaced by it. */
static void empty_slot(TierModules *m, uint32_t slot)
{
    uint32_t next = slot;

    for (;;) {
        uint32_t home;

        next = following(m, next);
        if (!m->index[next]) {
            break;
        }
        home = home_of(m, m->pool[m->index[next] - 1].facts.id);
        /* Is home cyclically in (slot, next]? Then it stays. */
        if (((next - home) & (m->index_size - 1)) <
            ((next - slot) & (m->index_size - 1))) {
            continue;
        }
        m->index[slot] = m->index[next];
        slot = next;
    }
    m->index[slot] = 0;
}

static void index_again(TierModules *m)
{
    memset(m->index, 0, m->index_size * sizeof(m->index[0]));
    for (uint32_t i = 0; i < m->n; i++) {
        m->index[find_slot(m, m->pool[i].facts.id)] = i + 1;
    }
}

/* The store */

void tier_modules_init(TierModules *modules)
{
    memset(modules, 0, sizeof(*modules));
    modules->free = TIER_NO_ENTRY;
    modules->age = (TierList){ TIER_NO_ENTRY, TIER_NO_ENTRY };
    modules->queue = modules->age;
}

void tier_modules_free(TierModules *modules)
{
    free(modules->pool);
    free(modules->index);
}

/* Only called when the pool is full, so that entries 0 to n are in use. */
static bool grow(TierModules *m)
{
    uint32_t cap = m->cap ? 2 * m->cap : FIRST_CAP;
    uint32_t *index = malloc(4 * cap * sizeof(*index));
    TierModuleEntry *pool;

    if (!index) {
        return false;
    }
    pool = realloc(m->pool, cap * sizeof(*pool));
    if (!pool) {
        free(index);
        return false;
    }
    free(m->index);
    m->index = index;
    m->index_size = 4 * cap;
    m->pool = pool;
    for (uint32_t i = cap; i-- > m->cap;) {
        m->pool[i].age.next = m->free;
        m->free = i;
    }
    m->cap = cap;
    index_again(m);
    return true;
}

bool tier_modules_reserve(TierModules *modules)
{
    return modules->free != TIER_NO_ENTRY || grow(modules);
}

TierModuleEntry *tier_modules_get(const TierModules *modules, uint32_t id)
{
    uint32_t entry;

    if (modules->n == 0) {
        return NULL;
    }
    entry = modules->index[find_slot(modules, id)];
    return entry ? &modules->pool[entry - 1] : NULL;
}

TierModuleEntry *tier_modules_add(TierModules *modules, uint32_t id)
{
    TierModuleEntry *entry;
    uint32_t i;

    if (!tier_modules_reserve(modules) || tier_modules_get(modules, id)) {
        return NULL;
    }
    i = modules->free;
    entry = &modules->pool[i];
    modules->free = entry->age.next;
    modules->index[find_slot(modules, id)] = i + 1;
    memset(entry, 0, sizeof(*entry));
    entry->facts.id = id;
    entry->present = true;
    modules->n++;
    modules->present++;
    list_append(modules, &modules->age, i);
    return entry;
}

void tier_modules_renew(TierModules *modules, TierModuleEntry *entry)
{
    assert(entry->present);
    list_remove(modules, &modules->age, number_of(modules, entry));
    list_append(modules, &modules->age, number_of(modules, entry));
}

void tier_modules_leave(TierModules *modules, TierModuleEntry *entry)
{
    assert(entry->present);
    list_remove(modules, &modules->age, number_of(modules, entry));
    entry->present = false;
    modules->present--;
}

static void unqueue(TierModules *m, TierModuleEntry *entry)
{
    if (entry->queued) {
        list_remove(m, &m->queue, number_of(m, entry));
        entry->queued = false;
    }
}

void tier_modules_remove(TierModules *modules, TierModuleEntry *entry)
{
    if (entry->present) {
        tier_modules_leave(modules, entry);
    }
    unqueue(modules, entry);
    empty_slot(modules, find_slot(modules, entry->facts.id));
    entry->age.next = modules->free;
    modules->free = number_of(modules, entry);
    modules->n--;
}

/* Events */

void tier_modules_post(TierModules *modules, TierModuleEntry *entry,
                       TierModuleEventKind event)
{
    entry->event = event;
    if (!entry->queued) {
        entry->queued = true;
        list_append(modules, &modules->queue, number_of(modules, entry));
    }
}

bool tier_modules_next_event(TierModules *modules, TierModuleEvent *event)
{
    TierModuleEntry *entry;

    if (modules->queue.first == TIER_NO_ENTRY) {
        return false;
    }
    entry = &modules->pool[modules->queue.first];
    event->kind = entry->event;
    event->module = entry->facts.id;
    unqueue(modules, entry);
    return true;
}

void tier_modules_clear_events(TierModules *modules)
{
    TierModuleEvent event;

    while (tier_modules_next_event(modules, &event)) {
    }
}
