/* SPDX-License-Identifier: Apache-2.0 */
/* Chains of redirects with placeholders made one. */
#ifndef RULEC_FLATTEN_PATTERN_H
#define RULEC_FLATTEN_PATTERN_H

#include "rulec/flatten.h"

struct flatten_patterns;

struct flatten_patterns *flatten_patterns_open(const struct plan *plan);
void flatten_patterns_close(struct flatten_patterns *patterns);

/* True: the rule's template leads on, whatever the request, and *change holds where to. The rule's site shares its hosts
 * with no other one but `site *`. */
bool flatten_pattern(struct flatten_patterns *patterns, uint32_t rule, struct flatten_change *change);

/* As far as status, caching, fields and conditions go, both hops may be one; not looked at: paths, and what the second
 * keeps of the query where the first keeps some. */
bool flatten_may_join(const struct plan *plan, const struct plan_rule *first, const struct plan_rule *second);

#endif
