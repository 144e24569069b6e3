/* SPDX-License-Identifier: Apache-2.0 */
/* Sources between which only the order of the lines decides. */
#ifndef RULEC_CHECK_RANK_H
#define RULEC_CHECK_RANK_H

#include "rulec/plan.h"

/* Warns of two sources of equal rank that take one URL and answer differently. */
void check_rank(const struct plan *plan, struct diag *diag);

#endif
