/* SPDX-License-Identifier: Apache-2.0 */
/* Says of a loop what it takes to mend it: the shortest URL that goes round, each hop, the `pass` that would end it. */
#ifndef RULEC_LOOP_REPORT_H
#define RULEC_LOOP_REPORT_H

#include "rulec/follow.h"
#include "rulec/plan.h"

enum { LOOP_URL_SIZE = 512 };

struct loop_report {
    const struct plan *plan;
    struct diag *diag;
    struct rule_places *places; /* made when first needed */
    bool *is_reported;          /* by rule: a loop through it was told */
};

void loop_report_open(struct loop_report *report, const struct plan *plan, struct diag *diag);
void loop_report_close(struct loop_report *report);

/* The present URL; rules outside any site answer for every host, so theirs is not named. */
void loop_report_url(const struct follow *follow, char buffer[LOOP_URL_SIZE]);
/* The rule that gave the last answer; RULE_PLACES_NONE: unknown. */
uint32_t loop_report_rule(struct loop_report *report, const struct follow *follow);

/* From a state that comes again; told once for each loop, and where luck decides as undecided. */
void loop_report_tell(struct loop_report *report, struct follow *follow);
/* A request for `url` whose path had `first_size` bytes is still sent on after so many hops through these rules. */
void loop_report_growth(struct loop_report *report, const struct follow *follow, const uint32_t *rules, unsigned hops,
                        const char *url, size_t first_size);

#endif
