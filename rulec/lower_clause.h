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

/* Changes `scope`, the copy that belongs to this block. table: NULL where the block is no
 * table's. */
void lower_clauses(struct lower *lower, const struct ast_block *block,
                   struct lower_scope *scope, struct lower_table_clauses *table);

/* The keyword of a kind of clause. */
const char *lower_clause_name(enum ast_clause_kind kind);

#endif
