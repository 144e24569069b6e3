/* SPDX-License-Identifier: Apache-2.0 */
/* Each answer is for a whole set of rules, and certain whatever the way through it. */
#include "config.h"

#include "rulec/loop_set.h"

#include "rulec/components.h"

#include <stdlib.h>

enum { RELAX_LIMIT = 20000000 /* rules times edges */ };

const struct plan_action *loop_set_action(const struct loop_sets *sets, uint32_t item)
{
    const struct plan *plan = sets->edges->plan;

    return &plan->actions[plan->rules[sets->edges->rules[item]].action];
}

void loop_set_edges(const struct loop_sets *sets, const struct loop_set *set, uint32_t **first, uint32_t **to)
{
    const struct loop_edges *edges = sets->edges;
    uint32_t count = 0;

    for (uint32_t i = 0; i < set->count; i++) {
        sets->place[set->items[i]] = i;
        count += edges->first[set->items[i] + 1] - edges->first[set->items[i]];
    }
    *first = memory_resize(NULL, set->count + 2u, sizeof **first);
    *to = memory_resize(NULL, count + 1u, sizeof **to);
    count = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        (*first)[i] = count;
        for (uint32_t e = edges->first[set->items[i]]; e < edges->first[set->items[i] + 1]; e++)
            if (sets->place[edges->to[e]] != UINT32_MAX)
                (*to)[count++] = sets->place[edges->to[e]];
    }
    (*first)[set->count] = count;
    for (uint32_t i = 0; i < set->count; i++)
        sets->place[set->items[i]] = UINT32_MAX;
}

/* ---- queries ---- */

static bool any_adds(const struct loop_sets *sets, const struct loop_set *set, struct slice name)
{
    const struct loop_edges *edges = sets->edges;

    for (uint32_t i = 0; i < set->count; i++)
        for (uint32_t h = edges->hop_first[set->items[i]]; h < edges->hop_first[set->items[i] + 1]; h++)
            if (!edges->hops[h].leads_nowhere && loop_hop_may_add(sets->arena, &edges->hops[h], name))
                return true;
    return false;
}

bool loop_set_runs_dry(const struct loop_sets *sets, const struct loop_set *set, uint32_t item)
{
    const struct plan_pattern *pattern = plan_pattern(&sets->edges->plan->rules[sets->edges->rules[item]]);

    if (set->count > LOOP_SET_LIMIT)
        return false;
    for (uint32_t i = 0; pattern && i < pattern->parameter_count; i++)
        if (!any_adds(sets, set, pattern->parameters[i].name))
            return true;
    return false;
}

/* ---- length ---- */

/* How much longer the path gets at most, and at least, whatever the target. */
static void find_growth(const struct loop_sets *sets, uint32_t item, int64_t *least, int64_t *most)
{
    const struct loop_edges *edges = sets->edges;

    *least = LOOP_HOP_ENDLESS;
    *most = -LOOP_HOP_ENDLESS;
    for (uint32_t h = edges->hop_first[item]; h < edges->hop_first[item + 1]; h++) {
        const struct loop_hop *hop = &edges->hops[h];

        if (hop->leads_nowhere)
            continue;
        if (hop->grows_least < *least)
            *least = hop->grows_least;
        if (hop->grows_most > *most)
            *most = hop->grows_most;
    }
}

/* A circle of rules whose weights are all zero. */
static bool has_level_circle(const struct loop_set *set, const uint32_t *first, const uint32_t *to, const int64_t *weights)
{
    uint32_t *level_first = memory_resize(NULL, set->count + 2u, sizeof *level_first), count = 0;
    uint32_t *level_to = memory_resize(NULL, first[set->count] + 1u, sizeof *level_to);
    uint32_t *component = memory_resize(NULL, set->count + 1u, sizeof *component);
    bool *is_taken = memory_resize(NULL, set->count + 2u, sizeof *is_taken), is_found = false;

    for (uint32_t v = 0; v < set->count; v++) {
        level_first[v] = count;
        for (uint32_t e = first[v]; weights[v] == 0 && e < first[v + 1]; e++)
            if (weights[to[e]] == 0)
                level_to[count++] = to[e];
    }
    level_first[set->count] = count;
    components_find(level_first, level_to, set->count, component);
    memset(is_taken, 0, (set->count + 2u) * sizeof *is_taken);
    for (uint32_t v = 0; v < set->count && !is_found; v++) {
        is_found = is_taken[component[v]];
        is_taken[component[v]] = true;
        for (uint32_t e = level_first[v]; e < level_first[v + 1]; e++)
            is_found |= level_to[e] == v;
    }
    free(level_first);
    free(level_to);
    free(component);
    free(is_taken);
    return is_found;
}

