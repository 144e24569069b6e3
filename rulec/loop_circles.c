/* SPDX-License-Identifier: Apache-2.0 */
/* A loop is one request state that comes again. So its rules lead to each other; their conditions on what does not
 * change from hop to hop hold together; the method stays, for a GET never becomes another one; a parameter that a
 * source takes away is brought back by some target; and the path gets as much longer as it gets shorter. Whatever of
 * these fails takes rules out, and what is left is looked at again. */
#include "config.h"

#include "rulec/loop_circles.h"

#include "rulec/components.h"
#include "rulec/condition_logic.h"
#include "rulec/loop_methods.h"
#include "rulec/loop_set.h"

#include <stdlib.h>

enum {
    SPLIT_LIMIT = 256,       /* sets of rules that one circle is taken apart into */
    ACTION_LIMIT = 128       /* different conditions in one set that are compared */
};

struct search {
    struct loop_sets sets;
    loop_circle_handler *handler;
    void *baton;
    unsigned split_count;
    bool is_method_known; /* in the present set, all conditions on the method hold */
};

static void look_at(struct search *search, const struct loop_set *set);

/* ---- taking a set apart ---- */

/* What of a request stays the same along every walk through the set. */
struct constants {
    bool has_scheme, has_query;
};

struct filter {
    bool (*keeps)(const struct search *search, const struct filter *filter, const struct loop_set *set, uint32_t item);
    uint32_t action;      /* number in the plan */
    struct constants constants;
    struct slice method;
};

static struct loop_set filtered(const struct search *search, const struct loop_set *set, const struct filter *filter)
{
    struct loop_set kept = { .items = memory_resize(NULL, set->count + 1u, sizeof(uint32_t)) };

    for (uint32_t i = 0; i < set->count; i++)
        if (filter->keeps(search, filter, set, set->items[i]))
            kept.items[kept.count++] = set->items[i];
    return kept;
}

static void look_at_filtered(struct search *search, const struct loop_set *set, const struct filter *filter)
{
    struct loop_set kept = filtered(search, set, filter);

    look_at(search, &kept);
    free(kept.items);
}

static bool is_get(struct slice method) { return slice_equal(method, SLICE("GET")); }

static bool takes_method(const struct plan_condition *condition, struct slice method)
{
    bool is_named = false;

    for (uint32_t i = 0; i < condition->value_count; i++)
        is_named |= slice_equal(condition->values[i], method) ||
                    (is_get(method) && slice_equal(condition->values[i], SLICE("HEAD")));
    return is_named != condition->is_unless;
}

static bool changes_method(uint16_t status, struct slice method)
{
    return !is_get(method) && (status == 303 || ((status == 301 || status == 302) && slice_equal(method, SLICE("POST"))));
}

static bool keeps_method(const struct search *search, const struct filter *filter, const struct loop_set *set, uint32_t item)
{
    const struct plan_action *action = loop_set_action(&search->sets, item);
    const struct plan_rule *rule = &search->sets.edges->plan->rules[search->sets.edges->rules[item]];
    (void)set;

    for (uint32_t i = 0; i < action->condition_count; i++)
        if (action->conditions[i].kind == PLAN_CONDITION_METHOD && !takes_method(&action->conditions[i], filter->method))
            return false;
    return plan_choice(rule) || !changes_method(action->status_other, filter->method);
}

/* Those that the set's conditions tell apart. False: none is asked for, or too many. */
static bool find_methods(const struct search *search, const struct loop_set *set, struct loop_methods *methods)
{
    loop_methods_init(methods);
    for (uint32_t i = 0; i < set->count; i++) {
        const struct plan_action *action = loop_set_action(&search->sets, set->items[i]);

        for (uint32_t k = 0; k < action->condition_count; k++)
            if (action->conditions[k].kind == PLAN_CONDITION_METHOD)
                loop_methods_add(methods, action->conditions[k].values, action->conditions[k].value_count);
    }
    return methods->count > 1 && !methods->is_cut_short;
}

static struct constants find_constants(const struct search *search, const struct loop_set *set)
{
    const struct loop_edges *edges = search->sets.edges;
    struct constants constants = { true, true };

