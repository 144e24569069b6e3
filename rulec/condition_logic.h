/* SPDX-License-Identifier: Apache-2.0 */
/* What conditions say about each other, whatever the request: for proofs. True is certain; false is "not certain". */
#ifndef RULEC_CONDITION_LOGIC_H
#define RULEC_CONDITION_LOGIC_H

#include "rulec/plan.h"

/* Both can never hold for one request. */
bool conditions_exclude(const struct plan *plan, const struct plan_condition *a, const struct plan_condition *b);
/* Where `strong` holds, `weak` holds. */
bool condition_implies(const struct plan *plan, const struct plan_condition *strong,
                       const struct plan_condition *weak);

/* The same for all conditions of two rules together. */
bool actions_exclude(const struct plan *plan, const struct plan_action *a, const struct plan_action *b);
bool action_implies(const struct plan *plan, const struct plan_action *strong, const struct plan_action *weak);
/* Two of the rule's own conditions exclude each other: it holds never. Sets both. */
bool action_excludes_itself(const struct plan *plan, const struct plan_action *action,
                            const struct plan_condition **first, const struct plan_condition **second);

/* Whenever those of the action hold, one of these holds: a condition and its opposite, or windows that join. Sets *used
 * of those that it takes. */
bool conditions_cover(const struct plan *plan, const struct plan_action *own,
                      const struct plan_condition *const *conditions, unsigned count, bool *used);

/* `daily` and `weekly`: does it hold at that second of a local week, from Monday on? */
bool condition_holds_in_week(const struct plan_condition *condition, uint32_t second);

/* "method", "scheme", ... as the language names it. */
const char *condition_name(enum plan_condition_kind kind);

#endif
