/* SPDX-License-Identifier: Apache-2.0 */
/* A table -> one rule a row. A row costs no node of the tree. */
#ifndef RULEC_LOWER_TABLE_H
#define RULEC_LOWER_TABLE_H

#include "rulec/lower_context.h"

/* `scope` is the one around the table. */
void lower_table(struct lower *lower, const struct lower_scope *scope,
                 const struct ast_table *table);

#endif
