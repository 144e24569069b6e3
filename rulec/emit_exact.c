/* SPDX-License-Identifier: Apache-2.0 */
/* Exact rules: records in the order written, rules of one key side by side, a target inside its record unless several
 * rules share it. They are nearly all of a large file, so their bytes are written once, where they stay: first each gets
 * its place, and once all sections have one, several threads fill them in. */
#include "rulec/emit_build.h"

#include "mod_redir307/hash.h"
#include "mod_redir307/url.h"
#include "rulec/emit_index.h"
#include "rulec/parallel.h"

#include <stdlib.h>

enum { SHARED_TARGET_SIZE = 5 /* a reference takes four bytes */ };

/* One entry for each exact rule in each of its scopes: plain arrays of `count`. Those that hold zeros for nearly all
 * entries take hardly any memory. */
struct emit_exact {
    struct emit_build *build;
    size_t count;
    uint32_t *rules;
    uint32_t *members;    /* of the rule's site */
    uint64_t *keys;       /* until they are in the index */
    uint32_t *next;       /* entry of the same source; 0: none (entry 0 is nobody's next) */
    uint8_t *follows;     /* an earlier entry has the same source */
    uint32_t *references; /* of the first entry of each source */
    bool *is_shared;      /* by rule: others have its target, too */
    uint32_t *at;         /* of the target, where it is shared; of the record in `made`, where that is made by then */
    struct bytes made;    /* records whose targets are encoded */
};

static const struct plan_rule *rule_of(const struct emit_exact *exact, uint32_t entry)
{
    return &exact->build->plan->rules[exact->rules[entry]];
}

static uint32_t scope_of(const struct emit_exact *exact, uint32_t entry)
{
    return emit_rule_scope(exact->build, rule_of(exact, entry), exact->members[entry]);
}

/* A key in lower case. */
struct folded {
    char bytes[URL_PATH_LIMIT];
};

/* The path without its trailing slash; in lower case where some rule of the scope ignores case. */
static struct slice key_text(const struct emit_build *build, const struct plan_rule *rule, uint32_t scope,
                             struct folded *folded)
{
    struct slice path = url_without_last_slash(plan_path(rule));

    if (!build->scope_ignores_case[scope]) return path;
    for (size_t i = 0; i < path.size; i++) {
        folded->bytes[i] = path.data[i] >= 'A' && path.data[i] <= 'Z' ? (char)(path.data[i] | 32) : path.data[i];
    }
    return slice_of(folded->bytes, path.size);
}

static uint32_t member_count(const struct emit_build *build, const struct plan_rule *rule)
{
    return plan_pattern(rule) ? 0 : emit_rule_site(build, rule)->member_count;
}

static void collect(struct emit_exact *exact)
{
    struct emit_build *build = exact->build;
    const struct plan *plan = build->plan;
    size_t room = 1;

    for (uint32_t i = 0; i < plan->rule_count; i++) room += member_count(build, &plan->rules[i]);
    exact->rules = memory_resize(NULL, room, sizeof *exact->rules);
    exact->members = memory_zeroed(room, sizeof *exact->members);
    exact->keys = memory_resize(NULL, room, sizeof *exact->keys);
    exact->next = memory_zeroed(room, sizeof *exact->next);
    exact->follows = memory_zeroed(room, sizeof *exact->follows);
    exact->references = memory_resize(NULL, room, sizeof *exact->references);
    exact->at = memory_zeroed(room, sizeof *exact->at);
    for (uint32_t i = 0; i < plan->rule_count; i++) {
        const struct plan_rule *rule = &plan->rules[i];

        for (uint32_t m = 0, count = member_count(build, rule); m < count; m++) {
            uint32_t scope = emit_rule_scope(build, rule, m);

            if (!scope) continue;
            exact->rules[exact->count] = i;
            if (m) exact->members[exact->count] = m;
            exact->count++;
            if (!build->scope_exact_chain[scope]) build->scope_exact_chain[scope] = 1;
        }
    }
}

static void hash_keys(void *baton, uint32_t first, uint32_t end)
{
    struct emit_exact *exact = baton;
    struct folded folded;

    for (uint32_t i = first; i < end; i++) {
        uint32_t scope = scope_of(exact, i);

        exact->keys[i] = hash_path(key_text(exact->build, rule_of(exact, i), scope, &folded), exact->build->seed, scope);
    }
}

