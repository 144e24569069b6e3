/* SPDX-License-Identifier: Apache-2.0 */
/* The clauses of one block -> changes of its scope. */
#ifndef RULEC_LOWER_CLAUSE_H
#define RULEC_LOWER_CLAUSE_H

#include "rulec/lower_context.h"

/* What the clauses that stand only in a table's block say. */
struct lower_table_clauses {
    const struct ast_clause *columns, *separator; /* NULL: unsaid */
    bool has_heading, has_patterns;
};

/* Changes `scope`, the copy that belongs to this block. table: NULL where the block is no table's. */
void lower_clauses(struct lower *lower, const struct ast_block *block, struct lower_scope *scope,
                   struct lower_table_clauses *table);

/* The keyword of a kind of clause. */
const char *lower_clause_name(enum ast_clause_kind kind);

/* "90s", "5m", "1h", "2d", "1w", and several of them: "1h30m". */
bool lower_duration(struct slice text, uint32_t *seconds);

/* Adds a condition to a scope's (a copy is made), sorted and without doubles. */
void lower_add_condition(struct lower *lower, struct lower_scope *scope, const struct plan_condition *condition);

#endif
