/* SPDX-License-Identifier: Apache-2.0 */
/* Sites to scopes. A host leads to exactly one scope; hosts that stand in the same sites share one. Where sites overlap,
 * a rule is therefore written once for each scope that its site takes part in. */
#ifndef RULEC_EMIT_SCOPES_H
#define RULEC_EMIT_SCOPES_H

#include "rulec/plan.h"

struct emit_host {
    const struct plan_host *host; /* name, kind, port */
    uint32_t scope;               /* of its usual rules; 0: none */
    uint32_t override_scope;
    struct slice *captures;       /* of all its sites, one after the other */
    uint32_t capture_count;
};

/* What a site is in one scope. */
struct emit_member {
    uint32_t scope;
    uint32_t override_scope; /* 0 where the site has no overrides */
    uint32_t capture_base;   /* the site's first capture among its hosts' */
};
struct emit_site {
    struct emit_member *members;
    uint32_t member_count;
};

struct emit_scopes {
    uint32_t scope_count; /* numbers 1..scope_count are in use */
    struct emit_host *hosts;
    uint32_t host_count;
    struct emit_site *sites; /* by the plan's site numbers */
};

/* `has_overrides`, `has_rules`: by site number, whether the site has rules of that sort. Everything lives in the arena. */
void emit_scopes_make(const struct plan *plan, const bool *has_rules, const bool *has_overrides,
                      struct emit_scopes *scopes);

#endif
