/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the records of a rule file scope by scope. A scope is a set of hosts that share rules: it becomes a `site`
 * block; a host whose name was made from a closed set gets one of its own, with its part of the set written out. */
#include "config.h"

#include "rulec/dump.h"

#include "rulec/dump_choice.h"
#include "rulec/dump_clause.h"

#include "grammar/arena.h"
#include "mod_redir307/pattern.h"

#include <inttypes.h>
#include <stdlib.h>

struct dumped_rule {
    uint32_t scope;
    uint32_t order;  /* patterns: as written, for rules of equal rank; exact ones: as they lie */
    uint64_t at;
    bool is_pattern;
};

/* A source with its conditions, to find the next rule that has the same. */
struct seen_source {
    uint64_t hash;   /* 0: empty */
    size_t at, size; /* in seen_text */
    uint32_t conditions;
    unsigned flags;
};

struct dump {
    struct dump_writer to;
    struct dumped_rule *rules; /* by scope, then exact ones, then by order */
    size_t rule_count, rule_room;
    struct ruleset_host_view *hosts;
    size_t host_count, host_room;
    struct seen_source *seen;  /* sources of the site that is written: a table of seen_mask + 1, or NULL */
    size_t seen_mask;
    struct dump_word seen_text;
    size_t hidden_count;       /* rules that can never answer */
};

static uint32_t scope_of(struct dump *dump, uint32_t action_index)
{
    struct ruleset_action action;

    if (ruleset_get_action(dump->to.ruleset, action_index, &action))
        return action.scope;
    dump->to.wrong = dump_damaged;
    return 0;
}

