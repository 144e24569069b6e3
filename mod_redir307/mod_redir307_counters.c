/* SPDX-License-Identifier: Apache-2.0 */
/* How often each rule answered: a table of fixed size in memory that all processes share. It is
 * made before the first child is, and outlives restarts, swaps and this code: httpd's retained
 * data says where it lies. A rule is found by a 64-bit name of its own (identity.h), so it keeps
 * its hits while the rules around it change.
 *
 * Relaxed atomics: numbers are never lost, and nothing else is ordered by them. A slot that was
 * taken is never given to another rule; what finds none is counted as "other". */
#include "mod_redir307/mod_redir307.h"

#include "mod_redir307/hash.h"

#include "apr_strings.h"
#include "http_log.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

APLOG_USE_MODULE(redir307);

/* Slots that a rule may be in, side by side; more are not worth their time. */
enum { PROBE_LIMIT = 16 };

struct slot {
    _Atomic uint64_t rule; /* 0: free */
    _Atomic uint64_t hits;
    _Atomic int64_t last_used_s;
    uint64_t reserved; /* two slots a cache line */
};
_Static_assert(sizeof(struct slot) == 32, "part of the version");

struct table {
    _Atomic uint64_t other;
    uint64_t slot_count; /* a power of two */
    uint64_t reserved[6];
    struct slot slots[];
};

/* What is retained. The version is part of its name: a table of another version is never
 * read. */
struct retained {
    struct table *table;
};
static const char retained_key[] = "mod_redir307.counters.1";

/* Set in post_config, inherited by fork; NULL: nothing is counted. */
static struct table *table;

static size_t table_size(uint64_t slot_count)
{
    return sizeof(struct table) + (size_t)slot_count * sizeof(struct slot);
}

static uint64_t power_of_two(uint64_t least)
{
    uint64_t power = PROBE_LIMIT;

    while (power < least) {
        power *= 2;
    }
    return power;
}

/* The rule's slot, or the free one that it may take; NULL: there is none. */
static struct slot *slot_find(struct table *in, uint64_t rule)
{
    uint64_t mask = in->slot_count - 1, home = hash_mix(rule);

    for (unsigned i = 0; i < PROBE_LIMIT; i++) {
        struct slot *slot = &in->slots[(home + i) & mask];
        uint64_t own = atomic_load_explicit(&slot->rule, memory_order_relaxed);

        if (own == rule || own == 0) {
            return slot;
        }
    }
    return NULL;
}

/* Another thread may take the free slot first: then the search goes on behind it. */
static struct slot *slot_take(struct table *in, uint64_t rule)
{
    struct slot *slot;
    uint64_t own;

    do {
        slot = slot_find(in, rule);
        own = 0;
    } while (slot &&
             atomic_load_explicit(&slot->rule, memory_order_relaxed) != rule &&
             !atomic_compare_exchange_strong_explicit(&slot->rule, &own, rule, memory_order_relaxed,
                                                      memory_order_relaxed) &&
             own != rule);
    return slot;
}

static void add(struct table *to, uint64_t rule, uint64_t hits, int64_t last_used_s)
{
    struct slot *slot = slot_take(to, rule);

    if (!slot) {
        atomic_fetch_add_explicit(&to->other, hits, memory_order_relaxed);
        return;
    }
    atomic_fetch_add_explicit(&slot->hits, hits, memory_order_relaxed);
    if (atomic_load_explicit(&slot->last_used_s, memory_order_relaxed) != last_used_s) {
        atomic_store_explicit(&slot->last_used_s, last_used_s, memory_order_relaxed);
    }
}

static struct table *table_open(uint64_t slot_count)
{
    void *bytes = mmap(NULL, table_size(slot_count), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct table *opened = bytes;

    if (bytes == MAP_FAILED) {
        return NULL;
    }
    opened->slot_count = slot_count;
    return opened;
}

/* Children of before the restart go on adding to theirs; what they add from now on is not
 * taken over. */
static void table_close(struct table *old, struct table *heir)
{
    for (uint64_t i = 0; heir && i < old->slot_count; i++) {
        const struct slot *slot = &old->slots[i];
        uint64_t rule = atomic_load(&slot->rule);

        if (rule) {
            add(heir, rule, atomic_load(&slot->hits), atomic_load(&slot->last_used_s));
        }
    }
    if (heir) {
        atomic_fetch_add(&heir->other, atomic_load(&old->other));
    }
    munmap(old, table_size(old->slot_count));
}

void counters_open(server_rec *main_server)
{
    const struct server_settings *settings =
        ap_get_module_config(main_server->module_config, &redir307_module);
    struct retained *retained = ap_retained_data_get(retained_key);
    uint64_t wanted = settings->counters == COUNTERS_OFF
                          ? 0
                          : power_of_two((uint64_t)settings->counters);

    if (!retained) {
        retained = ap_retained_data_create(retained_key, sizeof(*retained));
    }
    table = retained->table;
    if (wanted == (table ? table->slot_count : 0)) {
        return;
    }
    table = wanted ? table_open(wanted) : NULL;
    if (wanted && !table) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, errno, main_server,
                     "R307-912: no memory to count the hits of rules in; they are not counted");
    }
    if (retained->table) {
        table_close(retained->table, table);
    }
    retained->table = table;
}

bool counters_are_on(void)
{
    return table != NULL;
}

void counters_add(uint64_t rule, int64_t now_s)
{
    if (table) {
        add(table, rule ? rule : 1, 1, now_s);
    }
}

bool counters_get(uint64_t rule, struct rule_hits *hits)
{
    const struct slot *slot = table ? slot_find(table, rule ? rule : 1) : NULL;

    if (!slot) {
        return false;
    }
    hits->count = atomic_load_explicit(&slot->hits, memory_order_relaxed);
    hits->last_used_s = atomic_load_explicit(&slot->last_used_s, memory_order_relaxed);
    return hits->count != 0;
}

void counters_sum(struct hits_sum *sum)
{
    *sum = (struct hits_sum){ .slots = 0 };
    if (!table) {
        return;
    }
    sum->slots = table->slot_count;
    sum->other = atomic_load_explicit(&table->other, memory_order_relaxed);
    sum->hits = sum->other;
    for (uint64_t i = 0; i < table->slot_count; i++) {
        const struct slot *slot = &table->slots[i];

        if (atomic_load_explicit(&slot->rule, memory_order_relaxed)) {
            sum->used++;
            sum->hits += atomic_load_explicit(&slot->hits, memory_order_relaxed);
        }
    }
}
