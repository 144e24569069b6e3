/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules could lead back to themselves, looked at from afar: only the fixed segments in front of sources and
 * targets count, and hosts that no `site` names. What is in no circle here leads in none. Linear in rules. */
#ifndef RULEC_LOOP_GRAPH_H
#define RULEC_LOOP_GRAPH_H

#include "rulec/plan.h"

struct loop_graph {
    uint32_t *circle;       /* by rule: number of its circle from 1; 0: none */
    uint32_t circle_count;
    uint32_t *member_first; /* by circle number: where its rules begin in `members`; one more at the end */
    uint32_t *members;
};

void loop_graph_open(struct loop_graph *graph, const struct plan *plan);
void loop_graph_close(struct loop_graph *graph);

#endif
