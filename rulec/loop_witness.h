/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for a request that goes round in a circle of rules, and tells it: the engine has the last word. */
#ifndef RULEC_LOOP_WITNESS_H
#define RULEC_LOOP_WITNESS_H

#include "mod_redir307/ruleset.h"
#include "rulec/loop_circles.h"
#include "rulec/loop_methods.h"
#include "rulec/loop_report.h"

struct loop_witness;

/* All four stay the caller's, and as they are, until it is closed. */
struct loop_witness *loop_witness_open(const struct plan *plan, const struct ruleset *ruleset,
                                       const struct loop_methods *methods, struct loop_report *report);
void loop_witness_close(struct loop_witness *witness);

/* True: a loop was found in the circle, or a path that grows and grows, and was told if it was not before. */
bool loop_witness_find(struct loop_witness *witness, const struct loop_circle *circle);

#endif
