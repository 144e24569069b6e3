/* SPDX-License-Identifier: Apache-2.0 */
/* Rules for everything that take what other programs ask for. */
#ifndef RULEC_CHECK_WELL_KNOWN_H
#define RULEC_CHECK_WELL_KNOWN_H

#include "mod_redir307/ruleset.h"
#include "rulec/plan.h"

/* Asks each site for a path below /.well-known/. `ruleset` was made from the plan. */
void check_well_known(const struct plan *plan, const struct ruleset *ruleset, struct diag *diag);

#endif
