/* SPDX-License-Identifier: Apache-2.0 */
/* Tarjan's algorithm with a stack of its own: graphs of a million vertices are deep. */
#include "config.h"

#include "rulec/components.h"

#include "grammar/arena.h"

#include <stdlib.h>
#include <string.h>

void components_find(const uint32_t *first, const uint32_t *to, uint32_t vertex_count, uint32_t *component)
{
    uint32_t *index = memory_resize(NULL, vertex_count + 1u, sizeof *index);
    uint32_t *low = memory_resize(NULL, vertex_count + 1u, sizeof *low);
    uint32_t *next = memory_resize(NULL, vertex_count + 1u, sizeof *next);
    uint32_t *open = memory_resize(NULL, vertex_count + 1u, sizeof *open);
    uint32_t *path = memory_resize(NULL, vertex_count + 1u, sizeof *path);
    uint32_t open_count = 0, path_count = 0, counter = 0;

    memset(index, 0, (vertex_count + 1u) * sizeof *index);
    memset(component, 0, vertex_count * sizeof *component);
    for (uint32_t start = 0; start < vertex_count; start++) {
        if (index[start])
            continue;
        path[path_count++] = start;
        while (path_count) {
            uint32_t v = path[path_count - 1];

            if (!index[v]) {
                index[v] = low[v] = ++counter;
                next[v] = first[v];
                open[open_count++] = v;
            }
            if (next[v] < first[v + 1]) {
                uint32_t w = to[next[v]++];

                if (!index[w])
                    path[path_count++] = w;
                else if (!component[w] && index[w] < low[v])
                    low[v] = index[w];
                continue;
            }
            path_count--;
            if (path_count && low[v] < low[path[path_count - 1]])
                low[path[path_count - 1]] = low[v];
            if (low[v] != index[v])
                continue;
            for (uint32_t w = v + 1; w != v;) {
                w = open[--open_count];
                component[w] = v + 1;
            }
        }
    }
    free(index);
    free(low);
    free(next);
    free(open);
    free(path);
}
