/* SPDX-License-Identifier: Apache-2.0 */
/* Answers whose status says something else than the rule. */
#ifndef RULEC_CHECK_STATUS_H
#define RULEC_CHECK_STATUS_H

#include "rulec/plan.h"

/* Request bodies that go to another origin, methods that get lost, what is permanent under conditions. */
void check_status(const struct plan *plan, struct diag *diag);
/* Both `/a` and `/a/` with different answers. */
void check_slash(const struct plan *plan, struct diag *diag);

#endif
