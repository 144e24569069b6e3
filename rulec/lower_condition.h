/* SPDX-License-Identifier: Apache-2.0 */
/* `when` and `unless` -> conditions of the scope. */
#ifndef RULEC_LOWER_CONDITION_H
#define RULEC_LOWER_CONDITION_H

#include "rulec/lower_context.h"

/* Mistakes are reported, and nothing is added then. */
void lower_condition(struct lower *lower, struct lower_scope *scope,
                     const struct ast_clause *clause);

/* Adds a condition to a scope's (a copy is made), sorted and without doubles. */
void lower_add_condition(struct lower *lower, struct lower_scope *scope,
                         const struct plan_condition *condition);

#endif
