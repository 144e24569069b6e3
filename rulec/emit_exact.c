/* SPDX-License-Identifier: Apache-2.0 */
/* Exact rules: records in the order written, rules of one key side by side, a target inside its record unless several
 * rules share it. */
#include "rulec/emit_build.h"

#include "mod_redir307/hash.h"
#include "mod_redir307/url.h"
#include "rulec/emit_index.h"
#include "rulec/parallel.h"

#include <stdlib.h>

enum { SHARED_TARGET_SIZE = 5 /* a reference takes four bytes */ };

/* One entry for each exact rule in each of its scopes: plain arrays of `count`. Those that hold zeros for nearly all
 * entries take hardly any memory. */
struct rows {
    struct emit_build *build;
    size_t count;
    uint32_t *rules;
    uint32_t *members;   /* of the rule's site */
    uint64_t *keys;      /* until they are in the index */
    uint32_t *next;      /* entry of the same source; 0: none (entry 0 is nobody's next) */
    uint8_t *follows;    /* an earlier entry has the same source */
};

static const struct plan_rule *rule_of(const struct rows *rows, uint32_t entry)
{
    return &rows->build->plan->rules[rows->rules[entry]];
}

static uint32_t scope_of(const struct rows *rows, uint32_t entry)
{
    return emit_rule_scope(rows->build, rule_of(rows, entry), rows->members[entry]);
}

/* The path without its trailing slash; in lower case where some rule of the scope ignores case. */
static struct slice key_text(const struct emit_build *build, const struct plan_rule *rule, uint32_t scope)
{
    struct slice path = url_without_last_slash(plan_path(rule));

    if (!build->scope_ignores_case[scope]) return path;
    for (size_t i = 0; i < path.size; i++) {
        if (path.data[i] < 'A' || path.data[i] > 'Z') continue;
        char *copy = arena_string(build->plan->arena, path);
        for (; i < path.size; i++) copy[i] = copy[i] >= 'A' && copy[i] <= 'Z' ? (char)(copy[i] | 32) : copy[i];
        return slice_of(copy, path.size);
    }
    return path;
}

static void add_entry(struct rows *rows, uint32_t number, uint32_t member, uint32_t scope)
{
    struct emit_build *build = rows->build;

    rows->rules[rows->count] = number;
    if (member) rows->members[rows->count] = member;
    rows->keys[rows->count++] = hash_path(key_text(build, &build->plan->rules[number], scope), build->seed, scope);
    if (!build->scope_exact_chain[scope]) build->scope_exact_chain[scope] = 1;
}

static uint32_t member_count(const struct emit_build *build, const struct plan_rule *rule)
{
    return plan_pattern(rule) ? 0 : emit_rule_site(build, rule)->member_count;
}

