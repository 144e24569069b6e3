/* SPDX-License-Identifier: Apache-2.0 */
/* One rule, of a line or of a table's row -> the plan. */
#ifndef RULEC_LOWER_RULE_H
#define RULEC_LOWER_RULE_H

#include "rulec/lower_source.h"

struct lower_rule {
    enum lower_reading reading;
    struct lower_word source;
    bool source_is_regex;
    bool has_target;
    struct lower_word target;
    const struct ast_by *by; /* a choice instead of a target; NULL: none */
    bool has_status;         /* else the scope's */
    struct lower_status status;
    struct span status_span;
    struct span span;         /* the line or the row */
    struct slice note, owner; /* empty: the scope's */
};

/* Mistakes are reported, and the rule is left out then. The scope remembers actions it made. */
void lower_rule(struct lower *lower, struct lower_scope *scope, const struct lower_rule *rule);

#endif