/* Equal hashes prove nothing: the whole source is compared. */
static bool join(void *baton, uint32_t earlier, uint32_t later)
{
    struct emit_exact *exact = baton;
    const struct plan_rule *rule = rule_of(exact, later);
    uint32_t scope = scope_of(exact, later);
    struct folded folded[2];
    unsigned length = 1;

    if (scope != scope_of(exact, earlier)
        || !slice_equal(key_text(exact->build, rule_of(exact, earlier), scope, &folded[0]),
                        key_text(exact->build, rule, scope, &folded[1]))) {
        return false;
    }
    while (exact->next[earlier]) {
        earlier = exact->next[earlier];
        length++;
    }
    exact->follows[later] = true;
    if (length > RULESET_CHAIN_LIMIT) return true; /* said already; a longer chain would only be walked */
    if (length == RULESET_CHAIN_LIMIT) {
        diag_error(exact->build->diag, DIAG_CHAIN_TOO_LONG, rule->span, "more than %d rules have the source \"%.*s\"",
                   RULESET_CHAIN_LIMIT, (int)plan_path(rule).size, plan_path(rule).data);
    }
    if (length + 1 > exact->build->scope_exact_chain[scope]) exact->build->scope_exact_chain[scope] = length + 1;
    exact->next[earlier] = later;
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

/* Two different targets of equal hash count as one: they are then looked up among the shared ones, and stay two. A slot
 * holds the number + 1 of the first rule with a target. Slots lie anywhere in memory: they are asked for a
 * little earlier. */
static void find_shared(void *baton)
{
    enum { AHEAD = 16 };
    struct emit_exact *exact = baton;
    const struct plan *plan = exact->build->plan;
    bool *is_shared = exact->is_shared = memory_zeroed(plan->rule_count + 1u, sizeof *is_shared);
    uint64_t *hashes = memory_zeroed(plan->rule_count + AHEAD + 1u, sizeof *hashes);
    size_t slot_count = 1024;

    while (slot_count / 4 * 3 < plan->rule_count) slot_count *= 2;
    uint32_t *slots = memory_resize(NULL, slot_count, sizeof *slots);
    /* Not left to the system: a page that is read before it is written would be asked for twice. */
    memset(slots, 0, slot_count * sizeof *slots);
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
}

static size_t padded(size_t size) { return (size + 3) & ~(size_t)3; }

/* The path as it stands in a record: its slash is a flag there. */
static struct slice bare_path(const struct plan_rule *rule, bool *has_slash)
{
    *has_slash = url_has_last_slash(plan_path(rule));
    return url_without_last_slash(plan_path(rule));
}

/* Returns the end of the record. */
static uint8_t *write_record(const struct emit_exact *exact, uint32_t entry, struct slice target,
                             struct source_cursor *cursor, uint8_t *out)
{
    const struct plan_rule *rule = rule_of(exact, entry);
    bool has_slash, shares = exact->is_shared[exact->rules[entry]];
    struct slice key = bare_path(rule, &has_slash);
    uint32_t flags = (exact->next[entry] ? RULESET_RULE_MORE : 0u) | (shares ? RULESET_RULE_SHARED : 0u);
    const struct ruleset_exact head = {
        .action = emit_action_word(exact->build, rule, exact->members[entry], has_slash) | flags << RULESET_FLAG_SHIFT,
        .place = source_line_from(exact->build->plan->sources, cursor, rule->span.at),
        .key_size = (uint16_t)key.size,
        .target_size = (uint16_t)target.size,
    };
    struct slice last = shares ? slice_of((const char *)&exact->at[entry], sizeof(uint32_t)) : target;
    size_t size = sizeof head + key.size + last.size;

    memcpy(out, &head, sizeof head);
    memcpy(out + sizeof head, key.data, key.size);
    if (last.size) memcpy(out + sizeof head + key.size, last.data, last.size);
    return out + padded(size);
}

/* Everything that is numbered as it comes (actions, shared targets, templates) gets its number. Returns the record's
 * size. */
static size_t place_record(struct emit_exact *exact, uint32_t entry, struct source_cursor *cursor)
{
    struct emit_build *build = exact->build;
    const struct plan_rule *rule = rule_of(exact, entry);
    uint32_t member = exact->members[entry];
    struct slice target = emit_target(build, rule, member);
    bool has_slash, shares = exact->is_shared[exact->rules[entry]];
    size_t size = sizeof(struct ruleset_exact) + bare_path(rule, &has_slash).size;

    size = padded(size + (shares ? sizeof(uint32_t) : target.size));
    if (rule->more) {
        exact->at[entry] = (uint32_t)(exact->made.size / 4);
        write_record(exact, entry, target, cursor, bytes_add(&exact->made, size));
        return size;
    }
    if (shares) exact->at[entry] = (uint32_t)bytes_pool_add(&build->targets, target);
    emit_action(build, rule, member);
    return size;
}

/* Rules of one key side by side. */
static void place_records(struct emit_exact *exact)
{
    struct bytes *section = &exact->build->sections[RULESET_EXACT];
    struct source_cursor cursor = { 0 };

    for (uint32_t i = 0; i < exact->count; i++) {
        if (exact->follows[i]) continue;
        exact->references[i] = (uint32_t)(section->size / 4);
        for (uint32_t at = i;; at = exact->next[at]) {
            section->size += place_record(exact, at, &cursor);
            if (!exact->next[at]) break;
        }
    }
}

/* A record that is made, as it stands. */
static uint8_t *copy_record(const struct emit_exact *exact, uint32_t entry, uint8_t *out)
{
    const uint8_t *made = exact->made.data + 4 * (uint64_t)exact->at[entry];
    struct ruleset_exact head;

    memcpy(&head, made, sizeof head);
    size_t size = padded(sizeof head + head.key_size + head.target_size);
    memcpy(out, made, size);
    return out + size;
}

struct writing {
    const struct emit_exact *exact;
    uint8_t *out;
};

static void write_records(void *baton, uint32_t first, uint32_t end)
{
    const struct writing *writing = baton;
    const struct emit_exact *exact = writing->exact;
    struct source_cursor cursor = { 0 };

    for (uint32_t i = first; i < end; i++) {
        if (exact->follows[i]) continue;
        uint8_t *out = writing->out + 4 * (uint64_t)exact->references[i];

        for (uint32_t at = i;; at = exact->next[at]) {
            const struct plan_rule *rule = rule_of(exact, at);

            out = rule->more ? copy_record(exact, at, out) : write_record(exact, at, plan_target(rule), &cursor, out);
            if (!exact->next[at]) break;
        }
    }
}

void emit_exact_write(const struct emit_build *build, uint8_t *out)
{
    struct writing writing = { build->exact, out };

    parallel_ranges(build->plan->thread_count, (uint32_t)build->exact->count, write_records, &writing);
}

struct indexing {
    struct emit_exact *exact;
    bool fits;
};

static void make_index(void *baton)
{
    struct indexing *indexing = baton;
    struct emit_exact *exact = indexing->exact;
    const struct emit_index_input input = { .keys = exact->keys, .count = exact->count, .join = join, .baton = exact };

    indexing->fits = emit_index(&input, &exact->build->sections[RULESET_EXACT_INDEX]);
    free(exact->keys);
    exact->keys = NULL;
}

bool emit_exact(struct emit_build *build)
{
    struct emit_exact *exact = build->exact = memory_zeroed(1, sizeof *exact);
    struct indexing indexing = { .exact = exact };

    exact->build = build;
    collect(exact);
    parallel_ranges(build->plan->thread_count, (uint32_t)exact->count, hash_keys, exact);
    parallel_both(build->plan->thread_count, (uint32_t)exact->count, (struct parallel_step){ make_index, &indexing },
                  (struct parallel_step){ find_shared, exact });
    if (!indexing.fits) return false;
    place_records(exact);
    build->exact_key_count = emit_index_refer(&build->sections[RULESET_EXACT_INDEX], exact->references);
    return true;
}

void emit_exact_free(struct emit_build *build)
{
    struct emit_exact *exact = build->exact;

    if (!exact) return;
    free(exact->rules);
    free(exact->members);
    free(exact->next);
    free(exact->follows);
    free(exact->references);
    free(exact->is_shared);
    free(exact->at);
    bytes_free(&exact->made);
    free(exact);
    build->exact = NULL;
}