/* True where the weights of the rules along some circle add up to zero or more (Bellman and Ford). */
static bool has_heavy_circle(const struct loop_set *set, const uint32_t *first, const uint32_t *to, const int64_t *weights)
{
    int64_t *best, heaviest = -LOOP_HOP_ENDLESS;
    bool is_changing = true;

    for (uint32_t v = 0; v < set->count; v++)
        if (weights[v] > heaviest)
            heaviest = weights[v];
    if (heaviest <= 0)
        return heaviest == 0 && has_level_circle(set, first, to, weights);
    best = memory_resize(NULL, set->count + 1u, sizeof *best);
    if ((uint64_t)set->count * first[set->count] > RELAX_LIMIT) {
        free(best);
        return true;
    }
    memset(best, 0, (set->count + 1u) * sizeof *best);
    for (uint32_t round = 0; round <= set->count && is_changing; round++) {
        is_changing = false;
        for (uint32_t v = 0; v < set->count; v++) {
            /* one more for each hop, and all of them together less than one byte: so zero counts, too */
            int64_t reached = best[v] + weights[v] * ((int64_t)set->count + 1) + 1;

            for (uint32_t e = first[v]; e < first[v + 1]; e++) {
                if (best[to[e]] >= reached)
                    continue;
                best[to[e]] = reached;
                is_changing = true;
            }
        }
    }
    free(best);
    return is_changing;
}

enum loop_growth loop_set_growth(const struct loop_sets *sets, const struct loop_set *set, const uint32_t *first,
                                const uint32_t *to)
{
    int64_t *weights = memory_resize(NULL, set->count + 1u, sizeof *weights), least, most;
    enum loop_growth growth = LOOP_GROWTH_ANY;

    for (uint32_t i = 0; i < set->count; i++) {
        find_growth(sets, set->items[i], &least, &most);
        weights[i] = most;
    }
    if (!has_heavy_circle(set, first, to, weights))
        growth = LOOP_GROWTH_SHRINKS;
    for (uint32_t i = 0; i < set->count; i++) {
        find_growth(sets, set->items[i], &least, &most);
        weights[i] = -least;
    }
    if (growth == LOOP_GROWTH_ANY && !has_heavy_circle(set, first, to, weights))
        growth = LOOP_GROWTH_ONLY;
    free(weights);
    return growth;
}

/* ---- hosts ---- */

bool loop_set_is_entered(const struct loop_sets *sets, const struct loop_set *set, uint32_t site)
{
    const struct loop_edges *edges = sets->edges;

    for (uint32_t i = 0; i < set->count; i++)
        for (uint32_t h = edges->hop_first[set->items[i]]; h < edges->hop_first[set->items[i] + 1]; h++)
            if (edges->hops[h].parts.has_authority && loop_hop_may_be_at(edges->plan, &edges->hops[h], site))
                return true;
    return false;
}

bool loop_set_goes_for_good(const struct loop_sets *sets, const struct loop_set *set, uint32_t item)
{
    const struct loop_edges *edges = sets->edges;

    for (uint32_t h = edges->hop_first[item]; h < edges->hop_first[item + 1]; h++)
        if (!edges->hops[h].leads_nowhere && !edges->hops[h].parts.has_authority)
            return false;
    return set->count <= LOOP_SET_LIMIT && !loop_set_is_entered(sets, set, loop_set_action(sets, item)->site);
}

