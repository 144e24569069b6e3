/* SPDX-License-Identifier: Apache-2.0 */
/* What happens behind a rule: who follows its answer, where does the next one lead? Asked in the plainest state in
 * which the rule answers: GET over http on its site's first host, without fields, at the time of the clock. */
#ifndef RULEC_HOPS_H
#define RULEC_HOPS_H

#include "mod_redir307/ruleset.h"
#include "rulec/follow.h"
#include "rulec/plan.h"

enum { HOPS_LIMIT = 64, HOPS_NO_RULE = UINT32_MAX };

struct hop {
    uint32_t rule;      /* that answered; HOPS_NO_RULE: none */
    unsigned status;    /* of its answer; 0: passed on */
    bool is_upgrade;    /* http became https and nothing else changed */
    struct slice location; /* as sent; until the next step */
};

struct hops;

struct hops *hops_open(const struct plan *plan, const struct ruleset *ruleset);
void hops_close(struct hops *hops);

/* Goes to where the rule leads. A rule with placeholders is asked for a URL of its source. False: nowhere that the
 * rules know of, or another rule answers. */
bool hops_start(struct hops *hops, uint32_t rule);
/* Asks for the present URL. True: a redirect, which was followed. False: the walk ends here; *hop says why. */
bool hops_step(struct hops *hops, struct hop *hop);
/* The present URL, without its host where the rules do not name it. */
void hops_url(const struct hops *hops, char *buffer, size_t size);

#endif
