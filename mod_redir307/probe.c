/* SPDX-License-Identifier: Apache-2.0 */
/* Says "no" where that is certain and cheap, else leaves everything to lookup: paths with another normal form, rules of
 * hosts and ports, rules that ignore case, and whatever may have found something. */
#include "mod_redir307/probe.h"

#include "mod_redir307/lookup_collect.h"

bool probe_shapes(const struct ruleset *rs, struct slice bare)
{
    struct lookup_walk walk;

    lookup_walk_path(rs, rs->probe.scope, bare, &walk);
    return walk.here != 0;
}

struct probe probe_path(const struct ruleset *rs, struct slice path, bool has_query)
{
    if (has_query && rs->probe.has_queries) return (struct probe){ .is_plain = url_is_plain_path(path), .may_answer = true };
    return probe_path_alone(rs, path);
}
