/* SPDX-License-Identifier: Apache-2.0 */
/* Chains of redirects made one. */
#ifndef RULEC_FLATTEN_H
#define RULEC_FLATTEN_H

#include "mod_redir307/ruleset.h"
#include "rulec/plan.h"

struct flatten_change {
    uint32_t rule;
    struct slice before, after; /* its target, as it is written */
    struct plan_template *template; /* the new one, where it has placeholders; else NULL */
    unsigned hops;              /* that became one */
};
struct flatten_changes {
    struct flatten_change *items;
    size_t count, room;
};

/* Writes into each rule where its chain ends, as far as every client would come there anyhow and with the same meaning. `ruleset` was made from the plan as it is, and has no loops; it fits the plan no more then.
 * *changes begins empty; its items are freed with flatten_free. */
void flatten(struct plan *plan, const struct ruleset *ruleset, struct flatten_changes *changes);
void flatten_free(struct flatten_changes *changes);

#endif
