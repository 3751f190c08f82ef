/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks and counters: the promises of atomic instructions, on all CPUs at once.
 *
 * A lost, doubled or torn access shows in a wrong sum at the end, or in a value
 * that no role ever stored.
 */
#include "stress.h"

enum {
    ADDITIONS = 10000,
    SECTIONS = 1500, /* passes through a lock's critical section */
    PASSES = 200,    /* of futexes: each is two switches of processes */
    FUTEX_WAIT = 0,
    FUTEX_WAKE = 1,
    EXCHANGED = 4, /* variables of the exchange tests */
};

#define ON_ITS_LINE __attribute__((aligned(LINE)))

typedef struct Field {
    uint64_t word ON_ITS_LINE;
    uint64_t slots[EXCHANGED] ON_ITS_LINE;
    uint32_t sum ON_ITS_LINE;
    uint32_t lock ON_ITS_LINE;
    uint32_t next ON_ITS_LINE; /* ticket */
    uint32_t turn ON_ITS_LINE;
    uint32_t flags[2] ON_ITS_LINE;
    uint32_t plain ON_ITS_LINE; /* guarded by the lock under test */
    uint32_t plain_too ON_ITS_LINE;
    uint64_t pair[2] ON_ITS_LINE;
} Field;

static Field *field_of(Role *role)
{
    return (Field *)role->shared->memory;
}

/* Wait until all roles are done; then the first one compares. */
static void expect(Role *role, uint64_t *at, uint64_t wanted)
{
    if (role_meet(role) && role->number == 0 && *at != wanted) {
        role_fail(role, "got, wanted", (unsigned long)*at,
                  (unsigned long)wanted);
    }
}

/*
 * The tests of one width. On i386 a width of 8 bytes has no __atomic form
 * without a library, but a __sync form (cmpxchg8b); these are full barriers
 * everywhere.
 */