static void add_rule(struct dump *dump, const struct dumped_rule *rule)
{
    if (dump->rule_count == dump->rule_room) {
        dump->rule_room = dump->rule_room ? 2 * dump->rule_room : 1024;
        dump->rules = memory_resize(dump->rules, dump->rule_room, sizeof *dump->rules);
    }
    dump->rules[dump->rule_count++] = *rule;
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

static void collect_rules(struct dump *dump)
{
    struct ruleset_exact_view exact;
    struct ruleset_pattern_view pattern;

    for (uint64_t at = 0; ruleset_get_exact(dump->to.ruleset, at, &exact); at = exact.next_at)
        add_rule(dump, &(struct dumped_rule){ .scope = scope_of(dump, exact.action), .at = at });
    for (uint64_t at = 0; ruleset_get_pattern(dump->to.ruleset, at, &pattern); at = pattern.next_at)
        add_rule(dump, &(struct dumped_rule){ .scope = scope_of(dump, pattern.action), .order = pattern.head.order,
                                              .at = at, .is_pattern = true });
    if (dump->rule_count)
        qsort(dump->rules, dump->rule_count, sizeof *dump->rules, compare_rules);
}

static void collect_hosts(struct dump *dump)
{
    struct ruleset_host_view host;

    for (uint64_t at = 0; ruleset_get_host(dump->to.ruleset, at, &host); at = host.next_at) {
        if (dump->host_count == dump->host_room) {
            dump->host_room = dump->host_room ? 2 * dump->host_room : 64;
            dump->hosts = memory_resize(dump->hosts, dump->host_room, sizeof *dump->hosts);
        }
        dump->hosts[dump->host_count++] = host;
    }
}

/* ---- rules ---- */

/* `/a/ *.ttl` has two records, as it ranks in two ways: the one for a single segment comes back with the other. */
static bool is_half(struct dump *dump, const struct dumped_rule *rules, size_t count, size_t i)
{
    bool has_twin = (i && rules[i - 1].is_pattern && rules[i - 1].order == rules[i].order) ||
                    (i + 1 < count && rules[i + 1].order == rules[i].order);
    struct ruleset_pattern_view view;
    struct dump_source source;

    if (!rules[i].is_pattern || !has_twin)
        return false;
    dump_word_clear(&dump->to.word);
    return ruleset_get_pattern(dump->to.ruleset, rules[i].at, &view) &&
           dump_add_pattern(&dump->to.word, dump->to.ruleset, view.program, view.flags & RULESET_RULE_SLASH, &source) && !source.takes_many;
}

static void forget_sources(struct dump *dump, size_t rule_count)
{
    size_t slots = 16;

    while (slots < 2 * rule_count)
        slots *= 2;
    dump->seen = memory_resize(dump->seen, slots, sizeof *dump->seen);
    memset(dump->seen, 0, slots * sizeof *dump->seen);
    dump->seen_mask = slots - 1;
    dump_word_clear(&dump->seen_text);
}

/* Sites that share a host may have rules with one source: the first written answers there. Here, where they come
 * together in one site, the others would contradict it. The source is the word just made. */
static bool was_seen(struct dump *dump, unsigned flags, uint32_t conditions)
{
    struct slice text = slice_of(dump->to.word.data, dump->to.word.size);
    uint64_t hash = hash_bytes(text, conditions) | 1;
    size_t slot = hash >> 1 & dump->seen_mask;

    for (; dump->seen[slot].hash; slot = (slot + 1) & dump->seen_mask) {
        const struct seen_source *seen = &dump->seen[slot];

        if (seen->hash == hash && seen->flags == flags && seen->conditions == conditions &&
            slice_equal(slice_of(dump->seen_text.data + seen->at, seen->size), text))
            return true;
    }
    dump->seen[slot] = (struct seen_source){ .hash = hash, .at = dump->seen_text.size, .size = text.size,
                                             .conditions = conditions, .flags = flags };
    dump_word_add(&dump->seen_text, text);
    return false;
}

/* `host`: the one that captures are taken from; NULL: its name has none. */
static void print_rule(struct dump *dump, const struct dumped_rule *rule, const struct ruleset_host_view *host)
{
    struct dump_source source;
    struct dump_captures captures = { .source = &source, .hosts = { .failed = true } };
    struct ruleset_action action;
    uint32_t action_index, place;
    unsigned flags, groups;
    struct slice target;
    bool is_good;

    dump_source_init(&source);
    if (host) {
        captures.hosts = host->captures;
        captures.host_count = host->head.capture_count;
    }
    dump_word_clear(&dump->to.word);
    if (rule->is_pattern) {
        struct ruleset_pattern_view view;

        is_good = ruleset_get_pattern(dump->to.ruleset, rule->at, &view) &&
                  dump_add_pattern(&dump->to.word, dump->to.ruleset, view.program, view.flags & RULESET_RULE_SLASH,
                                   &source);
        action_index = view.action;
        place = view.head.place;
        flags = view.flags;
        target = view.target;
    } else {
        struct ruleset_exact_view view;

        is_good = ruleset_get_exact(dump->to.ruleset, rule->at, &view);
        action_index = view.action;
        place = view.head.place;
        flags = view.flags;
        target = view.target;
        if (is_good)
            dump_add_path(&dump->to.word, view.key, flags & RULESET_RULE_SLASH);
    }
    if (!is_good || !ruleset_get_action(dump->to.ruleset, action_index, &action)) {
        dump->to.wrong = dump_damaged;
        return;
    }
    if (!source.is_regex && !(flags & RULESET_RULE_CHOICE) &&
        was_seen(dump, flags & RULESET_RULE_CASE_IGNORE, action.conditions)) {
        dump->hidden_count++;
        return;
    }
    groups = dump_outer_windows(&dump->to, action.conditions);
    fputs("    ", dump->to.out);
    if (source.is_regex) {
        fputs("~ ", dump->to.out);
        dump_regex_print(dump->to.ruleset, source.regex, dump->to.out);
    } else {
        dump_word_print(&dump->to.word, dump->to.out);
    }
    if (flags & RULESET_RULE_CHOICE)
        dump_choice(&dump->to, target, &captures);
    else if (target.size)
        dump_target(&dump->to, target, flags & RULESET_RULE_TEMPLATE, &captures);
    if (action.flags & RULESET_ACTION_PASS)
        fputs(" pass", dump->to.out);
    else
        dump_status(&dump->to, action.status_get, action.status_other);
    dump_clauses(&dump->to, &action, flags, place);
    for (; groups; groups--)
        fputs("    }\n", dump->to.out);
}

/* ---- sites ---- */

static bool has_exact_host(const struct dump *dump, struct slice name)
{
    for (size_t i = 0; i < dump->host_count; i++)
        if (dump->hosts[i].head.kind == RULESET_HOST_EXACT && slice_equal(dump->hosts[i].name, name))
            return true;
    return false;
}

static bool is_in_scope(const struct ruleset_host_view *host, uint32_t scope)
{
    return scope && (host->head.scope == scope || host->head.override_scope == scope);
}

/* The other half of `**.d` in the same scope; NULL: none. */
static const struct ruleset_host_view *find_twin(const struct dump *dump, const struct ruleset_host_view *host,
                                                 uint32_t scope, enum ruleset_host_kind kind)
{
    for (size_t i = 0; i < dump->host_count; i++) {
        const struct ruleset_host_view *other = &dump->hosts[i];

        if (other->head.kind == kind && other->head.port == host->head.port && is_in_scope(other, scope) &&
            slice_equal(other->name, host->name))
            return other;
    }
    return NULL;
}

static void print_host(struct dump *dump, const struct ruleset_host_view *host, uint32_t scope)
{
    bool is_ipv6 = host->name.size && memchr(host->name.data, ':', host->name.size);
    const char *stars = "";

    if (host->head.kind == RULESET_HOST_APEX && find_twin(dump, host, scope, RULESET_HOST_BELOW))
        return; /* it is in the `**.` */
    /* Alone, the domain of a `**.` is like its name, unless that stands in another site, where it would win. */
    if (host->head.kind == RULESET_HOST_APEX && has_exact_host(dump, host->name))
        dump->to.wrong = "rules of `**.` and of the same domain cannot be told apart any more";
    if (host->head.kind == RULESET_HOST_BELOW)
        stars = find_twin(dump, host, scope, RULESET_HOST_APEX) ? "**." : "*.";
    fprintf(dump->to.out, " %s%s%.*s%s", stars, is_ipv6 ? "[" : "", (int)host->name.size,
            host->name.size ? host->name.data : "", is_ipv6 ? "]" : "");
    if (host->head.kind == RULESET_HOST_ANY)
        putc('*', dump->to.out);
    if (host->head.port)
        fprintf(dump->to.out, ":%u", host->head.port);
}

/* hosts: NULL for those of the whole scope, else the one whose captures are written out. */
static void print_site(struct dump *dump, const struct dumped_rule *rules, size_t count, uint32_t scope,
                       bool is_override, const struct ruleset_host_view *only)
{
    const struct ruleset_header *header = &dump->to.ruleset->header;
    bool is_any = scope == header->any_scope || scope == header->any_override_scope; /* without a port */

    fputs("\nsite", dump->to.out);
    if (only)
        print_host(dump, only, scope);
    for (size_t i = 0; !only && i < dump->host_count; i++)
        if (is_in_scope(&dump->hosts[i], scope) && dump->hosts[i].head.capture_count == 0 &&
            (dump->hosts[i].head.kind != RULESET_HOST_ANY || dump->hosts[i].head.port))
            print_host(dump, &dump->hosts[i], scope);
    fputs(!only && is_any ? " * {\n" : " {\n", dump->to.out);
    if (is_override)
        fputs("    override\n", dump->to.out);
    forget_sources(dump, count);
    for (size_t i = 0; i < count && !dump->to.wrong; i++)
        if (!is_half(dump, rules, count, i))
            print_rule(dump, &rules[i], only);
    fputs("}\n", dump->to.out);
}

static void print_scope(struct dump *dump, const struct dumped_rule *rules, size_t count)
{
    const struct ruleset_header *header = &dump->to.ruleset->header;
    uint32_t index = rules[0].scope;
    struct ruleset_scope scope;
    bool has_plain = index == header->any_scope || index == header->any_override_scope, is_override;

    if (!index || !ruleset_get(dump->to.ruleset, RULESET_SCOPES, (uint64_t)index * sizeof scope, &scope, sizeof scope)) {
        dump->to.wrong = dump_damaged;
        return;
    }
    is_override = scope.flags & RULESET_SCOPE_IS_OVERRIDE;
    for (size_t i = 0; i < dump->host_count && !dump->to.wrong; i++) {
        const struct ruleset_host_view *host = &dump->hosts[i];

        if (!is_in_scope(host, index))
            continue;
        if (host->head.capture_count)
            print_site(dump, rules, count, index, is_override, host);
        else
            has_plain = true;
    }
    if (has_plain)
        print_site(dump, rules, count, index, is_override, NULL);
}

static void print_all(struct dump *dump)
{
    const struct ruleset_header *header = &dump->to.ruleset->header;
    char id[RULESET_ID_SIZE + 1];

    ruleset_id(dump->to.ruleset, id);
    fprintf(dump->to.out, "# from the rule file %s: %" PRIu64 " rules\n", id, header->rule_count);
    if (header->expect_count)
        fprintf(dump->to.out, "# %" PRIu32 " tests stood in the rules; a rule file keeps none of them\n", header->expect_count);
    fputs("let star \"*\" # a star that is sent as it is\n", dump->to.out);
    for (size_t i = 0, end; i < dump->rule_count && !dump->to.wrong; i = end) {
        for (end = i + 1; end < dump->rule_count && dump->rules[end].scope == dump->rules[i].scope; end++)
            continue;
        print_scope(dump, dump->rules + i, end - i);
    }
}

const char *dump_write(const struct ruleset *ruleset, FILE *out)
{
    struct dump dump = { .to = { .ruleset = ruleset, .out = out } };

    collect_rules(&dump);
    collect_hosts(&dump);
    if (!dump.to.wrong)
        print_all(&dump);
    if (!dump.to.wrong && dump.hidden_count)
        fprintf(out, "# %zu rules are left out: on their hosts, rules of other sites with the same source stand before them\n",
                dump.hidden_count);
    dump_word_free(&dump.to.word);
    dump_word_free(&dump.seen_text);
    free(dump.seen);
    free(dump.rules);
    free(dump.hosts);
    return dump.to.wrong;
}
