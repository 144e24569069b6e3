/* SPDX-License-Identifier: Apache-2.0 */
/* Rules with the same source. */
#ifndef RULEC_CHECK_SAME_H
#define RULEC_CHECK_SAME_H

#include "rulec/plan.h"

/* Same source and conditions: with different answers an error, with the same one a warning. */
void check_same(const struct plan *plan, struct diag *diag);

#endif
