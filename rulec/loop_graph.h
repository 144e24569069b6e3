/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules could lead back to themselves, looked at from afar: only fixed segments of sources and targets count
 * (loop_places), parameters with one value, and hosts in groups. What is in no circle here leads in none. Linear in rules. */
#ifndef RULEC_LOOP_GRAPH_H
#define RULEC_LOOP_GRAPH_H

#include "rulec/plan.h"

struct loop_graph {
    uint32_t *circle;       /* by rule: number of its circle from 1; 0: none */
    uint32_t circle_count;
    uint32_t *member_first; /* by circle number: where its rules begin in `members`; one more at the end */
    uint32_t *members;
    uint32_t rule_count, vertex_count; /* rules, and then the places where sources begin */
    uint32_t *first, *to, *component;  /* edges: see components.h */
    uint32_t *seen, *open, round;      /* of loop_graph_next */
};

void loop_graph_open(struct loop_graph *graph, const struct plan *plan);
/* Rules of the rule's circle whose source could meet one of its targets, in no order; `limit` of them. Returns how many
 * there are. */
uint32_t loop_graph_next(struct loop_graph *graph, uint32_t rule, uint32_t *found, uint32_t limit);
/* All rules, in a circle or not, that could be asked where the rule leads; those with the longest leads or the
 * nearest ones first, `limit` at most. */
uint32_t loop_graph_near(struct loop_graph *graph, uint32_t rule, uint32_t *found, uint32_t limit);
void loop_graph_close(struct loop_graph *graph);

#endif
