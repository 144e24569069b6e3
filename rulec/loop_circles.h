/* SPDX-License-Identifier: Apache-2.0 */
/* Circles of rules that nothing excludes: each could hold a loop. What is in none of them is in no loop. */
#ifndef RULEC_LOOP_CIRCLES_H
#define RULEC_LOOP_CIRCLES_H

#include "rulec/loop_edges.h"

struct loop_circle {
    const uint32_t *rules; /* numbers of the plan, rising */
    uint32_t count;
    const uint32_t *first, *to; /* edges between them, as in components.h */
    bool only_grows;       /* each time round makes the path longer: no request comes again */
    bool is_cut_short;     /* it is too large to be looked at closely: edges may be missing */
};

typedef void loop_circle_handler(void *baton, const struct loop_circle *circle);

/* Tells each circle that is left. One set of rules may be told more than once. */
void loop_circles_tell(struct arena *arena, const struct loop_edges *edges, loop_circle_handler *handler, void *baton);

#endif
