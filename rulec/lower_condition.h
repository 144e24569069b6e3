/* SPDX-License-Identifier: Apache-2.0 */
/* `when` and `unless`. */
#ifndef RULEC_LOWER_CONDITION_H
#define RULEC_LOWER_CONDITION_H

#include "rulec/lower_context.h"

/* Adds the clause's condition to the scope's, which all must hold. */
void lower_condition(struct lower *lower, struct lower_scope *scope,
                     const struct ast_clause *clause);

/* Adds a condition to a scope's (a copy is made), sorted and without doubles. */
void lower_add_condition(struct lower *lower, struct lower_scope *scope,
                         const struct plan_condition *condition);

#endif
