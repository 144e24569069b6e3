/* SPDX-License-Identifier: Apache-2.0 */
/* Exact rules: records in the order written, rules of one key side by side, a target inside its record unless several
 * rules share it. */
#include "rulec/emit_build.h"

#include "mod_redir307/hash.h"
#include "rulec/emit_index.h"

#include <stdlib.h>

enum { SHARED_TARGET_SIZE = 5 /* a reference takes four bytes */ };

/* One exact rule in one scope. */
struct entry {
    uint32_t rule;
    uint32_t member; /* of the rule's site */
};

/* Plain arrays of `count`. */
struct rows {
    struct emit_build *build;
    struct entry *entries;
    uint64_t *keys;
    size_t count, room;
    uint32_t *next;      /* entry of the same source; 0: none (entry 0 is nobody's next) */
    uint8_t *follows;    /* an earlier entry has the same source */
};

static const struct plan_rule *rule_of(const struct rows *rows, uint32_t entry)
{
    return &rows->build->plan->rules[rows->entries[entry].rule];
}

static uint32_t scope_of(const struct rows *rows, uint32_t entry)
{
    return emit_rule_scope(rows->build, rule_of(rows, entry), rows->entries[entry].member);
}

/* The path without its trailing slash; in lower case where some rule of the scope ignores case. */
static struct slice key_text(const struct emit_build *build, const struct plan_rule *rule, uint32_t scope)
{
    struct slice path = plan_path(rule);

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

static void add_entry(struct rows *rows, uint32_t rule, uint32_t member, uint32_t scope)
{
    struct emit_build *build = rows->build;

    if (rows->count == rows->room) {
        rows->room = rows->room ? rows->room + rows->room / 2 : build->plan->rule_count + 1u;
        rows->entries = memory_resize(rows->entries, rows->room, sizeof *rows->entries);
        rows->keys = memory_resize(rows->keys, rows->room, sizeof *rows->keys);
    }
    rows->entries[rows->count] = (struct entry){ .rule = rule, .member = member };
    rows->keys[rows->count++] = hash_path(key_text(build, &build->plan->rules[rule], scope), build->seed, scope);
    if (!build->scope_exact_chain[scope]) build->scope_exact_chain[scope] = 1;
}

static void collect(struct rows *rows)
{
    struct emit_build *build = rows->build;

    for (uint32_t i = 0; i < build->plan->rule_count; i++) {
        const struct plan_rule *rule = &build->plan->rules[i];
        uint32_t member_count = plan_pattern(rule) ? 0 : emit_rule_site(build, rule)->member_count;

        for (uint32_t m = 0; m < member_count; m++) {
            uint32_t scope = emit_rule_scope(build, rule, m);

            if (scope) add_entry(rows, i, m, scope);
        }
    }
    rows->next = memory_resize(NULL, rows->count + 1, sizeof *rows->next);
    rows->follows = memory_resize(NULL, rows->count + 1, sizeof *rows->follows);
    memset(rows->next, 0, (rows->count + 1) * sizeof *rows->next);
    memset(rows->follows, 0, (rows->count + 1) * sizeof *rows->follows);
}

/* Equal hashes prove nothing: the whole source is compared. */
static bool join(void *baton, uint32_t earlier, uint32_t later)
{
    struct rows *rows = baton;
    const struct plan_rule *rule = rule_of(rows, later);
    uint32_t scope = scope_of(rows, later);
    unsigned length = 1;

    if (scope != scope_of(rows, earlier)
        || !slice_equal(key_text(rows->build, rule_of(rows, earlier), scope), key_text(rows->build, rule, scope))) {
        return false;
    }
    while (rows->next[earlier]) {
        earlier = rows->next[earlier];
        length++;
    }
    rows->follows[later] = true;
    if (length > RULESET_CHAIN_LIMIT) return true; /* said already; a longer chain would only be walked */
    if (length == RULESET_CHAIN_LIMIT) {
        diag_error(rows->build->diag, DIAG_CHAIN_TOO_LONG, rule->span, "more than %d rules have the source \"%.*s\"",
                   RULESET_CHAIN_LIMIT, (int)plan_path(rule).size, plan_path(rule).data);
    }
    if (length + 1 > rows->build->scope_exact_chain[scope]) rows->build->scope_exact_chain[scope] = length + 1;
    rows->next[earlier] = later;
    return true;
}

/* Which targets more than one rule has, by 31 bits of their hash (low bit: seen again). Two different ones with equal
 * bits count as one: they are then looked up among the shared ones, and stay two. */
struct seen {
    uint32_t *slots;
    size_t mask;
};

static uint32_t *seen_slot(struct seen *seen, struct slice target)
{
    uint64_t hash = hash_bytes(target, 0);
    uint32_t tag = (uint32_t)hash & ~(uint32_t)1;
    size_t at = hash >> 32 & seen->mask;

    if (!tag) tag = 2;
    while (seen->slots[at] && (seen->slots[at] | 1) != (tag | 1)) at = (at + 1) & seen->mask;
    if (!seen->slots[at]) {
        seen->slots[at] = tag;
        return NULL;
    }
    return &seen->slots[at];
}

static bool may_be_shared(const struct plan_rule *rule)
{
    return !rule->more && rule->target_size >= SHARED_TARGET_SIZE;
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
        uint32_t *slot = may_be_shared(rule) ? seen_slot(seen, plan_target(rule)) : NULL;

        if (slot) *slot |= 1;
    }
}