/* ---- schemes ---- */

enum { HTTP, HTTPS, SCHEME_COUNT };

static bool takes_scheme(const struct plan_action *action, unsigned scheme)
{
    struct slice name = scheme == HTTPS ? SLICE("https") : SLICE("http");

    for (uint32_t i = 0; i < action->condition_count; i++) {
        const struct plan_condition *condition = &action->conditions[i];
        bool is_named = false;

        for (uint32_t v = 0; condition->kind == PLAN_CONDITION_SCHEME && v < condition->value_count; v++)
            is_named |= slice_equal(condition->values[v], name);
        if (condition->kind == PLAN_CONDITION_SCHEME && is_named == condition->is_unless)
            return false;
    }
    return true;
}

/* True where a target of the rule leads from one scheme to the other, or stays. */
static bool leads_to_scheme(const struct loop_sets *sets, uint32_t item, unsigned from, unsigned to)
{
    const struct loop_edges *edges = sets->edges;

    for (uint32_t h = edges->hop_first[item]; h < edges->hop_first[item + 1]; h++) {
        const struct target_parts *parts = &edges->hops[h].parts;

        if (edges->hops[h].leads_nowhere)
            continue;
        if (parts->scheme.size == 0 ? parts->has_authority || from == to : (parts->scheme.size == 5) == (to == HTTPS))
            return true;
    }
    return false;
}

/* Each rule stands twice, for each scheme that it takes. */
static void find_scheme_edges(const struct loop_sets *sets, const struct loop_set *set, const uint32_t *first,
                              const uint32_t *to, uint32_t *twice_first, uint32_t *twice_to)
{
    uint32_t count = 0;

    for (uint32_t v = 0; v < SCHEME_COUNT * set->count; v++) {
        uint32_t place = v / SCHEME_COUNT;
        unsigned scheme = v % SCHEME_COUNT;

        twice_first[v] = count;
        if (!takes_scheme(loop_set_action(sets, set->items[place]), scheme))
            continue;
        for (unsigned next = 0; next < SCHEME_COUNT; next++) {
            if (!leads_to_scheme(sets, set->items[place], scheme, next))
                continue;
            for (uint32_t e = first[place]; e < first[place + 1]; e++)
                if (takes_scheme(loop_set_action(sets, set->items[to[e]]), next))
                    twice_to[count++] = SCHEME_COUNT * to[e] + next;
        }
    }
    twice_first[SCHEME_COUNT * set->count] = count;
}

struct loop_set loop_set_with_schemes(const struct loop_sets *sets, const struct loop_set *set)
{
    uint32_t count = SCHEME_COUNT * set->count, *first, *to;
    struct loop_set kept = { .items = memory_resize(NULL, set->count + 1u, sizeof(uint32_t)) };

    loop_set_edges(sets, set, &first, &to);
    uint32_t *twice_first = memory_resize(NULL, count + 2u, sizeof *twice_first);
    uint32_t *twice_to = memory_resize(NULL, 4 * first[set->count] + 1u, sizeof *twice_to);
    uint32_t *component = memory_resize(NULL, count + 1u, sizeof *component);
    uint32_t *size = memory_resize(NULL, count + 2u, sizeof *size);
    find_scheme_edges(sets, set, first, to, twice_first, twice_to);
    components_find(twice_first, twice_to, count, component);
    memset(size, 0, (count + 2u) * sizeof *size);
    for (uint32_t v = 0; v < count; v++)
        size[component[v]]++;
    for (uint32_t v = 0; v < count; v++) {
        bool leads_back = size[component[v]] > 1;

        for (uint32_t e = twice_first[v]; e < twice_first[v + 1]; e++)
            leads_back |= twice_to[e] == v;
        uint32_t item = set->items[v / SCHEME_COUNT];
        if (leads_back && (kept.count == 0 || kept.items[kept.count - 1] != item))
            kept.items[kept.count++] = item;
    }
    free(first);
    free(to);
    free(twice_first);
    free(twice_to);
    free(component);
    free(size);
    return kept;
}
