/* SPDX-License-Identifier: Apache-2.0 */
/* Says "no" where that is certain and cheap, else leaves everything to lookup: paths with another normal form, rules of
 * hosts and ports, rules that ignore case, and whatever may have found something. */
#include "mod_redir307/probe.h"

#include "mod_redir307/index.h"
#include "mod_redir307/lookup_collect.h"

static bool may_meet_shape(const struct ruleset *rs, struct slice bare)
{
    struct lookup_walk walk;

    lookup_walk_path(rs, rs->probe.scope, bare, &walk);
    return walk.here != 0;
}

bool probe_path(const struct ruleset *rs, struct slice path, bool has_query, struct probe *probe)
{
    struct slice bare = path;

    probe->scope = 0;
    probe->is_plain = url_is_plain_path(path);
    if (!probe->is_plain || path.size > URL_NORMAL_LIMIT || !rs->probe.scope || (has_query && rs->probe.has_queries)) {
        return true;
    }
    if (bare.size > 1 && bare.data[bare.size - 1] == '/') bare.size--;
    probe->scope = rs->probe.scope;
    probe->exact_key = hash_path(bare, rs->header.seed, probe->scope);
    return (rs->probe.has_exact && index_has(&rs->views[RULESET_EXACT_INDEX], probe->exact_key))
        || (rs->probe.has_shapes && may_meet_shape(rs, bare));
}
