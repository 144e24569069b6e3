/* SPDX-License-Identifier: Apache-2.0 */
/* Strongly connected components of a graph: vertices that lead to each other. */
#ifndef RULEC_COMPONENTS_H
#define RULEC_COMPONENTS_H

#include <stdint.h>

/* The edges of vertex v lead to to[first[v]] ... to[first[v + 1] - 1]. component[v] is set to a number above 0 that all
 * vertices of its component share. Linear. */
void components_find(const uint32_t *first, const uint32_t *to, uint32_t vertex_count, uint32_t *component);

#endif
