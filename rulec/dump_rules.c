/* SPDX-License-Identifier: Apache-2.0 */
/* Each record becomes one line. Records of several scopes come from one rule of the sources where its site has hosts
 * of several scopes: which ones these are is seen by what they say. */
#include "config.h"

#include "rulec/dump_rules.h"

#include "grammar/arena.h"
#include "mod_redir307/choice.h"
#include "mod_redir307/pattern.h"
#include "rulec/dump_choice.h"

#include <stdlib.h>

/* A source with its conditions. */
struct dump_seen_source {
    uint64_t hash;   /* 0: empty */
    size_t at, size; /* in the text of all */
    uint32_t conditions;
    unsigned flags;
};

/* A record of either sort. */
struct record {
    struct ruleset_action action;
    struct slice source; /* key or program */
    struct slice target;
    unsigned flags;
    uint32_t place;
};

static bool read_record(struct dump_writer *writer, const struct dumped_rule *rule, struct record *record)
{
    struct ruleset_pattern_view pattern;
    struct ruleset_exact_view exact;
    uint32_t action = 0;

    if (rule->is_pattern && ruleset_get_pattern(writer->ruleset, rule->at, &pattern)) {
        action = pattern.action;
        *record = (struct record){ .source = pattern.program, .target = pattern.target, .flags = pattern.flags,
                                   .place = pattern.head.place };
    } else if (!rule->is_pattern && ruleset_get_exact(writer->ruleset, rule->at, &exact)) {
        action = exact.action;
        *record = (struct record){ .source = exact.key, .target = exact.target, .flags = exact.flags,
                                   .place = exact.head.place };
    }
    if (action && ruleset_get_action(writer->ruleset, action, &record->action))
        return true;
    writer->wrong = dump_damaged;
    return false;
}

/* ---- all rules ---- */

static void add_rule(struct dump_writer *writer, struct dumped_rules *rules, struct dumped_rule rule)
{
    struct record record;

    if (!read_record(writer, &rule, &record))
        return;
    rule.scope = record.action.scope;
    rule.place = record.place;
    if (rules->count == rules->room) {
        rules->room = rules->room ? 2 * rules->room : 1024;
        rules->items = memory_resize(rules->items, rules->room, sizeof *rules->items);
    }
    rules->items[rules->count++] = rule;
}

static int compare_rules(const void *a, const void *b)
{
    const struct dumped_rule *left = a, *right = b;

    if (left->scope != right->scope)
        return left->scope < right->scope ? -1 : 1;
    if (left->is_pattern != right->is_pattern)
        return left->is_pattern ? 1 : -1;
    if (left->order != right->order)
        return left->order < right->order ? -1 : 1;
    return (left->at > right->at) - (left->at < right->at);
}

void dump_collect_rules(struct dump_writer *writer, struct dumped_rules *rules)
{
    struct ruleset_exact_view exact;
    struct ruleset_pattern_view pattern;

    for (uint64_t at = 0; ruleset_get_exact(writer->ruleset, at, &exact); at = exact.next_at)
        add_rule(writer, rules, (struct dumped_rule){ .at = at });
    for (uint64_t at = 0; ruleset_get_pattern(writer->ruleset, at, &pattern); at = pattern.next_at)
        add_rule(writer, rules, (struct dumped_rule){ .order = pattern.head.order, .at = at, .is_pattern = true });
    if (rules->count)
        qsort(rules->items, rules->count, sizeof *rules->items, compare_rules);
}

struct dumped_range dump_scope_rules(const struct dumped_rules *rules, uint32_t scope)
{
    size_t low = 0, high = rules->count, end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (rules->items[middle].scope < scope)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < rules->count && rules->items[end].scope == scope; end++)
        continue;
    return (struct dumped_range){ .first = rules->items + low, .count = end - low };
}

/* ---- one rule in several scopes ---- */

static int compare_places(const void *a, const void *b)
{
    const struct dumped_rule *left = a, *right = b;

    if (left->is_pattern != right->is_pattern)
        return left->is_pattern ? 1 : -1;
    if (left->order != right->order)
        return left->order < right->order ? -1 : 1;
    return (left->place > right->place) - (left->place < right->place);
}