    for (uint32_t i = 0; i < set->count; i++) {
        const struct plan_rule *rule = &edges->plan->rules[edges->rules[set->items[i]]];

        constants.has_query &= loop_set_action(&search->sets, set->items[i])->query.kind == PLAN_QUERY_KEEP &&
                               !(plan_pattern(rule) && plan_pattern(rule)->parameter_count);
        for (uint32_t h = edges->hop_first[set->items[i]]; h < edges->hop_first[set->items[i] + 1]; h++) {
            const struct target_parts *parts = &edges->hops[h].parts;

            constants.has_query &= !parts->has_query;
            constants.has_scheme &= !parts->has_authority && !parts->is_https;
        }
    }
    return constants;
}

static bool is_constant(const struct constants *constants, enum plan_condition_kind kind)
{
    switch (kind) {
    case PLAN_CONDITION_METHOD:
        return false;
    case PLAN_CONDITION_SCHEME:
        return constants->has_scheme;
    case PLAN_CONDITION_QUERY:
        return constants->has_query;
    default:
        return true;
    }
}

/* Both have hosts of their own, and to one of them no target leads from elsewhere. */
static bool are_apart(const struct search *search, const struct loop_set *set, uint32_t left, uint32_t right)
{
    const struct plan *plan = search->sets.edges->plan;

    if (left == right || loop_sites_meet(&plan->sites[left], &plan->sites[right]))
        return false;
    return !loop_set_is_entered(&search->sets, set, left) || !loop_set_is_entered(&search->sets, set, right);
}

static bool excludes(const struct search *search, const struct loop_set *set, const struct constants *constants,
                     uint32_t left, uint32_t right)
{
    const struct plan *plan = search->sets.edges->plan;
    const struct plan_action *a = &plan->actions[left], *b = &plan->actions[right];

    if (set->count <= LOOP_SET_LIMIT && are_apart(search, set, a->site, b->site))
        return true;
    for (uint32_t i = 0; i < a->condition_count; i++)
        for (uint32_t k = 0; k < b->condition_count; k++)
            if (is_constant(constants, a->conditions[i].kind) &&
                conditions_exclude(plan, &a->conditions[i], &b->conditions[k]))
                return true;
    return false;
}

static bool keeps_others(const struct search *search, const struct filter *filter, const struct loop_set *set, uint32_t item)
{
    (void)set;
    return search->sets.edges->plan->rules[search->sets.edges->rules[item]].action != filter->action;
}

static bool keeps_friends(const struct search *search, const struct filter *filter, const struct loop_set *set, uint32_t item)
{
    return !excludes(search, set, &filter->constants, filter->action, search->sets.edges->plan->rules[search->sets.edges->rules[item]].action);
}

/* The action that excludes most others in the set. False: none excludes another. */
static bool find_divider(const struct search *search, const struct loop_set *set, uint32_t *action)
{
    const struct plan *plan = search->sets.edges->plan;
    struct constants constants = find_constants(search, set);
    uint32_t actions[ACTION_LIMIT];
    unsigned count = 0, best = 0;

    for (uint32_t i = 0; i < set->count; i++) {
        uint32_t own = plan->rules[search->sets.edges->rules[set->items[i]]].action;
        bool is_known = false;

        for (unsigned k = 0; k < count && !is_known; k++)
            is_known = actions[k] == own;
        if (is_known)
            continue;
        if (count == ACTION_LIMIT)
            return false;
        actions[count++] = own;
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned excluded = 0;

        for (unsigned k = 0; k < count; k++)
            excluded += excludes(search, set, &constants, actions[i], actions[k]);
        if (excluded <= best)
            continue;
        best = excluded;
        *action = actions[i];
    }
    return best > 0;
}

static bool keeps_able(const struct search *search, const struct filter *filter, const struct loop_set *set, uint32_t item)
{
    (void)filter;
    return !loop_set_runs_dry(&search->sets, set, item) && !loop_set_goes_for_good(&search->sets, set, item);
}

/* ---- one circle ---- */

static void tell(struct search *search, const struct loop_set *set, bool only_grows, bool is_cut_short)
{
    uint32_t *rules = memory_resize(NULL, set->count + 1u, sizeof *rules), *first, *to;

    loop_set_edges(&search->sets, set, &first, &to);
    struct loop_circle circle = { .rules = rules, .count = set->count, .first = first, .to = to, .only_grows = only_grows,
                                  .is_cut_short = is_cut_short };

    for (uint32_t i = 0; i < set->count; i++)
        rules[i] = search->sets.edges->rules[set->items[i]];
    search->handler(search->baton, &circle);
    free(rules);
    free(first);
    free(to);
}

