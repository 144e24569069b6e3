/* SPDX-License-Identifier: Apache-2.0 */
/* All rules but the exact ones: ranked and grouped by shape for each scope, rules of one key side by side, and the
 * bitmap of the leading segments under which they live. */
#include "rulec/emit_build.h"

#include "mod_redir307/hash.h"
#include "mod_redir307/lookup.h"
#include "rulec/emit_index.h"
#include "rulec/emit_program.h"

#include <stdlib.h>

struct entry {
    uint32_t scope;
    uint32_t rule;
    uint32_t member;
    uint32_t rank;         /* within the scope */
    struct slice rank_text;
    struct slice program;
    struct emit_shape_of *of;
    struct slice shape_text; /* equal for entries of one shape */
    struct slice key_text;   /* equal for entries of one key of that shape */
    const struct plan_pattern *form;
};

struct rows {
    struct emit_build *build;
    struct entry *entries;
    size_t count, room;
    uint64_t *keys;        /* of the index, with their records */
    uint32_t *references;
    uint64_t *prefixes;    /* hashes for the bitmap; see add_prefixes */
    size_t prefix_count;
};

static struct slice copy_out(struct emit_build *build, struct bytes *bytes)
{
    struct slice copy = arena_copy(build->plan->arena, slice_of((const char *)bytes->data, bytes->size));

    bytes_free(bytes);
    return copy;
}

/* Entries of one shape have the same descriptor and the same parameters by name. */
static struct slice shape_text(struct emit_build *build, const struct emit_shape_of *of)
{
    struct bytes out = { 0 };

    /* exact paths with a query come first in a site */
    bytes_put_u8(&out, of->shape.kind == RULESET_SHAPE_WHOLE ? 0 : 1);
    bytes_put(&out, &of->shape, sizeof of->shape);
    for (unsigned i = 0; i < of->shape.parameter_count; i++) {
        bytes_put_slice(&out, of->parameters[i].name);
        bytes_put_u8(&out, of->parameters[i].is_fixed);
    }
    return copy_out(build, &out);
}

static struct slice key_text(struct emit_build *build, const struct emit_shape_of *of)
{
    struct bytes out = { 0 };

    bytes_put_slice(&out, of->lead);
    for (unsigned i = 0; i < of->part_count; i++) bytes_put_slice(&out, of->parts[i]);
    for (unsigned i = 0; i < of->shape.parameter_count; i++) {
        if (of->parameters[i].is_fixed) bytes_put_slice(&out, of->parameters[i].value);
    }
    return copy_out(build, &out);
}

static void shape_entry(struct emit_build *build, struct entry *entry, enum emit_detail detail)
{
    const struct plan_rule *rule = &build->plan->rules[entry->rule];

    if (!entry->of) entry->of = arena_alloc(build->plan->arena, sizeof *entry->of);
    emit_shape(build->plan->arena, entry->form, rule->flags & PLAN_CASE_IGNORE, detail, entry->of);
    entry->shape_text = shape_text(build, entry->of);
    entry->key_text = key_text(build, entry->of);
}

static void add_rule(struct rows *rows, uint32_t rule_index)
{
    struct emit_build *build = rows->build;
    struct arena *arena = build->plan->arena;
    const struct plan_rule *rule = &build->plan->rules[rule_index];
    const struct emit_site *site = emit_rule_site(build, rule);
    struct plan_pattern *forms = arena_array(arena, EMIT_FORM_LIMIT, sizeof *forms);
    unsigned form_count = emit_pattern_forms(arena, plan_pattern(rule), forms);

    for (unsigned f = 0; f < form_count; f++) {
        struct entry entry = { .rule = rule_index, .form = &forms[f], 
                               .program = emit_program(build, &forms[f], rule->flags & PLAN_CASE_IGNORE),
                               .rank_text = emit_rank(arena, &forms[f]) };

        for (uint32_t m = 0; m < site->member_count; m++) {
            entry.scope = emit_rule_scope(build, rule, m);
            entry.member = m;
            entry.of = NULL;
            if (!entry.scope) continue;
            shape_entry(build, &entry, EMIT_DETAIL_ENDS);
            if (rows->count == rows->room) {
                rows->room = rows->room ? rows->room + rows->room / 2 : 256;
                rows->entries = memory_resize(rows->entries, rows->room, sizeof *rows->entries);
            }
            rows->entries[rows->count++] = entry;
        }
    }
}

