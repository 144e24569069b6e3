/* SPDX-License-Identifier: Apache-2.0 */
/* Says "no" where that is certain and cheap, else leaves everything to lookup: paths with another normal form, rules of
 * hosts and ports, rules that ignore case, and whatever may have found something. */
#include "mod_redir307/probe.h"

#include "mod_redir307/index.h"
#include "mod_redir307/pattern.h"
#include "mod_redir307/url.h"

/* False where no rule but an exact one lives on the way to this path. */
static __attribute__((noinline)) bool may_meet_shape(const struct ruleset *rs, uint32_t scope, struct slice bare)
{
    size_t end = 0;

    for (unsigned depth = 0; depth <= PATTERN_SEGMENT_LIMIT; depth++) {
        struct index_ancestor at = index_ancestor(rs, hash_path(slice_of(bare.data, end), rs->header.seed, scope));

        if (at.is_here) return true;
        if (!at.is_above || end + 1 >= bare.size) return false;
        for (end++; end < bare.size && bare.data[end] != '/'; end++) continue;
    }
    return false;
}

bool probe_path(const struct ruleset *rs, struct slice path, bool has_query, struct probe *probe)
{
    struct ruleset_scope scope;
    struct slice bare = path;

    probe->scope = 0;
    probe->is_plain = url_is_plain_path(path);
    if (!probe->is_plain || path.size > URL_NORMAL_LIMIT || rs->header.flags & RULESET_HAS_SCOPES
        || !ruleset_get(rs, RULESET_SCOPES, (uint64_t)rs->header.any_scope * sizeof scope, &scope, sizeof scope)
        || scope.flags & RULESET_SCOPE_HAS_CASE_IGNORE || (has_query && scope.whole_shape_count)) {
        return true;
    }
    if (bare.size > 1 && bare.data[bare.size - 1] == '/') bare.size--;
    probe->scope = rs->header.any_scope;
    probe->exact_key = hash_path(bare, rs->header.seed, probe->scope);
    return (scope.flags & RULESET_SCOPE_HAS_EXACT && index_has(&rs->views[RULESET_EXACT_INDEX], probe->exact_key))
        || (scope.shape_count > scope.whole_shape_count && may_meet_shape(rs, probe->scope, bare));
}
