/* SPDX-License-Identifier: Apache-2.0 */
/* Tree to plan: clauses resolved per block, sources, targets, hosts and tables in their
 * normal forms. */
#ifndef RULEC_LOWER_H
#define RULEC_LOWER_H

#include "grammar/ast.h"
#include "rulec/plan.h"

/* Mistakes are messages of `diag`; the plan then holds what could be understood. */
void lower(const struct ast *ast, struct diag *diag, struct plan *plan);

#endif
