/* SPDX-License-Identifier: Apache-2.0 */
/* The paths that a rule takes, and those that it sends to, as sets. */
#ifndef RULEC_RULE_PATHS_H
#define RULEC_RULE_PATHS_H

#include "grammar/arena.h"
#include "rulec/path_set.h"
#include "rulec/target_parts.h"

/* Each puts one whole set. Where a set is not known byte by byte (a regex, a transform), it is the larger one. */
void rule_paths_put_source(struct path_sets *sets, struct arena *arena, const struct plan_rule *rule);
/* `parts`: the template's, or of the target where there is none. */
void rule_paths_put_target(struct path_sets *sets, struct arena *arena, const struct plan_rule *rule,
                           const struct plan_template *template, const struct target_parts *parts);

/* True where the set of the source is no larger than what the rule takes. */
bool rule_paths_are_exact(const struct plan_rule *rule);

#endif
