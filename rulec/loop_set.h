/* SPDX-License-Identifier: Apache-2.0 */
/* What every loop through a set of rules must do, and which rules cannot do it. */
#ifndef RULEC_LOOP_SET_H
#define RULEC_LOOP_SET_H

#include "rulec/loop_edges.h"

enum { LOOP_SET_LIMIT = 2000 /* rules of a set whose queries and hosts are compared */ };

/* What all sets of one circle share. */
struct loop_sets {
    struct arena *arena;
    const struct loop_edges *edges;
    uint32_t *place; /* by rule of the edges, UINT32_MAX between two calls */
};
struct loop_set {
    uint32_t *items; /* numbers within the edges, rising */
    uint32_t count;
};

const struct plan_action *loop_set_action(const struct loop_sets *sets, uint32_t item);

/* The edges within the set alone, as in components.h, between places in it; the caller frees both. */
void loop_set_edges(const struct loop_sets *sets, const struct loop_set *set, uint32_t **first, uint32_t **to);

/* True where the source takes a parameter away that no target of the set brings back. */
bool loop_set_runs_dry(const struct loop_sets *sets, const struct loop_set *set, uint32_t item);

/* True where some target of the set names a host of the site: else a request is there from the start. */
bool loop_set_is_entered(const struct loop_sets *sets, const struct loop_set *set, uint32_t site);
/* True where all targets of the rule lead away from its hosts, and none of the set leads there. */
bool loop_set_goes_for_good(const struct loop_sets *sets, const struct loop_set *set, uint32_t item);

/* The rules of a circle that a request can come to again with the scheme it had; the caller frees its items. */
struct loop_set loop_set_with_schemes(const struct loop_sets *sets, const struct loop_set *set);

/* What happens to the path with each time round, whatever the way: it gets shorter, or longer; or there is no telling. */
enum loop_growth { LOOP_GROWTH_ANY, LOOP_GROWTH_SHRINKS, LOOP_GROWTH_ONLY };
enum loop_growth loop_set_growth(const struct loop_sets *sets, const struct loop_set *set, const uint32_t *first,
                                 const uint32_t *to);

#endif
