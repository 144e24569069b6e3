/* SPDX-License-Identifier: Apache-2.0 */
/* What a rule is called beyond one rule file: 64 bits made of its site, its conditions and its source. They stay the
 * same when other rules come, go or move, and when its own target or status changes. Private to the engine. */
#ifndef MOD_REDIR307_IDENTITY_H
#define MOD_REDIR307_IDENTITY_H

#include "mod_redir307/ruleset_read.h"

/* The parts that need more than one record, worked out once. */
struct identity_table {
    uint64_t action_count, regex_count;
    uint64_t *actions; /* of site and conditions */
    uint64_t *regexes; /* of their texts: their numbers change */
};

/* NULL: no memory. */
struct identity_table *identity_table_open(const struct ruleset *rs);
void identity_table_close(struct identity_table *table);

/* Never 0. One hash over the source's bytes; `table` is the ruleset's. */
uint64_t identity_of_exact(const struct identity_table *table, const struct ruleset_exact_view *rule);
uint64_t identity_of_pattern(const struct identity_table *table, const struct ruleset_pattern_view *rule);

#endif
