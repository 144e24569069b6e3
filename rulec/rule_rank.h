/* SPDX-License-Identifier: Apache-2.0 */
/* Which of two rules is asked first, and does the one that is asked answer? For proofs; docs/language.md, "Which rule
 * wins", is the law. */
#ifndef RULEC_RULE_RANK_H
#define RULEC_RULE_RANK_H

#include "rulec/emit_program.h"
#include "rulec/source_cover.h"

/* The order of the search in one site. */
enum rule_phase { RULE_PHASE_WHOLE, RULE_PHASE_EXACT, RULE_PHASE_SHAPES };

/* A source as it is ranked: `*.ttl` is two. */
struct rule_form {
    struct source_view view;
    enum rule_phase phase;
    struct slice rank; /* of all but RULE_PHASE_EXACT */
};
struct rule_forms {
    struct rule_form items[EMIT_FORM_LIMIT];
    unsigned count;
};

struct rule_ranks;

struct rule_ranks *rule_ranks_open(const struct plan *plan);
void rule_ranks_close(struct rule_ranks *ranks);
/* Made when first needed: for most rules nobody asks. */
const struct rule_forms *rule_ranks_forms(struct rule_ranks *ranks, uint32_t rule);

/* Of two forms of one site that both take a request: `a` is asked first. Overrides are not looked at. */
bool rule_form_is_before(const struct rule_form *a, uint32_t a_rule, const struct rule_form *b, uint32_t b_rule);

/* Of two rules of one site: wherever both take a request, `before` is asked first. `before` has one form. Overrides are
 * not looked at. */
bool rule_ranks_is_before(struct rule_ranks *ranks, uint32_t before, uint32_t rule);

/* True where the rule answers, or passes on, whenever its conditions hold. */
bool rule_always_answers(const struct plan_rule *rule);

#endif