void dump_sort_by_place(struct dumped_rule *rules, size_t count)
{
    qsort(rules, count, sizeof *rules, compare_places);
}

/* The scope apart, as one action is written for each. */
static bool actions_equal(const struct ruleset_action *a, const struct ruleset_action *b)
{
    return a->status_get == b->status_get && a->status_other == b->status_other && a->conditions == b->conditions &&
           a->cache_kind == b->cache_kind && a->cache_seconds == b->cache_seconds && a->query_kind == b->query_kind &&
           a->query_names == b->query_names && a->flags == b->flags && a->headers == b->headers && a->vary == b->vary;
}

static bool records_equal(const struct record *a, const struct record *b)
{
    unsigned ignored = RULESET_RULE_MORE | RULESET_RULE_SHARED;

    return (a->flags & ~ignored) == (b->flags & ~ignored) && slice_equal(a->source, b->source) &&
           slice_equal(a->target, b->target) && actions_equal(&a->action, &b->action);
}

bool dump_has_rule(struct dump_writer *writer, struct dumped_range range, const struct dumped_rule *rule)
{
    size_t low = 0, high = range.count;
    struct record wanted, record;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_places(&range.first[middle], rule) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == range.count || compare_places(&range.first[low], rule) != 0)
        return false;
    if (rule->is_pattern)
        return true; /* no two rules have one number */
    if (!read_record(writer, rule, &wanted))
        return false;
    for (; low < range.count && compare_places(&range.first[low], rule) == 0; low++)
        if (read_record(writer, &range.first[low], &record) && records_equal(&record, &wanted))
            return true;
    return false;
}

bool dump_is_half(struct dump_writer *writer, struct dumped_range range, size_t i)
{
    const struct dumped_rule *rules = range.first;
    bool has_twin = (i && rules[i - 1].is_pattern && rules[i - 1].order == rules[i].order) ||
                    (i + 1 < range.count && rules[i + 1].order == rules[i].order);
    struct record record;
    struct dump_source source;

    if (!rules[i].is_pattern || !has_twin || !read_record(writer, &rules[i], &record))
        return false;
    dump_word_clear(&writer->word);
    return dump_add_pattern(&writer->word, writer->ruleset, record.source, record.flags & RULESET_RULE_SLASH, &source) &&
           !source.takes_many;
}

/* ---- rules of one source ---- */

void dump_seen_clear(struct dump_seen *seen, size_t rule_count)
{
    size_t slots = 16;

    while (slots < 2 * rule_count)
        slots *= 2;
    seen->table = memory_resize(seen->table, slots, sizeof *seen->table);
    memset(seen->table, 0, slots * sizeof *seen->table);
    seen->mask = slots - 1;
    dump_word_clear(&seen->text);
}

void dump_seen_free(struct dump_seen *seen)
{
    free(seen->table);
    dump_word_free(&seen->text);
    dump_word_free(&seen->key);
}

/* Without the numbers of placeholders, which make no other source: `{c0:int}` and `{u1:int}` become `{:int}`. */
static void add_unnumbered(struct dump_word *key, struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        dump_word_add(key, slice_of(text.data + i, 1));
        if (text.data[i] != '{' || i + 1 == text.size || (text.data[i + 1] != 'c' && text.data[i + 1] != 'u'))
            continue;
        for (i++; i + 1 < text.size && text.data[i + 1] >= '0' && text.data[i + 1] <= '9';)
            i++;
    }
}

static int compare_texts(const void *a, const void *b)
{
    const struct slice *left = a, *right = b;

    return slice_compare(*left, *right);
}

/* What all words for one source have in common. */
static void write_key(struct dump_word *key, const struct dump_word *word, const struct dump_source *source)
{
    struct slice parameters[DUMP_PARAMETER_LIMIT];

    dump_word_clear(key);
    if (source->is_regex)
        dump_word_add(key, slice_of((const char *)&source->regex, sizeof source->regex));
    add_unnumbered(key, slice_of(word->data, source->parameter_count ? source->parameter_at[0] : word->size));
    for (unsigned i = 0; i < source->parameter_count; i++)
        parameters[i] = slice_of(word->data + source->parameter_at[i] + 1,
                                 source->parameter_at[i + 1] - source->parameter_at[i] - 1);
    if (source->parameter_count)
        qsort(parameters, source->parameter_count, sizeof *parameters, compare_texts);
    for (unsigned i = 0; i < source->parameter_count; i++) {
        dump_word_add(key, SLICE("?"));
        add_unnumbered(key, parameters[i]);
    }
}