/* All that the conditions on the method let through, method by method. */
static void split_by_method(struct search *search, const struct loop_set *set, const struct loop_methods *methods)
{
    search->is_method_known = true;
    for (unsigned i = 0; i < methods->count; i++)
        look_at_filtered(search, set, &(struct filter){ .keeps = keeps_method, .method = methods->items[i] });
    search->is_method_known = false;
}

/* `set` is one circle. */
static void judge(struct search *search, const struct loop_set *set)
{
    struct loop_methods methods;
    struct loop_set able = filtered(search, set, &(struct filter){ .keeps = keeps_able });
    struct loop_set kept = loop_set_with_schemes(&search->sets, &able);
    uint32_t *first, *to, divider;
    enum loop_growth growth;

    free(able.items);
    if (kept.count < set->count) {
        look_at(search, &kept);
        free(kept.items);
        return;
    }
    free(kept.items);
    loop_set_edges(&search->sets, set, &first, &to);
    growth = loop_set_growth(&search->sets, set, first, to);
    free(first);
    free(to);
    if (growth == LOOP_GROWTH_SHRINKS)
        return;
    if (search->split_count++ >= SPLIT_LIMIT) {
        tell(search, set, growth == LOOP_GROWTH_ONLY, true);
        return;
    }
    if (!search->is_method_known && find_methods(search, set, &methods)) {
        split_by_method(search, set, &methods);
    } else if (find_divider(search, set, &divider)) {
        look_at_filtered(search, set, &(struct filter){ .keeps = keeps_friends, .action = divider,
                                                        .constants = find_constants(search, set) });
        look_at_filtered(search, set, &(struct filter){ .keeps = keeps_others, .action = divider });
    } else {
        tell(search, set, growth == LOOP_GROWTH_ONLY, false);
    }
}

/* Numbers from 1 to `count`: for each the places that have it, one behind the other. */
static void sort_by_component(const uint32_t *component, uint32_t count, uint32_t **first, uint32_t **sorted)
{
    *first = memory_resize(NULL, count + 3u, sizeof **first);
    *sorted = memory_resize(NULL, count + 1u, sizeof **sorted);
    memset(*first, 0, (count + 3u) * sizeof **first);
    for (uint32_t i = 0; i < count; i++)
        (*first)[component[i] + 2]++;
    for (uint32_t c = 2; c < count + 3; c++)
        (*first)[c] += (*first)[c - 1];
    for (uint32_t i = 0; i < count; i++)
        (*sorted)[(*first)[component[i] + 1]++] = i;
}

static void look_at(struct search *search, const struct loop_set *set)
{
    uint32_t *first, *to, *component, *from, *sorted;
    struct loop_set circle = { .items = memory_resize(NULL, set->count + 1u, sizeof(uint32_t)) };

    loop_set_edges(&search->sets, set, &first, &to);
    component = memory_resize(NULL, set->count + 1u, sizeof *component);
    components_find(first, to, set->count, component);
    sort_by_component(component, set->count, &from, &sorted);
    for (uint32_t c = 1; c <= set->count; c++) {
        bool leads_back = from[c + 1] - from[c] > 1;

        circle.count = 0;
        for (uint32_t i = from[c]; i < from[c + 1]; i++)
            circle.items[circle.count++] = set->items[sorted[i]];
        for (uint32_t i = from[c]; i < from[c + 1] && !leads_back; i++)
            for (uint32_t e = first[sorted[i]]; e < first[sorted[i] + 1]; e++)
                leads_back |= to[e] == sorted[i];
        if (leads_back)
            judge(search, &circle);
    }
    free(first);
    free(to);
    free(component);
    free(from);
    free(sorted);
    free(circle.items);
}

void loop_circles_tell(struct arena *arena, const struct loop_edges *edges, loop_circle_handler *handler, void *baton)
{
    struct search search = { .sets = { .arena = arena, .edges = edges }, .handler = handler, .baton = baton };
    struct loop_set all = { .items = memory_resize(NULL, edges->count + 1u, sizeof(uint32_t)), .count = edges->count };

    search.sets.place = memory_resize(NULL, edges->count + 1u, sizeof *search.sets.place);
    for (uint32_t i = 0; i < edges->count; i++) {
        all.items[i] = i;
        search.sets.place[i] = UINT32_MAX;
    }
    if (edges->is_cut_short)
        tell(&search, &all, false, true);
    else
        look_at(&search, &all);
    free(search.sets.place);
    free(all.items);
}
