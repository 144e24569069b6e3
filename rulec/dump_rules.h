/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a rule file, by scope, and each as a line of the language. Part of dump. */
#ifndef RULEC_DUMP_RULES_H
#define RULEC_DUMP_RULES_H

#include "rulec/dump_clause.h"

struct dumped_rule {
    uint32_t scope;
    uint32_t order; /* patterns: the rule's number among all that were compiled; exact ones: 0 */
    uint32_t place;
    uint64_t at;
    bool is_pattern;
};

/* All of the file: by scope, then exact ones as they lie, then patterns by order. */
struct dumped_rules {
    struct dumped_rule *items;
    size_t count, room;
};
void dump_collect_rules(struct dump_writer *writer, struct dumped_rules *rules);

/* Rules `first` up to `end` of the scope; none: both 0. */
struct dumped_range {
    const struct dumped_rule *first;
    size_t count;
};
struct dumped_range dump_scope_rules(const struct dumped_rules *rules, uint32_t scope);

/* True where `rule`, of another scope, is one of the range: a site has both scopes' hosts. The range is sorted as
 * dump_sort_by_place() does. */
void dump_sort_by_place(struct dumped_rule *rules, size_t count);
bool dump_has_rule(struct dump_writer *writer, struct dumped_range range, const struct dumped_rule *rule);

/* Sources with their conditions of the site that is written. Sites that share a host may have rules with one source:
 * the first written answers there. Where they come together in one site, the others would contradict it. */
struct dump_seen {
    struct dump_seen_source *table; /* mask + 1 of them, or NULL */
    size_t mask;
    struct dump_word text, key;
    size_t hidden_count; /* rules left out: another always answers before them */
};
/* For as many rules at most. */
void dump_seen_clear(struct dump_seen *seen, size_t rule_count);
void dump_seen_free(struct dump_seen *seen);

/* True for one of the two records of `/a/ *.ttl`, which ranks in two ways: the one for a single segment comes back with
 * the other. */
bool dump_is_half(struct dump_writer *writer, struct dumped_range range, size_t i);

/* `site` tells sites apart that are written at once. `host`: the one that captures are taken from; NULL: its name has
 * none. */
void dump_rule(struct dump_writer *writer, struct dump_seen *seen, unsigned site, const struct dumped_rule *rule,
               const struct ruleset_host_view *host);

#endif
