/* SPDX-License-Identifier: Apache-2.0 */
/* A Bloom filter, all bits of a key in one word. Exact sources are in it by their path without its last slash, patterns by
 * their first segment; a pattern whose first segment is open takes anything. Case is left out of the keys, for some
 * sources ignore it. */
#include "config.h"

#include "rulec/path_filter.h"

#include "mod_redir307/hash.h"
#include "mod_redir307/url.h"
#include "rulec/parallel.h"
#include "rulec/segments.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { WORD_KEYS = 4 /* 16 bits for each: one path in some hundred is let through */ };
enum key_kind { KEY_PATH, KEY_SEGMENT };

struct path_filter {
    const struct plan *plan;
    uint64_t *words; /* changed by several threads while the filter is made, one word at once */
    uint64_t word_count;
    atomic_bool has_segments;
    atomic_bool is_open; /* some pattern takes any path */
};

/* Equal for texts that differ in case only. */
static uint64_t hash_folded(struct slice text, enum key_kind kind)
{
    const uint64_t case_bits = UINT64_C(0x2020202020202020);
    uint64_t hash = hash_mix(text.size * 2 + kind);

    while (text.size) {
        uint64_t word = 0;
        size_t size = text.size < sizeof word ? text.size : sizeof word;

        memcpy(&word, text.data, size);
        hash = hash_mix((hash ^ (word | case_bits)) * HASH_MULTIPLIER);
        text = slice_of(text.data + size, text.size - size);
    }
    return hash;
}

static uint64_t *word_of(const struct path_filter *filter, uint64_t hash)
{
    return &filter->words[hash_reduce(hash, filter->word_count)];
}

static uint64_t bits_of(uint64_t hash)
{
    return UINT64_C(1) << (hash & 63) | UINT64_C(1) << (hash >> 6 & 63) | UINT64_C(1) << (hash >> 12 & 63) |
           UINT64_C(1) << (hash >> 18 & 63);
}

static void add(struct path_filter *filter, uint64_t hash)
{
    __atomic_fetch_or(word_of(filter, hash), bits_of(hash), __ATOMIC_RELAXED);
}

static bool holds(const struct path_filter *filter, uint64_t hash)
{
    return (~*word_of(filter, hash) & bits_of(hash)) == 0;
}

static struct slice first_segment(struct slice path)
{
    const char *start = path.data + 1;
    const char *end = path.size > 1 ? memchr(start, '/', path.size - 1) : NULL;

    return slice_of(start, end ? (size_t)(end - start) : path.size - 1);
}

/* The first segment of all paths that the pattern takes; false: it is open. */
static bool fixed_start(const struct plan_pattern *pattern, struct slice *segment)
{
    if (pattern->regex.size || pattern->head_count == 0 || !segment_is_fixed(pattern, 0))
        return false;
    *segment = pattern->head[0].parts[0].text;
    return true;
}

/* 0 for a rule that takes any path: that is noted. */
static uint64_t key_of(struct path_filter *filter, const struct plan_rule *rule)
{
    struct slice segment;

    if (!plan_pattern(rule))
        return hash_folded(url_without_last_slash(plan_path(rule)), KEY_PATH);
    if (fixed_start(plan_pattern(rule), &segment)) {
        atomic_store_explicit(&filter->has_segments, true, memory_order_relaxed);
        return hash_folded(segment, KEY_SEGMENT);
    }
    atomic_store_explicit(&filter->is_open, true, memory_order_relaxed);
    return 0;
}

/* Words lie anywhere in memory: each is asked for some rules before it is changed. */
static void add_rules(void *baton, uint32_t first, uint32_t end)
{
    enum { AHEAD = 16 };
    struct path_filter *filter = baton;
    uint64_t keys[AHEAD];

    for (uint32_t i = first; i < end; i++) {
        uint64_t *key = &keys[(i - first) % AHEAD];

        if (i - first >= AHEAD)
            add(filter, *key);
        *key = key_of(filter, &filter->plan->rules[i]);
        __builtin_prefetch(word_of(filter, *key), 1);
    }
    for (uint32_t i = 0; i < end - first && i < AHEAD; i++)
        add(filter, keys[i]);
}

struct path_filter *path_filter_open(const struct plan *plan)
{
    struct path_filter *filter = memory_zeroed(1, sizeof *filter);

    filter->plan = plan;
    filter->word_count = plan->rule_count / WORD_KEYS + 1u;
    filter->words = memory_zeroed(filter->word_count, sizeof *filter->words);
    parallel_ranges(plan->thread_count, plan->rule_count, add_rules, filter);
    return filter;
}

void path_filter_close(struct path_filter *filter)
{
    free(filter->words);
    free(filter);
}

void path_filter_ask(const struct path_filter *filter, struct slice path, struct path_question *question)
{
    /* Another form of a path has other bytes: it is not looked for here. */
    question->is_open = filter->is_open || !url_is_plain_path(path);
    if (question->is_open)
        return;
    question->keys[0] = hash_folded(url_without_last_slash(path), KEY_PATH);
    question->keys[1] = filter->has_segments ? hash_folded(first_segment(path), KEY_SEGMENT) : 0;
    __builtin_prefetch(word_of(filter, question->keys[0]));
}

bool path_filter_may_hold(const struct path_filter *filter, const struct path_question *question)
{
    return question->is_open || holds(filter, question->keys[0]) ||
           (filter->has_segments && holds(filter, question->keys[1]));
}
