/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules of a circle of loop_graph can really answer where another one of them leads to: path against path, less
 * what rules that are asked before would answer. */
#ifndef RULEC_LOOP_EDGES_H
#define RULEC_LOOP_EDGES_H

#include "rulec/loop_graph.h"
#include "rulec/loop_hop.h"
#include "rulec/rule_rank.h"

struct loop_edges {
    const struct plan *plan;
    uint32_t *rules;            /* of the circle */
    uint32_t count;
    struct loop_hop *hops;      /* those of rules[i] are hops[hop_first[i]] ... hops[hop_first[i + 1] - 1] */
    uint32_t *hop_first;
    uint32_t *first, *to;       /* edges between the rules, as in components.h */
    bool is_cut_short;          /* there were too many pairs: the edges are not all of them */
};

/* Makes them for one circle; `arena` holds them. */
void loop_edges_find(struct loop_edges *edges, struct arena *arena, const struct plan *plan, struct loop_graph *graph,
                     struct rule_ranks *ranks, uint32_t circle);

#endif
