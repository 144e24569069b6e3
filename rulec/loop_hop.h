/* SPDX-License-Identifier: Apache-2.0 */
/* What is certain about the request that follows a rule's answer: its scheme and host, its query, its length. */
#ifndef RULEC_LOOP_HOP_H
#define RULEC_LOOP_HOP_H

#include "mod_redir307/url.h"
#include "rulec/target_parts.h"

/* One target of one rule. */
struct loop_hop {
    uint32_t rule;
    const struct plan_template *template;
    bool leads_nowhere;       /* a status without a target */
    struct target_parts parts;
    int64_t grows_least, grows_most; /* bytes of the path, without its last slash */
};

enum { LOOP_HOP_ENDLESS = 1 << 24 }; /* more than any path has bytes */

/* False: the rule has no such line. */
bool loop_hop_of(struct arena *arena, const struct plan *plan, uint32_t rule, uint32_t line, struct loop_hop *hop);

/* False where a request that the hop leads to is certainly none for the other rule: by host, by scheme, by query. */
bool loop_hop_may_ask(struct arena *arena, const struct plan *plan, const struct loop_hop *hop, uint32_t rule);
/* The first of these alone: could the request be for a host of the site? */
bool loop_hop_may_be_at(const struct plan *plan, const struct loop_hop *hop, uint32_t site);
/* True where the request may have the parameter: the target's own, or one that was sent and is kept. *value: it is
 * there once and is this, decoded (in the arena); data NULL: it may be anything. */
bool loop_hop_may_have(struct arena *arena, const struct plan *plan, const struct loop_hop *hop, struct slice name,
                       struct slice *value);
/* True where the parameter may stand in the query of the hop's target itself. */
bool loop_hop_may_add(struct arena *arena, const struct loop_hop *hop, struct slice name);

/* The host and port that a target names. False: it names none, or one of several. */
bool loop_hop_host(const struct loop_hop *hop, char buffer[URL_HOST_LIMIT + 1], struct plan_host *host);
/* True where both sites have a host in common. */
bool loop_sites_meet(const struct plan_site *a, const struct plan_site *b);

#endif
