/* SPDX-License-Identifier: Apache-2.0 */
/* The beginning of every decision: what the path alone tells. Nearly all requests meet no rule, and nearly all of them
 * are told so here, by one look at the path and one line of the index, before anything else of the request is read. */
#ifndef MOD_REDIR307_PROBE_H
#define MOD_REDIR307_PROBE_H

#include "mod_redir307/index.h"
#include "mod_redir307/url.h"
#include "mod_redir307/url_scan.h"

/* Small enough to be handed on in registers. */
struct probe {
    uint64_t exact_key; /* the path's hash in that scope */
    uint32_t scope;     /* whose exact rules were looked for; 0: nobody's */
    bool is_plain;      /* the path is its own normal form */
    bool may_answer;    /* false: no rule can answer a request for this path */
};

/* True where a shape may have its lead in this path, which is its own normal form, without a trailing slash. */
bool probe_shapes(const struct ruleset *rs, struct slice bare);

/* `path` is raw, and all of the target. Inline: of a request that meets no rule this is nearly all. */
static inline struct probe probe_path_alone(const struct ruleset *rs, struct slice path)
{
    struct probe probe = { .is_plain = url_is_usual_path(path) || url_is_plain_path(path), .may_answer = true };

    if (!probe.is_plain || !rs->probe.scope) return probe;
    path = url_without_last_slash(path);
    probe.scope = rs->probe.scope;
    probe.exact_key = hash_bytes(path, rs->probe.seed);
    probe.may_answer = index_has(&rs->views[RULESET_EXACT_INDEX], probe.exact_key)
                    || (rs->probe.has_shapes && probe_shapes(rs, path));
    return probe;
}

/* `path` is raw, up to "?". */
struct probe probe_path(const struct ruleset *rs, struct slice path, bool has_query);

#endif
