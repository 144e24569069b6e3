/* SPDX-License-Identifier: Apache-2.0 */
/* Which targets some source meets. A redirect goes on from there only, so all that follows redirects asks this first: of
 * a million targets hardly any is met. */
#ifndef RULEC_MET_TARGETS_H
#define RULEC_MET_TARGETS_H

#include "mod_redir307/ruleset.h"
#include "rulec/plan.h"

/* By rule; free() it. False: the rule has one fixed target, and no rule's source takes it, whatever the method, the
 * scheme, the time and the fields of a request are. True: it may be met. */
bool *met_targets_find(const struct plan *plan, const struct ruleset *ruleset);

#endif