static int compare_numbers(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int by_rank(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = compare_numbers(a->scope, b->scope);

    if (!order) order = slice_compare(a->rank_text, b->rank_text);
    return order ? order : compare_numbers(a->rule, b->rule);
}

static int by_shape(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = compare_numbers(a->scope, b->scope);

    if (!order) order = slice_compare(a->shape_text, b->shape_text);
    if (!order) order = slice_compare(a->key_text, b->key_text);
    if (!order) order = compare_numbers(a->rank, b->rank);
    return order ? order : compare_numbers(a->rule, b->rule);
}

static void set_ranks(struct rows *rows)
{
    uint32_t rank = 0;

    qsort(rows->entries, rows->count, sizeof *rows->entries, by_rank);
    for (size_t i = 0; i < rows->count; i++) {
        const struct entry *before = i ? &rows->entries[i - 1] : NULL;

        if (!before || before->scope != rows->entries[i].scope) rank = 0;
        else if (slice_compare(before->rank_text, rows->entries[i].rank_text) != 0) rank++;
        rows->entries[i].rank = rank;
    }
}

/* A shape with its entries, in the rows sorted by shape. */
struct group {
    size_t first, count;
    uint32_t best_rank, worst_rank;
    uint32_t probes, chain; /* keys that one request looks for at most, records of one key */
    bool is_whole;
};

static int group_order(const void *left, const void *right)
{
    const struct group *a = left, *b = right;

    if (a->is_whole != b->is_whole) return a->is_whole ? -1 : 1;
    int order = compare_numbers(a->best_rank, b->best_rank);
    return order ? order : (a->first > b->first) - (a->first < b->first);
}

/* The shapes of the scope whose entries start at `first`; *end: behind them. */
static size_t group_shapes(const struct rows *rows, size_t first, size_t *end, struct group **groups)
{
    size_t count = 0, room = 0;
    uint32_t scope = rows->entries[first].scope;

    *groups = NULL;
    for (*end = first; *end < rows->count && rows->entries[*end].scope == scope; ++*end) {
        const struct entry *entry = &rows->entries[*end];

        if (*end == first || slice_compare(entry->shape_text, entry[-1].shape_text) != 0) {
            if (count == room) *groups = memory_resize(*groups, room += room / 2 + 64, sizeof **groups);
            (*groups)[count++] = (struct group){ .first = *end, .best_rank = UINT32_MAX,
                                                 .is_whole = entry->of->shape.kind == RULESET_SHAPE_WHOLE };
        }
        struct group *group = &(*groups)[count - 1];
        group->count++;
        if (entry->rank < group->best_rank) group->best_rank = entry->rank;
        if (entry->rank > group->worst_rank) group->worst_rank = entry->rank;
    }
    return count;
}

/* Where a site has too many shapes, constrained segments are told apart by fewer of their bytes. */
static void choose_detail(struct rows *rows)
{
    for (int detail = EMIT_DETAIL_STARTS; detail < EMIT_DETAIL_COUNT; detail++) {
        bool changed = false;

        for (size_t first = 0, end; first < rows->count; first = end) {
            struct group *groups;
            size_t count = group_shapes(rows, first, &end, &groups);

            free(groups);
            if (count <= RULESET_SHAPE_LIMIT) continue;
            for (size_t i = first; i < end; i++) {
                shape_entry(rows->build, &rows->entries[i], (enum emit_detail)detail);
            }
            changed = true;
        }
        if (!changed) return;
        qsort(rows->entries, rows->count, sizeof *rows->entries, by_shape);
    }
}

static void add_prefixes(struct rows *rows, const struct entry *entry)
{
    struct slice lead = entry->of->lead;
    size_t end = 0;

    if (entry->of->shape.kind == RULESET_SHAPE_WHOLE) return;
    for (;;) {
        uint64_t hash = hash_path(slice_of(lead.data, end), rows->build->seed, entry->scope);

        /* pairs: the hash, and whether the rule lives right here */
        rows->prefixes[rows->prefix_count++] = hash;
        rows->prefixes[rows->prefix_count++] = end == lead.size;
        if (end == lead.size) return;
        for (end++; end < lead.size && lead.data[end] != '/'; end++) continue;
    }
}

static int by_hash(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

static void make_bitmap(struct rows *rows)
{
    size_t prefix_room = 1, word_count = 0;

    for (size_t i = 0; i < rows->count; i++) prefix_room += rows->entries[i].of->shape.lead + 1u;
    rows->prefixes = memory_resize(NULL, 2 * prefix_room, sizeof *rows->prefixes);
    for (size_t i = 0; i < rows->count; i++) add_prefixes(rows, &rows->entries[i]);
    if (rows->prefix_count == 0) {
        free(rows->prefixes);
        return;
    }
    qsort(rows->prefixes, rows->prefix_count / 2, 2 * sizeof *rows->prefixes, by_hash);
    for (size_t i = 0; i < rows->prefix_count; i += 2) {
        word_count += i == 0 || rows->prefixes[i] != rows->prefixes[i - 2];
    }
    uint64_t *words = bytes_add(&rows->build->sections[RULESET_ANCESTORS], word_count * sizeof *words);
    for (size_t i = 0; i < rows->prefix_count; i += 2) {
        uint64_t hash = rows->prefixes[i];

        words[hash_word(hash, word_count)] |= rows->prefixes[i + 1] ? hash_here_bits(hash) : hash_below_bits(hash);
    }
    free(rows->prefixes);
}

static uint64_t key_hash(const struct emit_build *build, const struct entry *entry, uint32_t shape_index)
{
    const struct emit_shape_of *of = entry->of;
    uint64_t key = hash_shape_start(hash_path(of->lead, build->seed, entry->scope), shape_index);

    for (unsigned i = 0; i < of->part_count; i += 2) {
        key = hash_shape_add(key, hash_bytes(of->parts[i], build->seed));
        if (of->parts[i + 1].size) key = hash_shape_add(key, hash_bytes(of->parts[i + 1], build->seed));
    }
    for (unsigned i = 0; i < of->shape.parameter_count; i++) {
        const struct emit_parameter *parameter = &of->parameters[i];

        if (!parameter->is_fixed) continue;
        key = hash_shape_add(key, hash_parameter(hash_bytes(parameter->name, build->seed),
                                                 hash_bytes(parameter->value, build->seed)));
    }
    return key;
}

static void put_record(struct rows *rows, const struct entry *entry, bool has_more)
{
    struct emit_build *build = rows->build;
    const struct plan_rule *rule = &build->plan->rules[entry->rule];
    struct slice target = emit_target(build, rule, entry->member);
    struct bytes *section = &build->sections[RULESET_PATTERNS];
    /* MANY forms of `*.ttl` keep the rule's flags */
    const struct ruleset_pattern head = {
        .action = emit_action_word(build, rule, entry->member, plan_pattern(rule)->ends_in_slash)
                | (has_more ? RULESET_RULE_MORE : 0u) << RULESET_FLAG_SHIFT,
        .place = emit_place(build, rule),
        .rank = entry->rank,
        .order = entry->rule,
        .target_at = (uint32_t)bytes_pool_add(&build->targets, target),
        .target_size = (uint16_t)target.size,
        .program_size = (uint16_t)entry->program.size,
    };

    if (entry->program.size > UINT16_MAX) {
        diag_error(build->diag, DIAG_TOO_LARGE, rule->span, "this source is too large: its pattern takes %zu bytes "
                   "of at most 65535", entry->program.size);
    }
    bytes_put(section, &head, sizeof head);
    bytes_put(section, entry->program.data, entry->program.size);
    bytes_align(section, 4);
}

/* One shape: its descriptor, and the records of its keys. Returns its longest chain. */
static uint32_t put_shape(struct rows *rows, const struct group *group)
{
    struct emit_build *build = rows->build;
    struct bytes *shapes = &build->sections[RULESET_SHAPES], *parameters = &build->sections[RULESET_SHAPE_PARAMETERS];
    const struct emit_shape_of *of = rows->entries[group->first].of;
    struct ruleset_shape shape = of->shape;
    uint32_t shape_index = (uint32_t)(shapes->size / sizeof shape), length = 0;

    shape.best_rank = group->best_rank;
    shape.parameter_first = (uint32_t)(parameters->size / sizeof(struct ruleset_shape_parameter));
    for (unsigned i = 0; i < shape.parameter_count; i++) {
        const struct ruleset_shape_parameter parameter = {
            .name_hash = (uint32_t)hash_bytes(of->parameters[i].name, build->seed),
            .is_fixed = of->parameters[i].is_fixed,
        };
        bytes_put(parameters, &parameter, sizeof parameter);
    }
    for (size_t i = group->first; i < group->first + group->count; i++) {
        const struct entry *entry = &rows->entries[i];
        bool is_first = i == group->first || slice_compare(entry->key_text, entry[-1].key_text) != 0;
        bool has_more = i + 1 < group->first + group->count && slice_compare(entry->key_text, entry[1].key_text) == 0;

        length = is_first ? 1 : length + 1;
        if (length > shape.chain_limit) shape.chain_limit = length;
        if (length == RULESET_CHAIN_LIMIT + 1) {
            diag_error(build->diag, DIAG_CHAIN_TOO_LONG, build->plan->rules[entry->rule].span,
                       "more than %d rules differ only in what their placeholders take", RULESET_CHAIN_LIMIT);
        }
        if (is_first) {
            rows->keys[build->pattern_key_count] = key_hash(build, entry, shape_index);
            rows->references[build->pattern_key_count++] = (uint32_t)(build->sections[RULESET_PATTERNS].size / 4);
        }
        put_record(rows, entry, has_more);
    }
    bytes_put(shapes, &shape, sizeof shape);
    return shape.chain_limit;
}

/* How often a shape is probed at most: once, or for each combination of parameters with fixed values. */
static uint32_t probes_of(const struct entry *entry)
{
    uint32_t fixed = 0;

    for (unsigned i = 0; i < entry->of->shape.parameter_count; i++) fixed += entry->of->parameters[i].is_fixed;
    return fixed ? LOOKUP_COMBINATION_LIMIT : 1;
}

/* Candidates of the shape that one request can meet. */
static uint64_t candidates_of(const struct group *group)
{
    uint64_t candidates = (uint64_t)group->probes * group->chain;

    return candidates < group->count ? candidates : group->count;
}

/* Index lines that shapes [first, end) of a scope cost one request at most. A candidate waits while a shape that is still
 * to be probed may rank before it; only where more wait than there is room for is a search repeated. */
static uint64_t lines_of(const struct group *groups, size_t first, size_t end)
{
    uint64_t probes = 0, candidates = 0, waiting = 0;

    for (size_t i = first; i < end; i++) {
        uint64_t here = candidates_of(&groups[i]);

        probes += groups[i].probes;
        candidates += here;
        for (size_t k = first; k < i; k++) {
            if (groups[k].worst_rank >= groups[i].best_rank) here += candidates_of(&groups[k]);
        }
        if (here > waiting) waiting = here;
    }
    return (waiting > LOOKUP_FOUND_LIMIT ? emit_searches(candidates) : 1) * EMIT_PROBE_LINES * probes;
}

static void report_shapes(struct rows *rows, const struct group *groups, size_t count)
{
    const struct emit_build *build = rows->build;
    const struct entry *entry = &rows->entries[groups[RULESET_SHAPE_LIMIT].first];
    const struct plan_rule *rule = &build->plan->rules[entry->rule];

    diag_error(build->diag, DIAG_TOO_MANY_SHAPES, rule->span, "the sources of this site have %zu shapes, %d are the limit",
               count, RULESET_SHAPE_LIMIT);
    diag_help(build->diag, "split the site by host, or say several sources with one: a shape is which segments and "
                           "which query names a source fixes");
}

bool emit_patterns(struct emit_build *build)
{
    struct rows rows = { .build = build };
    struct bytes *scopes = &build->sections[RULESET_SCOPES];

    for (uint32_t i = 0; i < build->plan->rule_count; i++) {
        if (plan_pattern(&build->plan->rules[i])) add_rule(&rows, i);
    }
    if (rows.count) {
        set_ranks(&rows);
        qsort(rows.entries, rows.count, sizeof *rows.entries, by_shape);
        choose_detail(&rows);
    }
    make_bitmap(&rows);

    rows.keys = memory_resize(NULL, rows.count + 1, sizeof *rows.keys);
    rows.references = memory_resize(NULL, rows.count + 1, sizeof *rows.references);
    for (size_t first = 0, end; first < rows.count; first = end) {
        struct ruleset_scope *scope = (struct ruleset_scope *)(void *)scopes->data + rows.entries[first].scope;
        struct group *groups;
        size_t count = group_shapes(&rows, first, &end, &groups);

        qsort(groups, count, sizeof *groups, group_order);
        if (count > RULESET_SHAPE_LIMIT) report_shapes(&rows, groups, count);
        scope->shape_first = (uint32_t)(build->sections[RULESET_SHAPES].size / sizeof(struct ruleset_shape));
        scope->shape_count = (uint16_t)count;
        for (size_t i = 0; i < count; i++) {
            groups[i].probes = probes_of(&rows.entries[groups[i].first]);
            groups[i].chain = put_shape(&rows, &groups[i]);
            scope->whole_shape_count = (uint16_t)(scope->whole_shape_count + groups[i].is_whole);
        }
        if (count <= RULESET_SHAPE_LIMIT) {
            scope->worst_probes = (uint32_t)(lines_of(groups, 0, scope->whole_shape_count)
                                             + lines_of(groups, scope->whole_shape_count, count));
        }
        free(groups);
    }
    const struct emit_index_input input = { .keys = rows.keys, .count = build->pattern_key_count };
    bool fits = emit_index(&input, &build->sections[RULESET_PATTERN_INDEX]);
    if (fits) emit_index_refer(&build->sections[RULESET_PATTERN_INDEX], rows.references);
    free(rows.keys);
    free(rows.references);
    free(rows.entries);
    return fits;
}
