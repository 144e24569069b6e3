/* SPDX-License-Identifier: Apache-2.0 */
/* Exact rules: records in the order written, rules of one key side by side, a target inside its record unless several
 * rules share it. */
#include "rulec/emit_build.h"

#include "mod_redir307/hash.h"
#include "rulec/emit_index.h"

#include <stdlib.h>

enum { SHARED_TARGET_SIZE = 5 /* a reference takes four bytes */ };

struct entry {
    uint64_t key;
    uint32_t rule;
    uint32_t member; /* of the rule's site */
};

/* The rows of one emission; plain arrays of `count`. */
struct rows {
    struct emit_build *build;
    struct entry *entries;
    size_t count, room;
    uint32_t *order;     /* entries by key */
    uint32_t *next;      /* of the same key; 0: none (entry 0 is nobody's next) */
    bool *follows;       /* an earlier entry has the same key */
};

static const struct plan_rule *rule_of(const struct rows *rows, const struct entry *entry)
{
    return &rows->build->plan->rules[entry->rule];
}

/* The path without its trailing slash; in lower case where some rule of the scope ignores case. */
static struct slice key_text(const struct emit_build *build, const struct plan_rule *rule, uint32_t scope)
{
    struct slice path = rule->path;

    if (path.size > 1 && path.data[path.size - 1] == '/') path.size--;
    if (!build->scope_ignores_case[scope]) return path;
    for (size_t i = 0; i < path.size; i++) {
        if (path.data[i] < 'A' || path.data[i] > 'Z') continue;
        char *copy = arena_string(build->plan->arena, path);
        for (; i < path.size; i++) copy[i] = copy[i] >= 'A' && copy[i] <= 'Z' ? (char)(copy[i] | 32) : copy[i];
        return slice_of(copy, path.size);
    }
    return path;
}

static void collect(struct rows *rows)
{
    struct emit_build *build = rows->build;

    for (uint32_t i = 0; i < build->plan->rule_count; i++) {
        const struct plan_rule *rule = &build->plan->rules[i];

        if (rule->pattern) continue;
        const struct emit_site *site = emit_rule_site(build, rule);
        for (uint32_t m = 0; m < site->member_count; m++) {
            uint32_t scope = emit_rule_scope(build, rule, m);

            if (!scope) continue;
            if (rows->count == rows->room) {
                rows->room = rows->room ? rows->room + rows->room / 2 : build->plan->rule_count + 1u;
                rows->entries = memory_resize(rows->entries, rows->room, sizeof *rows->entries);
            }
            rows->entries[rows->count++] = (struct entry){
                .key = hash_path(key_text(build, rule, scope), build->seed, scope), .rule = i, .member = m };
            build->scope_has_exact[scope] = true;
        }
    }
}

