/* SPDX-License-Identifier: Apache-2.0 */
/* Loops over placeholders and conditions. */
#ifndef RULEC_CHECK_PATTERN_LOOPS_H
#define RULEC_CHECK_PATTERN_LOOPS_H

#include "mod_redir307/ruleset.h"
#include "rulec/loop_methods.h"
#include "rulec/loop_report.h"

/* Follows what check_loops cannot: targets with placeholders, rules under conditions. `ruleset` was made from the plan. */
void check_pattern_loops(const struct plan *plan, const struct ruleset *ruleset, const struct loop_methods *methods,
                         struct loop_report *report);

#endif