#define WIDTH(width) \
    static void add##width(Role *role, const void *argument) \
    { \
        uint##width##_t *at = (uint##width##_t *)&field_of(role)->word; \
        uint64_t wanted = (uint64_t)role->count * ADDITIONS; \
\
        (void)argument; \
        if (!role_meet(role)) { \
            return; \
        } \
        for (unsigned i = 0; i < ADDITIONS; i++) { \
            __sync_fetch_and_add(at, 3); \
            __sync_fetch_and_sub(at, 2); \
        } \
        expect(role, &field_of(role)->word, (uint##width##_t)wanted); \
    } \
\
    static void cas##width(Role *role, const void *argument) \
    { \
        uint##width##_t *at = (uint##width##_t *)&field_of(role)->word; \
        uint64_t wanted = (uint64_t)role->count * ADDITIONS; \
\
        (void)argument; \
        if (!role_meet(role)) { \
            return; \
        } \
        for (unsigned i = 0; i < ADDITIONS; i++) { \
            uint##width##_t old = *(volatile uint##width##_t *)at, found; \
\
            while ((found = __sync_val_compare_and_swap( \
                        at, old, (uint##width##_t)(old + 1))) != old) { \
                old = found; \
            } \
        } \
        expect(role, &field_of(role)->word, (uint##width##_t)wanted); \
    } \
\
    /* Each role has its own bit, which no other role changes. */ \
    static void bits##width(Role *role, const void *argument) \
    { \
        uint##width##_t *at = (uint##width##_t *)&field_of(role)->word; \
        uint##width##_t own = (uint##width##_t)(1u << role->number); \
        unsigned long wrong = 0; \
\
        (void)argument; \
        if (!role_meet(role)) { \
            return; \
        } \
        for (unsigned i = 0; i < ADDITIONS; i++) { \
            wrong += (__sync_fetch_and_or(at, own) & own) != 0; \
            wrong += \
                (__sync_fetch_and_and(at, (uint##width##_t) ~own) & own) == 0; \
            wrong += (__sync_fetch_and_xor(at, own) & own) != 0; \
            wrong += (__sync_fetch_and_xor(at, own) & own) == 0; \
        } \
        if (wrong) { \
            role_fail(role, "bits of a role were changed: role, how often", \
                      role->number, wrong); \
        } \
        expect(role, &field_of(role)->word, 0); \
    }

WIDTH(8)
WIDTH(16)
WIDTH(32)
WIDTH(64)

/* Values that roles exchange are neither lost nor doubled. */
#define EXCHANGE(width) \
    static void exchange##width(Role *role, const void *argument) \
    { \
        Field *field = field_of(role); \
        uint##width##_t *slots = (uint##width##_t *)field->slots; \
        uint##width##_t mine = (uint##width##_t)(role->number + 1); \
        uint64_t wanted = role->count * (role->count + 1) / 2; \
\
        (void)argument; \
        if (!role_meet(role)) { \
            return; \
        } \
        for (unsigned i = 0; i < ADDITIONS; i++) { \
            mine = __atomic_exchange_n(&slots[role_random(role, EXCHANGED)], \
                                       mine, __ATOMIC_ACQ_REL); \
        } \
        __sync_fetch_and_add(&field->sum, mine); \
        if (role_meet(role) && role->number == 0) { \
            field->word = field->sum; \
            for (unsigned i = 0; i < EXCHANGED; i++) { \
                field->word += slots[i]; \
            } \
        } \
        expect(role, &field->word, wanted); \
    }

EXCHANGE(8)
EXCHANGE(16)
EXCHANGE(32)
#ifdef __LP64__
EXCHANGE(64)
#endif

/*
 * Bytes of one word: some roles add to their own byte, others add to theirs by
 * exchanging the whole word; no addition changes another byte.
 */
static void mixed(Role *role, const void *argument)
{
    uint64_t *word = &field_of(role)->word;
    uint64_t wanted = 0;

    (void)argument;
    if (!role_meet(role)) {
        return;
    }
    for (unsigned i = 0; i < ADDITIONS; i++) {
        if (role->number % 2 == 0) {
            __sync_fetch_and_add((uint8_t *)word + role->number, 1);
        } else {
            uint64_t old, sum;

            do {
                uint8_t *byte = (uint8_t *)&sum + role->number;

                old = __sync_val_compare_and_swap(word, 0, 0);
                sum = old;
                *byte = (uint8_t)(*byte + 1);
            } while (__sync_val_compare_and_swap(word, old, sum) != old);
        }
    }
    for (unsigned i = 0; i < role->count; i++) {
        ((uint8_t *)&wanted)[i] = (uint8_t)ADDITIONS;
    }
    expect(role, word, wanted);
}

/*
 * Other CPUs see an aligned store whole or not at all, and see its halves no
 * later than the whole. The first role stores the same number to both halves.
 */
static void tearing(Role *role, const void *argument)
{
#ifdef __LP64__
    typedef uint64_t Whole;
    typedef uint32_t Half;
#else
    typedef uint32_t Whole;
    typedef uint16_t Half;
#endif
    Whole *whole = (Whole *)&field_of(role)->word;
    const Whole twice = ((Whole)1 << (4 * sizeof(Whole))) + 1;

    (void)argument;
    if (!role_meet(role)) {
        return;
    }
    for (Half i = 1; i < 5 * ADDITIONS; i++) {
        if (role->number == 0) {
            __atomic_store_n(whole, i * twice, __ATOMIC_RELEASE);
        } else {
            Half before = __atomic_load_n((Half *)whole, __ATOMIC_ACQUIRE);
            Whole now = __atomic_load_n(whole, __ATOMIC_ACQUIRE);
            Half after = __atomic_load_n((Half *)whole, __ATOMIC_ACQUIRE);

            if ((Half)now * twice != now) {
                role_fail(role, "a store was seen in halves", (Half)now,
                          (unsigned long)(now >> (4 * sizeof(Whole))));
            }
            if (before > (Half)now || (Half)now > after) {
                role_fail(role, "a store was seen, then unseen", before, after);
            }
        }
    }
    role_meet(role);
}

/* Two numbers under a lock: no role sees them differ, no addition is lost. */
static void section(Role *role)
{
    Field *field = field_of(role);
    uint32_t plain = *(volatile uint32_t *)&field->plain;
    uint32_t plain_too = *(volatile uint32_t *)&field->plain_too;

    if (plain != plain_too) {
        role_fail(role, "the lock let somebody in", plain, plain_too);
    }
    *(volatile uint32_t *)&field->plain = plain + 1;
    *(volatile uint32_t *)&field->plain_too = plain_too + 1;
}

typedef struct Lock {
    bool (*enter)(Role *role);
    void (*leave)(Role *role);
} Lock;

static void locked(Role *role, const void *argument)
{
    const Lock *lock = argument;
    Field *field = field_of(role);

    if (!role_meet(role)) {
        return;
    }
    for (unsigned i = 0; i < SECTIONS; i++) {
        if (!lock->enter(role)) {
            return;
        }
        section(role);
        lock->leave(role);
    }
    if (role_meet(role) && role->number == 0) {
        field->word = field->plain;
    }
    expect(role, &field->word, (uint64_t)role->count * SECTIONS);
}

static void release(Role *role)
{
    __atomic_store_n(&field_of(role)->lock, 0, __ATOMIC_RELEASE);
}

static bool exchange_enter(Role *role)
{
    uint32_t *lock = &field_of(role)->lock, spins = 0;

    while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE)) {
        if (!role_spin(role, &spins)) {
            return false;
        }
    }
    return true;
}

static bool cas_enter(Role *role)
{
    uint32_t *lock = &field_of(role)->lock, spins = 0, zero = 0;

    while (!__atomic_compare_exchange_n(lock, &zero, 1, true, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED)) {
        zero = 0;
        if (!role_spin(role, &spins)) {
            return false;
        }
    }
    return true;
}

static bool ticket_enter(Role *role)
{
    Field *field = field_of(role);
    uint32_t spins = 0;
    uint32_t mine = __atomic_fetch_add(&field->next, 1, __ATOMIC_RELAXED);

    while (__atomic_load_n(&field->turn, __ATOMIC_ACQUIRE) != mine) {
        if (!role_spin(role, &spins)) {
            return false;
        }
    }
    return true;
}

static void ticket_leave(Role *role)
{
    Field *field = field_of(role);

    __atomic_store_n(&field->turn, field->turn + 1, __ATOMIC_RELEASE);
}

/* Peterson's lock, which has only loads, stores and fences. */
static bool peterson_enter(Role *role)
{
    Field *field = field_of(role);
    unsigned own = role->number, other = 1 - own;
    uint32_t spins = 0;

    __atomic_store_n(&field->flags[own], 1, __ATOMIC_RELAXED);
    __atomic_store_n(&field->turn, other, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    while (__atomic_load_n(&field->flags[other], __ATOMIC_ACQUIRE) &&
           __atomic_load_n(&field->turn, __ATOMIC_ACQUIRE) == other) {
        if (!role_spin(role, &spins)) {
            return false;
        }
    }
    return true;
}

static void peterson_leave(Role *role)
{
    __atomic_store_n(&field_of(role)->flags[role->number], 0, __ATOMIC_RELEASE);
}

/* Dekker's lock: a role's own flag is visible before it reads the other's. */
static bool dekker_enter(Role *role)
{
    Field *field = field_of(role);
    unsigned own = role->number, other = 1 - own;
    uint32_t spins = 0;

    __atomic_store_n(&field->flags[own], 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    while (__atomic_load_n(&field->flags[other], __ATOMIC_ACQUIRE)) {
        if (__atomic_load_n(&field->turn, __ATOMIC_RELAXED) != own) {
            __atomic_store_n(&field->flags[own], 0, __ATOMIC_RELAXED);
            while (__atomic_load_n(&field->turn, __ATOMIC_ACQUIRE) != own) {
                if (!role_spin(role, &spins)) {
                    return false;
                }
            }
            __atomic_store_n(&field->flags[own], 1, __ATOMIC_RELAXED);
            __atomic_thread_fence(__ATOMIC_SEQ_CST);
        }
        if (!role_spin(role, &spins)) {
            return false;
        }
    }
    return true;
}

static void dekker_leave(Role *role)
{
    Field *field = field_of(role);

    __atomic_store_n(&field->turn, 1 - role->number, __ATOMIC_RELEASE);
    __atomic_store_n(&field->flags[role->number], 0, __ATOMIC_RELEASE);
}

static void futex(uint32_t *at, int what, uint32_t value)
{
    sys_call(SYS_FUTEX, (long)at, what, (long)value, 0, 0, 0);
}

/* A lock whose waiters sleep: 0 free, 1 taken, 2 taken with waiters. */
static bool futex_enter(Role *role)
{
    uint32_t *lock = &field_of(role)->lock;
    uint32_t state = __sync_val_compare_and_swap(lock, 0, 1);

    while (state != 0) {
        if (state == 2 || __sync_val_compare_and_swap(lock, 1, 2) != 0) {
            futex(lock, FUTEX_WAIT, 2);
        }
        state = __sync_val_compare_and_swap(lock, 0, 2);
    }
    return true;
}

static void futex_leave(Role *role)
{
    uint32_t *lock = &field_of(role)->lock;

    if (__atomic_exchange_n(lock, 0, __ATOMIC_ACQ_REL) == 2) {
        futex(lock, FUTEX_WAKE, 1);
    }
}

/* Two processes take turns to raise a number; the other one sleeps. */
static void ping_pong(Role *role, const void *argument)
{
    Field *field = field_of(role);
    uint32_t *turn = &field->turn;

    (void)argument;
    if (!role_meet(role)) {
        return;
    }
    for (unsigned i = 0; i < PASSES; i++) {
        uint32_t wanted = 2 * i + role->number, found;

        while ((found = __atomic_load_n(turn, __ATOMIC_ACQUIRE)) != wanted) {
            futex(turn, FUTEX_WAIT, found);
        }
        field->plain++;
        __atomic_store_n(turn, wanted + 1, __ATOMIC_RELEASE);
        futex(turn, FUTEX_WAKE, 1);
    }
    if (role_meet(role) && role->number == 0) {
        field->word = field->plain;
    }
    expect(role, &field->word, 2 * PASSES);
}

/* A seqlock: one role writes, the others read both numbers or neither. */
static void seqlock(Role *role, const void *argument)
{
    Field *field = field_of(role);
    uint32_t *sequence = &field->lock;

    (void)argument;
    if (!role_meet(role)) {
        return;
    }
    for (uint32_t i = 1; i <= ADDITIONS; i++) {
        if (role->number == 0) {
            __atomic_store_n(sequence, 2 * i - 1, __ATOMIC_RELAXED);
            __atomic_thread_fence(__ATOMIC_RELEASE);
            __atomic_store_n(&field->plain, i, __ATOMIC_RELAXED);
            __atomic_store_n(&field->plain_too, i, __ATOMIC_RELAXED);
            __atomic_store_n(sequence, 2 * i, __ATOMIC_RELEASE);
        } else {
            uint32_t before, after, plain, plain_too, spins = 0;

            do {
                before = __atomic_load_n(sequence, __ATOMIC_ACQUIRE);
                plain = __atomic_load_n(&field->plain, __ATOMIC_RELAXED);
                plain_too =
                    __atomic_load_n(&field->plain_too, __ATOMIC_RELAXED);
                __atomic_thread_fence(__ATOMIC_ACQUIRE);
                after = __atomic_load_n(sequence, __ATOMIC_RELAXED);
            } while ((before != after || before % 2) &&
                     role_spin(role, &spins));
            if (plain != plain_too) {
                role_fail(role, "read in the middle of a write", plain,
                          plain_too);
            }
        }
    }
    role_meet(role);
}

#if defined(__x86_64__) || defined(__aarch64__)
/* Compare and exchange 16 bytes: both halves count up together. */
static bool cas_pair(uint64_t pair[2], uint64_t old[2], uint64_t low,
                     uint64_t high)
{
#if defined(__x86_64__)
    bool done;

    __asm__ volatile("lock cmpxchg16b %1"
                     : "=@ccz"(done), "+m"(*(uint64_t(*)[2])pair), "+a"(old[0]),
                       "+d"(old[1])
                     : "b"(low), "c"(high)
                     : "memory");
    return done;
#else
    uint64_t found_low, found_high;
    uint32_t failed;

    __asm__ volatile("ldaxp %0, %1, [%3]\n"
                     "cmp %0, %4\n"
                     "ccmp %1, %5, #0, eq\n"
                     "b.ne 1f\n"
                     "stlxp %w2, %6, %7, [%3]\n"
                     "b 2f\n"
                     "1: clrex\n"
                     "mov %w2, #1\n"
                     "2:"
                     : "=&r"(found_low), "=&r"(found_high), "=&r"(failed)
                     : "r"(pair), "r"(old[0]), "r"(old[1]), "r"(low), "r"(high)
                     : "cc", "memory");
    old[0] = found_low;
    old[1] = found_high;
    return !failed;
#endif
}

static void pairs(Role *role, const void *argument)
{
    uint64_t *pair = field_of(role)->pair;

    (void)argument;
    if (!role_meet(role)) {
        return;
    }
    for (unsigned i = 0; i < ADDITIONS / 4; i++) {
        uint64_t old[2] = { 0, 0 };

        while (!cas_pair(pair, old, old[0] + 1, old[1] + 2)) {
        }
    }
    expect(role, &pair[0], (uint64_t)role->count * (ADDITIONS / 4));
    expect(role, &pair[1], (uint64_t)role->count * (ADDITIONS / 4) * 2);
}
#endif

#if defined(__aarch64__)
/* The atomic instructions of Armv8.1, where the CPU has them. */
static bool has_lse(void)
{
    return hwcap & (1 << 8);
}

#define LSE(instruction, at, value) \
    ({ \
        uint64_t old_; \
\
        __asm__ volatile(".arch_extension lse\n" instruction " %1, %0, [%2]" \
                         : "=&r"(old_) \
                         : "r"((uint64_t)(value)), "r"(at) \
                         : "memory"); \
        old_; \
    })

static void lse(Role *role, const void *argument)
{
    uint64_t *at = &field_of(role)->word;
    uint64_t own = 1ull << (40 + role->number);
    unsigned long wrong = 0;

    (void)argument;
    if (!role_meet(role)) {
        return;
    }
    for (unsigned i = 0; i < ADDITIONS; i++) {
        uint64_t old, found;

        LSE("ldaddal", at, 1);
        wrong += (LSE("ldsetal", at, own) & own) != 0;
        wrong += (LSE("ldclral", at, own) & own) == 0;
        wrong += (LSE("ldeoral", at, own) & own) != 0;
        wrong += (LSE("ldeoral", at, own) & own) == 0;
        do {
            old = found = __atomic_load_n(at, __ATOMIC_RELAXED);
            __asm__ volatile(".arch_extension lse\ncasal %0, %1, [%2]"
                             : "+r"(found)
                             : "r"(old + 1), "r"(at)
                             : "memory");
        } while (found != old);
    }
    if (wrong) {
        role_fail(role, "bits of a role were changed: role, how often",
                  role->number, wrong);
    }
    expect(role, at, (uint64_t)role->count * ADDITIONS * 2);
}
#endif

#define PLAY(name, roles, body) { name, roles, body, NULL, NULL }
#define WIDTHS(width, bytes) \
    PLAY("add-" bytes, 0, add##width), PLAY("cas-" bytes, 0, cas##width), \
        PLAY("bits-" bytes, 0, bits##width)
#define LOCK(name, roles, enter, leave) \
    { name, roles, locked, &(const Lock){ enter, leave }, NULL }

const Test lock_tests[] = {
    WIDTHS(8, "1"),
    WIDTHS(16, "2"),
    WIDTHS(32, "4"),
    WIDTHS(64, "8"),
    PLAY("exchange-1", 0, exchange8),
    PLAY("exchange-2", 0, exchange16),
    PLAY("exchange-4", 0, exchange32),
#ifdef __LP64__
    PLAY("exchange-8", 0, exchange64),
#endif
    PLAY("mixed", 0, mixed),
    PLAY("tearing", 0, tearing),
#if defined(__x86_64__) || defined(__aarch64__)
    PLAY("cas-16", 0, pairs),
#endif
#if defined(__aarch64__)
    { "lse", 0, lse, NULL, has_lse },
#endif
    LOCK("spin-exchange", 0, exchange_enter, release),
    LOCK("spin-cas", 0, cas_enter, release),
    LOCK("ticket", 0, ticket_enter, ticket_leave),
    LOCK("peterson", 2, peterson_enter, peterson_leave),
    LOCK("dekker", 2, dekker_enter, dekker_leave),
    LOCK("futex-lock", 0, futex_enter, futex_leave),
    PLAY("futex-ping-pong", 2, ping_pong),
    PLAY("seqlock", 0, seqlock),
    { NULL, 0, NULL, NULL, NULL },
};