/* Stable radix sort of indexes by key, 16 bits at a time. */
static void sort_by_key(struct rows *rows)
{
    uint32_t *from = memory_resize(NULL, rows->count + 1, sizeof *from);
    uint32_t *to = memory_resize(NULL, rows->count + 1, sizeof *to);
    size_t *starts = memory_resize(NULL, 65537, sizeof *starts);

    for (size_t i = 0; i < rows->count; i++) from[i] = (uint32_t)i;
    for (unsigned shift = 0; shift < 64; shift += 16) {
        memset(starts, 0, 65537 * sizeof *starts);
        for (size_t i = 0; i < rows->count; i++) starts[(rows->entries[i].key >> shift & 0xffff) + 1]++;
        for (size_t i = 0; i < 65536; i++) starts[i + 1] += starts[i];
        for (size_t i = 0; i < rows->count; i++) {
            to[starts[rows->entries[from[i]].key >> shift & 0xffff]++] = from[i];
        }
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    free(to);
    free(starts);
    rows->order = from;
}

static bool same_source(const struct rows *rows, const struct entry *a, const struct entry *b)
{
    const struct plan_rule *left = rule_of(rows, a), *right = rule_of(rows, b);
    uint32_t scope = emit_rule_scope(rows->build, left, a->member);

    return scope == emit_rule_scope(rows->build, right, b->member)
        && slice_equal(key_text(rows->build, left, scope), key_text(rows->build, right, scope));
}

static void report_chain(struct rows *rows, const struct entry *entry)
{
    const struct plan_rule *rule = rule_of(rows, entry);

    diag_error(rows->build->diag, DIAG_CHAIN_TOO_LONG, rule->span, "more than %d rules have the source \"%.*s\"",
               RULESET_CHAIN_LIMIT, (int)rule->path.size, rule->path.data);
}

/* Entries of equal keys become chains; where only the hashes are equal, several. */
static void link_chains(struct rows *rows)
{
    rows->next = memory_resize(NULL, rows->count + 1, sizeof *rows->next);
    rows->follows = memory_resize(NULL, rows->count + 1, sizeof *rows->follows);
    memset(rows->next, 0, (rows->count + 1) * sizeof *rows->next);
    memset(rows->follows, 0, (rows->count + 1) * sizeof *rows->follows);
    for (size_t i = 0; i < rows->count;) {
        size_t end = i + 1;

        while (end < rows->count && rows->entries[rows->order[end]].key == rows->entries[rows->order[i]].key) end++;
        for (size_t a = i; a < end; a++) {
            uint32_t tail = rows->order[a];
            unsigned length = 1;

            if (rows->follows[tail]) continue;
            for (size_t b = a + 1; b < end; b++) {
                uint32_t other = rows->order[b];

                if (rows->follows[other]
                    || !same_source(rows, &rows->entries[rows->order[a]], &rows->entries[other])) {
                    continue;
                }
                if (length++ == RULESET_CHAIN_LIMIT) report_chain(rows, &rows->entries[other]);
                rows->next[tail] = other;
                rows->follows[other] = true;
                tail = other;
            }
        }
        i = end;
    }
}

/* Hashes of targets seen once (low bit clear) and more than once (low bit set). */
struct seen {
    uint64_t *slots;
    size_t mask;
};

static uint64_t *seen_slot(struct seen *seen, uint64_t hash)
{
    size_t at = hash >> 1 & seen->mask;

    while (seen->slots[at] && (seen->slots[at] | 1) != (hash | 1)) at = (at + 1) & seen->mask;
    return &seen->slots[at];
}

static uint64_t target_hash(struct slice target)
{
    uint64_t hash = hash_bytes(target, 0) & ~(uint64_t)1;

    return hash ? hash : 2;
}

static void count_targets(const struct emit_build *build, struct seen *seen)
{
    size_t slot_count = 1024;

    while (slot_count < 2 * (size_t)build->plan->rule_count) slot_count *= 2;
    seen->slots = memory_resize(NULL, slot_count, sizeof *seen->slots);
    memset(seen->slots, 0, slot_count * sizeof *seen->slots);
    seen->mask = slot_count - 1;
    for (uint32_t i = 0; i < build->plan->rule_count; i++) {
        const struct plan_rule *rule = &build->plan->rules[i];

        if (rule->pattern || rule->template || rule->choice || rule->target.size < SHARED_TARGET_SIZE) continue;
        uint64_t hash = target_hash(rule->target), *slot = seen_slot(seen, hash);
        *slot = *slot ? hash | 1 : hash;
    }
}

static void put_record(struct rows *rows, const struct entry *entry, struct seen *seen, bool has_more)
{
    struct emit_build *build = rows->build;
    const struct plan_rule *rule = rule_of(rows, entry);
    struct slice key = rule->path, target = emit_target(build, rule, entry->member);
    bool has_slash = key.size > 1 && key.data[key.size - 1] == '/';
    bool is_literal = !rule->template && !rule->choice;
    bool is_shared = is_literal && target.size >= SHARED_TARGET_SIZE && *seen_slot(seen, target_hash(target)) & 1;
    uint32_t flags = (has_more ? RULESET_RULE_MORE : 0u) | (is_shared ? RULESET_RULE_SHARED : 0u);
    struct bytes *section = &build->sections[RULESET_EXACT];

    if (has_slash) key.size--;
    const struct ruleset_exact head = {
        .action = emit_action_word(build, rule, entry->member, has_slash) | flags << RULESET_FLAG_SHIFT,
        .place = emit_place(build, rule),
        .key_size = (uint16_t)key.size,
        .target_size = (uint16_t)target.size,
    };
    bytes_put(section, &head, sizeof head);
    bytes_put(section, key.data, key.size);
    if (is_shared) {
        uint32_t at = (uint32_t)bytes_pool_add(&build->targets, target);
        bytes_put(section, &at, sizeof at);
    } else {
        bytes_put(section, target.data, target.size);
    }
    bytes_align(section, 4);
}

bool emit_exact(struct emit_build *build)
{
    struct rows rows = { .build = build };
    struct seen seen;

    collect(&rows);
    sort_by_key(&rows);
    link_chains(&rows);
    count_targets(build, &seen);

    struct emit_index_key *keys = memory_resize(NULL, rows.count + 1, sizeof *keys);
    size_t key_count = 0;
    for (size_t i = 0; i < rows.count; i++) {
        if (rows.follows[i]) continue;
        keys[key_count++] = (struct emit_index_key){
            .key = rows.entries[i].key, .reference = (uint32_t)(build->sections[RULESET_EXACT].size / 4) };
        for (uint32_t at = (uint32_t)i;; at = rows.next[at]) {
            put_record(&rows, &rows.entries[at], &seen, rows.next[at] != 0);
            if (!rows.next[at]) break;
        }
    }
    build->exact_key_count = key_count;
    bool fits = emit_index(keys, key_count, &build->sections[RULESET_EXACT_INDEX]);
    free(keys);
    free(rows.entries);
    free(rows.order);
    free(rows.next);
    free(rows.follows);
    free(seen.slots);
    return fits;
}
