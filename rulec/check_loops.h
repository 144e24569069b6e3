/* SPDX-License-Identifier: Apache-2.0 */
/* Redirects that lead back to themselves: found by asking the engine, so with the very folding of the lookup. */
#ifndef RULEC_CHECK_LOOPS_H
#define RULEC_CHECK_LOOPS_H

#include "mod_redir307/ruleset.h"
#include "rulec/plan.h"

/* Follows the target of every rule that has a fixed one and may be met (met_targets.h), then placeholders and conditions
 * (check_pattern_loops). `ruleset` was made from the plan. */
void check_loops(const struct plan *plan, const struct ruleset *ruleset, const bool *is_met, struct diag *diag);

#endif