static bool is_shared(struct seen *seen, const struct plan_rule *rule)
{
    uint32_t *slot = may_be_shared(rule) ? seen_slot(seen, plan_target(rule)) : NULL;

    return slot && *slot & 1;
}

static void put_record(struct rows *rows, uint32_t entry, struct seen *seen)
{
    struct emit_build *build = rows->build;
    const struct plan_rule *rule = rule_of(rows, entry);
    uint32_t member = rows->entries[entry].member;
    struct slice key = plan_path(rule), target = emit_target(build, rule, member);
    bool has_slash = key.size > 1 && key.data[key.size - 1] == '/', shares = is_shared(seen, rule);
    uint32_t flags = (rows->next[entry] ? RULESET_RULE_MORE : 0u) | (shares ? RULESET_RULE_SHARED : 0u);
    struct bytes *section = &build->sections[RULESET_EXACT];

    if (has_slash) key.size--;
    const struct ruleset_exact head = {
        .action = emit_action_word(build, rule, member, has_slash) | flags << RULESET_FLAG_SHIFT,
        .place = emit_place(build, rule),
        .key_size = (uint16_t)key.size,
        .target_size = (uint16_t)target.size,
    };
    uint32_t target_at = shares ? (uint32_t)bytes_pool_add(&build->targets, target) : 0;
    struct slice last = shares ? slice_of((const char *)&target_at, sizeof target_at) : target;
    size_t size = sizeof head + key.size + last.size;
    uint8_t *out = bytes_add_raw(section, (size + 3) & ~(size_t)3);

    memcpy(out, &head, sizeof head);
    memcpy(out + sizeof head, key.data, key.size);
    if (last.size) memcpy(out + sizeof head + key.size, last.data, last.size);
    memset(out + size, 0, (4 - size % 4) % 4);
}

bool emit_exact(struct emit_build *build)
{
    struct rows rows = { .build = build };
    struct seen seen;

    collect(&rows);
    const struct emit_index_input input = { .keys = rows.keys, .count = rows.count, .join = join, .baton = &rows };
    bool fits = emit_index(&input, &build->sections[RULESET_EXACT_INDEX]);

    count_targets(build, &seen);
    uint32_t *references = memory_resize(NULL, rows.count + 1, sizeof *references);
    for (uint32_t i = 0; fits && i < rows.count; i++) {
        if (rows.follows[i]) continue;
        references[i] = (uint32_t)(build->sections[RULESET_EXACT].size / 4);
        for (uint32_t at = i;; at = rows.next[at]) {
            put_record(&rows, at, &seen);
            if (!rows.next[at]) break;
        }
    }
    if (fits) build->exact_key_count = emit_index_refer(&build->sections[RULESET_EXACT_INDEX], references);
    free(references);
    free(rows.entries);
    free(rows.keys);
    free(rows.next);
    free(rows.follows);
    free(seen.slots);
    return fits;
}
