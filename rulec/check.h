/* SPDX-License-Identifier: Apache-2.0 */
/* Judges the whole of a plan, after each line was judged alone. */
#ifndef RULEC_CHECK_H
#define RULEC_CHECK_H

#include "mod_redir307/ruleset.h"
#include "rulec/plan.h"

/* Runs every check whose prerequisites found no error, so that nobody reads the echo of an
 * earlier mistake. True: none of them found one. */
bool check_run(const struct plan *plan, struct diag *diag);
/* Likewise the checks that ask the file made of the plan. */
bool check_run_file(const struct plan *plan, const struct ruleset *ruleset, struct diag *diag);

#endif