/* A form may hold no line: then what stands behind it answers. */
static bool always_answers(const struct record *record)
{
    struct choice_line line;
    struct slice name;
    unsigned by;

    if (!(record->flags & RULESET_RULE_CHOICE))
        return true;
    for (unsigned i = 0; choice_line_at(record->target, i, &by, &name, &line); i++)
        if (by == CHOICE_BY_CLIENT || by == CHOICE_BY_CHANCE || line.flags & CHOICE_OTHERWISE)
            return true;
    return false;
}

/* True where a rule with this source and these conditions was written, that always answers. */
static bool is_hidden(const struct dump_writer *writer, struct dump_seen *seen, unsigned site,
                      const struct record *record, const struct dump_source *source)
{
    unsigned flags = site << 8 | (record->flags & RULESET_RULE_CASE_IGNORE) | (source->is_regex ? 1u : 0u);
    struct slice text;
    uint64_t hash;
    size_t slot;

    write_key(&seen->key, &writer->word, source);
    text = slice_of(seen->key.data, seen->key.size);
    hash = hash_bytes(text, record->action.conditions) | 1;
    slot = hash >> 1 & seen->mask;
    for (; seen->table[slot].hash; slot = (slot + 1) & seen->mask) {
        const struct dump_seen_source *other = &seen->table[slot];

        if (other->hash == hash && other->flags == flags && other->conditions == record->action.conditions &&
            slice_equal(slice_of(seen->text.data + other->at, other->size), text))
            return true;
    }
    if (!always_answers(record))
        return false;
    seen->table[slot] = (struct dump_seen_source){ .hash = hash, .at = seen->text.size, .size = text.size,
                                                   .conditions = record->action.conditions, .flags = flags };
    dump_word_add(&seen->text, text);
    return false;
}

/* ---- one rule ---- */

static bool add_source(struct dump_writer *writer, const struct dumped_rule *rule, const struct record *record,
                       struct dump_source *source)
{
    bool ends_in_slash = record->flags & RULESET_RULE_SLASH;

    dump_word_clear(&writer->word);
    if (rule->is_pattern)
        return dump_add_pattern(&writer->word, writer->ruleset, record->source, ends_in_slash, source);
    dump_source_init(source);
    dump_add_path(&writer->word, record->source, ends_in_slash);
    return true;
}

void dump_rule(struct dump_writer *writer, struct dump_seen *seen, unsigned site, const struct dumped_rule *rule,
               const struct ruleset_host_view *host)
{
    struct dump_source source;
    struct dump_captures captures = { .source = &source, .hosts = { .failed = true } };
    struct record record;
    unsigned groups;

    if (host) {
        captures.hosts = host->captures;
        captures.host_count = host->head.capture_count;
    }
    if (!read_record(writer, rule, &record))
        return;
    if (!add_source(writer, rule, &record, &source)) {
        writer->wrong = dump_damaged;
        return;
    }
    if (is_hidden(writer, seen, site, &record, &source)) {
        seen->hidden_count++;
        return;
    }
    groups = dump_outer_windows(writer, record.action.conditions);
    fputs("    ", writer->out);
    if (source.is_regex) {
        fputs("~ ", writer->out);
        dump_regex_print(writer->ruleset, source.regex, writer->out);
    } else {
        dump_word_print(&writer->word, writer->out);
    }
    if (record.flags & RULESET_RULE_CHOICE)
        dump_choice(writer, record.target, &captures);
    else if (record.target.size)
        dump_target(writer, record.target, record.flags & RULESET_RULE_TEMPLATE, &captures);
    if (record.action.flags & RULESET_ACTION_PASS)
        fputs(" pass", writer->out);
    else
        dump_status(writer, record.action.status_get, record.action.status_other);
    dump_clauses(writer, &record.action, record.flags, record.place);
    for (; groups; groups--)
        fputs("    }\n", writer->out);
}