static void collect(struct rows *rows)
{
    struct emit_build *build = rows->build;
    const struct plan *plan = build->plan;
    size_t room = 1;

    for (uint32_t i = 0; i < plan->rule_count; i++) room += member_count(build, &plan->rules[i]);
    rows->rules = memory_resize(NULL, room, sizeof *rows->rules);
    rows->members = memory_zeroed(room, sizeof *rows->members);
    rows->keys = memory_resize(NULL, room, sizeof *rows->keys);
    rows->next = memory_zeroed(room, sizeof *rows->next);
    rows->follows = memory_zeroed(room, sizeof *rows->follows);
    for (uint32_t i = 0; i < plan->rule_count; i++) {
        const struct plan_rule *rule = &plan->rules[i];

        for (uint32_t m = 0, count = member_count(build, rule); m < count; m++) {
            uint32_t scope = emit_rule_scope(build, rule, m);

            if (scope) add_entry(rows, i, m, scope);
        }
    }
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

static bool may_be_shared(const struct plan_rule *rule)
{
    return !rule->more && rule->target_size >= SHARED_TARGET_SIZE;
}

struct target_hashes {
    const struct plan *plan;
    uint64_t *hashes; /* by rule; 0: its target is no matter */
};

static void hash_targets(void *baton, uint32_t first, uint32_t end)
{
    const struct target_hashes *targets = baton;

    for (uint32_t i = first; i < end; i++) {
        const struct plan_rule *rule = &targets->plan->rules[i];

        if (may_be_shared(rule)) targets->hashes[i] = hash_bytes(plan_target(rule), 0) | 1;
    }
}

/* By rule: others have its target, too. Two different ones of equal hash count as one: they are then looked up among
 * the shared ones, and stay two. A slot holds the number + 1 of the first rule with a target. Slots lie
 * anywhere in memory: they are asked for a little earlier. */
static bool *find_shared(const struct plan *plan)
{
    enum { AHEAD = 16 };
    bool *is_shared = memory_zeroed(plan->rule_count + 1u, sizeof *is_shared);
    uint64_t *hashes = memory_zeroed(plan->rule_count + AHEAD + 1u, sizeof *hashes);
    size_t slot_count = 1024;

    while (slot_count < 2 * (size_t)plan->rule_count) slot_count *= 2;
    uint32_t *slots = memory_zeroed(slot_count, sizeof *slots);
    parallel_ranges(plan->thread_count, plan->rule_count, hash_targets, &(struct target_hashes){ plan, hashes });
    for (uint32_t i = 0; i < plan->rule_count; i++) {
        __builtin_prefetch(&slots[hashes[i + AHEAD] >> 8 & (slot_count - 1)], 1);
        if (!hashes[i]) continue;
        size_t at = hashes[i] >> 8 & (slot_count - 1);
        while (slots[at] && hashes[slots[at] - 1] != hashes[i]) at = (at + 1) & (slot_count - 1);
        if (slots[at]) is_shared[i] = is_shared[slots[at] - 1] = true;
        else slots[at] = i + 1;
    }
    free(slots);
    free(hashes);
    return is_shared;
}

static size_t padded(size_t size) { return (size + 3) & ~(size_t)3; }

/* The path as it stands in a record: its slash is a flag there. */
static struct slice bare_path(const struct plan_rule *rule, bool *has_slash)
{
    *has_slash = url_has_last_slash(plan_path(rule));
    return url_without_last_slash(plan_path(rule));
}

/* Records get their places one after the other, and everything that is numbered as it comes (actions, shared targets,
 * templates). What then is only copied, nearly all, is copied by several threads. */
struct records {
    const struct rows *rows;
    uint32_t *references; /* of the first entry of each source */
    bool *is_shared;      /* by rule */
    uint32_t *shared_at;  /* by entry, where its target is shared */
};

/* Returns the end of the record. */
static uint8_t *write_record(const struct records *records, uint32_t entry, struct slice target,
                             struct source_cursor *cursor, uint8_t *out)
{
    const struct rows *rows = records->rows;
    const struct plan_rule *rule = rule_of(rows, entry);
    bool has_slash, shares = records->is_shared[rows->rules[entry]];
    struct slice key = bare_path(rule, &has_slash);
    uint32_t flags = (rows->next[entry] ? RULESET_RULE_MORE : 0u) | (shares ? RULESET_RULE_SHARED : 0u);
    const struct ruleset_exact head = {
        .action = emit_action_word(rows->build, rule, rows->members[entry], has_slash) | flags << RULESET_FLAG_SHIFT,
        .place = source_line_from(rows->build->plan->sources, cursor, rule->span.at),
        .key_size = (uint16_t)key.size,
        .target_size = (uint16_t)target.size,
    };
    struct slice last = shares ? slice_of((const char *)&records->shared_at[entry], sizeof(uint32_t)) : target;
    size_t size = sizeof head + key.size + last.size;

    memcpy(out, &head, sizeof head);
    memcpy(out + sizeof head, key.data, key.size);
    if (last.size) memcpy(out + sizeof head + key.size, last.data, last.size);
    memset(out + size, 0, padded(size) - size);
    return out + padded(size);
}

static void place_record(struct records *records, uint32_t entry, struct source_cursor *cursor)
{
    const struct rows *rows = records->rows;
    struct emit_build *build = rows->build;
    const struct plan_rule *rule = rule_of(rows, entry);
    uint32_t member = rows->members[entry];
    struct slice target = emit_target(build, rule, member);
    bool has_slash, shares = records->is_shared[rows->rules[entry]];
    size_t size = sizeof(struct ruleset_exact) + bare_path(rule, &has_slash).size;

    if (shares) records->shared_at[entry] = (uint32_t)bytes_pool_add(&build->targets, target);
    size += shares ? sizeof(uint32_t) : target.size;
    uint8_t *out = bytes_add_raw(&build->sections[RULESET_EXACT], padded(size));
    if (rule->more) write_record(records, entry, target, cursor, out);
    else emit_action(build, rule, member);
}

/* Rules of one key side by side. */
static void place_records(struct records *records)
{
    const struct rows *rows = records->rows;
    const struct bytes *section = &rows->build->sections[RULESET_EXACT];
    struct source_cursor cursor = { 0 };

    for (uint32_t i = 0; i < rows->count; i++) {
        if (rows->follows[i]) continue;
        records->references[i] = (uint32_t)(section->size / 4);
        for (uint32_t at = i;; at = rows->next[at]) {
            place_record(records, at, &cursor);
            if (!rows->next[at]) break;
        }
    }
}

static uint8_t *skip_record(uint8_t *out)
{
    struct ruleset_exact head;

    memcpy(&head, out, sizeof head);
    return out + padded(sizeof head + head.key_size + head.target_size);
}

/* Those that are not yet written. */
static void copy_records(void *baton, uint32_t first, uint32_t end)
{
    const struct records *records = baton;
    const struct rows *rows = records->rows;
    struct source_cursor cursor = { 0 };

    for (uint32_t i = first; i < end; i++) {
        if (rows->follows[i]) continue;
        uint8_t *out = rows->build->sections[RULESET_EXACT].data + 4 * (uint64_t)records->references[i];

        for (uint32_t at = i;; at = rows->next[at]) {
            const struct plan_rule *rule = rule_of(rows, at);

            out = rule->more ? skip_record(out) : write_record(records, at, plan_target(rule), &cursor, out);
            if (!rows->next[at]) break;
        }
    }
}

static void put_records(struct rows *rows, uint32_t *references)
{
    const struct plan *plan = rows->build->plan;
    struct records records = { .rows = rows, .references = references, .is_shared = find_shared(plan),
                               .shared_at = memory_zeroed(rows->count + 1, sizeof *records.shared_at) };

    place_records(&records);
    /* A record that is larger than it can say is an error by now. */
    if (diag_error_count(rows->build->diag) == 0) {
        parallel_ranges(plan->thread_count, (uint32_t)rows->count, copy_records, &records);
    }
    free(records.is_shared);
    free(records.shared_at);
}

bool emit_exact(struct emit_build *build)
{
    struct rows rows = { .build = build };

    collect(&rows);
    const struct emit_index_input input = { .keys = rows.keys, .count = rows.count, .join = join, .baton = &rows };
    bool fits = emit_index(&input, &build->sections[RULESET_EXACT_INDEX]);

    free(rows.keys);
    if (fits) {
        uint32_t *references = memory_resize(NULL, rows.count + 1, sizeof *references);

        put_records(&rows, references);
        build->exact_key_count = emit_index_refer(&build->sections[RULESET_EXACT_INDEX], references);
        free(references);
    }
    free(rows.rules);
    free(rows.members);
    free(rows.next);
    free(rows.follows);
    return fits;
}
