/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that can never fire. */
#ifndef RULEC_CHECK_HIDDEN_H
#define RULEC_CHECK_HIDDEN_H

#include "rulec/plan.h"

/* Names the rule that hides them, or the conditions that exclude each other. */
void check_hidden(const struct plan *plan, struct diag *diag);

#endif
