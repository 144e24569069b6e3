/* SPDX-License-Identifier: Apache-2.0 */
/* The beginning of every decision: what the path alone tells. Nearly all requests meet no rule, and nearly all of them
 * are told so here, by one look at the path and one line of the index, before anything else of the request is read. */
#ifndef MOD_REDIR307_PROBE_H
#define MOD_REDIR307_PROBE_H

#include "mod_redir307/ruleset.h"

/* What was found out on the way, for the rest of the decision. */
struct probe {
    bool is_plain;      /* the path is its own normal form */
    uint32_t scope;     /* whose exact rules were looked for; 0: nobody's */
    uint64_t exact_key; /* the path's hash in that scope */
};

/* False: no rule can answer a request for this path (raw, up to "?"). */
bool probe_path(const struct ruleset *ruleset, struct slice path, bool has_query, struct probe *probe);

#endif
