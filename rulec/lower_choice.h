/* SPDX-License-Identifier: Apache-2.0 */
/* `by ... {...}` -> a choice of targets. */
#ifndef RULEC_LOWER_CHOICE_H
#define RULEC_LOWER_CHOICE_H

#include "rulec/lower_source.h"

/* NULL: a mistake was reported. In the arena. */
struct plan_choice *lower_choice(struct lower *lower, const struct lower_scope *scope,
                                 const struct ast_by *by, const struct lower_source *source);

#endif
