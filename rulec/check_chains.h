/* SPDX-License-Identifier: Apache-2.0 */
/* Redirects that lead to another redirect, or to something that is gone. */
#ifndef RULEC_CHECK_CHAINS_H
#define RULEC_CHECK_CHAINS_H

#include "mod_redir307/ruleset.h"
#include "rulec/plan.h"

/* Follows the answer of every rule, in one state each. `ruleset` was made from the plan, and has no loops. */
void check_chains(const struct plan *plan, const struct ruleset *ruleset, const bool *is_met, struct diag *diag);

#endif
