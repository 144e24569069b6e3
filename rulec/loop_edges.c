/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs that the graph lets through are compared: what is cheap first, then the paths as sets, then those less the
 * sources of rules that come before. An edge that is left out is certainly none. */
#include "config.h"

#include "rulec/loop_edges.h"

#include "rulec/condition_logic.h"
#include "rulec/path_set.h"
#include "rulec/rule_paths.h"
#include "rulec/site_groups.h"

#include <stdlib.h>

enum {
    PAIR_LIMIT = 400000,   /* pairs of one circle whose paths are compared */
    LOOK_LIMIT = 20000000, /* pairs of one circle that are looked at */
    NAME_LIMIT = 64,       /* parameters of a circle that are asked for by name */
    NEAR_LIMIT = 64,       /* rules that are looked at for being asked before */
    BEFORE_LIMIT = 32,     /* and that are */
    FEW = 2                /* tried at first */
};

struct finder {
    struct loop_edges *edges;
    const struct plan *plan;
    struct arena *arena;
    struct loop_graph *graph;
    struct rule_ranks *ranks;
    struct path_sets sets;
    uint32_t *local;       /* by rule: its number in the circle */
    uint32_t near[NEAR_LIMIT], near_count;
    bool has_near;         /* for the rule at hand */
    bool *is_unasked;      /* by number: no rule of the circle brings a parameter that it wants */
    uint32_t pair_count, look_count;
    uint32_t to_room, to_count;
};

static bool is_constant(enum plan_condition_kind kind)
{
    return kind != PLAN_CONDITION_METHOD && kind != PLAN_CONDITION_SCHEME && kind != PLAN_CONDITION_QUERY;
}

/* What holds for one request of a walk holds for all of it, but for method, scheme and query. */
static bool excludes(const struct plan *plan, const struct plan_action *a, const struct plan_action *b)
{
    for (uint32_t i = 0; i < a->condition_count; i++)
        for (uint32_t k = 0; k < b->condition_count; k++)
            if (is_constant(a->conditions[i].kind) && conditions_exclude(plan, &a->conditions[i], &b->conditions[k]))
                return true;
    return false;
}

/* ---- rules that are asked before ---- */

static bool has_open_host(const struct plan_site *site)
{
    for (uint32_t i = 0; i < site->host_count; i++)
        if (site->hosts[i].kind == PLAN_HOST_ANY || site->hosts[i].kind == PLAN_HOST_BELOW)
            return true;
    return false;
}

/* True where the site has every host that the hop can lead to. */
static bool has_all_hosts(const struct plan *plan, const struct loop_hop *hop, uint32_t site)
{
    char buffer[URL_HOST_LIMIT + 1];
    struct plan_host host;
    bool has_host = false;

    if (site == 0 || (!hop->parts.has_authority && plan->actions[plan->rules[hop->rule].action].site == site))
        return true;
    if (!loop_hop_host(hop, buffer, &host))
        return false;
    for (uint32_t i = 0; i < plan->sites[site].host_count; i++) {
        const struct plan_host *own = &plan->sites[site].hosts[i];

        has_host |= own->kind == PLAN_HOST_EXACT && (own->port == 0 || own->port == host.port) &&
                    slice_equal(own->name, host.name);
    }
    return has_host;
}

static bool site_comes_first(struct finder *finder, const struct loop_hop *hop, uint32_t before, uint32_t rule)
{
    const struct plan *plan = finder->plan;
    const struct plan_action *a = &plan->actions[plan->rules[before].action];
    const struct plan_action *b = &plan->actions[plan->rules[rule].action];

    if (a->is_override != b->is_override)
        return a->is_override && (a->site == b->site || has_all_hosts(plan, hop, a->site));
    if (a->site == b->site || site_has_all_hosts(&plan->sites[a->site], &plan->sites[b->site]))
        return rule_ranks_is_before(finder->ranks, before, rule);
    return b->site == 0 && !has_open_host(&plan->sites[a->site]) && has_all_hosts(plan, hop, a->site);
}

/* Its conditions hold whenever those of the other rule hold, where the hop has led. */
static bool holds_too(const struct plan *plan, const struct loop_hop *hop, const struct plan_action *before,
                      const struct plan_action *action)
{
    const struct plan_action *own = &plan->actions[plan->rules[hop->rule].action];

    for (uint32_t i = 0; i < before->condition_count; i++) {
        const struct plan_condition *weak = &before->conditions[i];
        bool is_implied = false;

        for (uint32_t k = 0; k < action->condition_count && !is_implied; k++)
            is_implied = condition_implies(plan, &action->conditions[k], weak);
        for (uint32_t k = 0; k < own->condition_count && !is_implied; k++)
            is_implied = is_constant(weak->kind) && condition_implies(plan, &own->conditions[k], weak);
        if (!is_implied)
            return false;
    }
    return true;
}

static bool comes_before(struct finder *finder, const struct loop_hop *hop, uint32_t before, uint32_t rule)
{
    const struct plan *plan = finder->plan;
    const struct plan_rule *other = &plan->rules[before];
    const struct plan_action *a = &plan->actions[other->action];
    const struct plan_action *b = &plan->actions[plan->rules[rule].action];

    return before != rule && rule_paths_are_exact(other) && rule_always_answers(other) &&
           !(b->redirects_preflight && !a->redirects_preflight && !a->is_pass) && holds_too(plan, hop, a, b) &&
           site_comes_first(finder, hop, before, rule);
}

/* How much of the tree a source stands for, roughly: the less the more. */
static uint32_t depth_of(const struct plan_rule *rule)
{
    const struct plan_pattern *pattern = plan_pattern(rule);

    return pattern ? pattern->head_count + (pattern->tail == PLAN_TAIL_NONE) : (uint32_t)PLAN_SEGMENT_LIMIT;
}

/* Rules that are asked before `rule` where the hop leads, those that take most first. */
static unsigned find_before(struct finder *finder, const struct loop_hop *hop, uint32_t rule,
                            uint32_t before[BEFORE_LIMIT])
{
    const struct plan_rule *rules = finder->plan->rules;
    unsigned count = 0;

    if (!finder->has_near)
        finder->near_count = loop_graph_near(finder->graph, hop->rule, finder->near, NEAR_LIMIT);
    finder->has_near = true;
    for (uint32_t i = 0; i < finder->near_count && count < BEFORE_LIMIT; i++) {
        unsigned at = count;

        if (!comes_before(finder, hop, finder->near[i], rule))
            continue;
        for (; at > 0 && depth_of(&rules[before[at - 1]]) > depth_of(&rules[finder->near[i]]); at--)
            before[at] = before[at - 1];
        before[at] = finder->near[i];
        count++;
    }
    return count;
}

/* ---- edges ---- */

/* The hop's paths that the rule takes, less those of some rules: is there one? */
static bool meets(struct finder *finder, const struct loop_hop *hop, uint32_t rule, const uint32_t *before,
                  unsigned before_count)
{
    const struct plan_rule *rules = finder->plan->rules;
    struct path_sets *sets = &finder->sets;

    path_sets_clear(sets);
    rule_paths_put_target(sets, finder->arena, &rules[hop->rule], hop->template, &hop->parts);
    rule_paths_put_source(sets, finder->arena, &rules[rule]);
    for (unsigned i = 0; i < before_count; i++)
        rule_paths_put_source(sets, finder->arena, &rules[before[i]]);
    return path_sets_meet(sets);
}

static bool leads_to(struct finder *finder, const struct loop_hop *hop, uint32_t rule)
{
    uint32_t before[BEFORE_LIMIT];
    unsigned count;

    if (hop->leads_nowhere || !loop_hop_may_ask(finder->arena, finder->plan, hop, rule))
        return false;
    if (finder->pair_count++ >= PAIR_LIMIT) {
        finder->edges->is_cut_short = true;
        return false;
    }
    if (!meets(finder, hop, rule, NULL, 0))
        return false;
    /* mostly one rule takes it all */
    count = find_before(finder, hop, rule, before);
    if (count > FEW && !meets(finder, hop, rule, before, FEW))
        return false;
    return count == 0 || meets(finder, hop, rule, before, count);
}

static void add_edge(struct finder *finder, uint32_t to)
{
    if (finder->to_count == finder->to_room) {
        uint32_t *larger = arena_array(finder->arena, 2 * finder->to_room, sizeof *larger);

        memcpy(larger, finder->edges->to, finder->to_count * sizeof *larger);
        finder->edges->to = larger;
        finder->to_room *= 2;
    }
    finder->edges->to[finder->to_count++] = to;
}

static void find_edges_of(struct finder *finder, uint32_t number, uint32_t *found)
{
    struct loop_edges *edges = finder->edges;
    const struct plan *plan = finder->plan;
    const struct plan_action *action = &plan->actions[plan->rules[edges->rules[number]].action];
    uint32_t count = 0;

    if (!edges->is_cut_short && !finder->is_unasked[number])
        count = loop_graph_next(finder->graph, edges->rules[number], found, edges->count);
    finder->has_near = false;
    if (finder->look_count + count > LOOK_LIMIT)
        edges->is_cut_short = true;
    finder->look_count += count;
    for (uint32_t i = 0; i < count && !edges->is_cut_short; i++) {
        uint32_t rule = found[i];
        bool is_edge = false;

        if (finder->is_unasked[finder->local[rule]] || excludes(plan, action, &plan->actions[plan->rules[rule].action]))
            continue;
        for (uint32_t h = edges->hop_first[number]; h < edges->hop_first[number + 1] && !is_edge; h++)
            is_edge = leads_to(finder, &edges->hops[h], rule);
        if (is_edge)
            add_edge(finder, finder->local[rule]);
    }
}

/* ---- parameters that nobody brings ---- */

static bool somebody_brings(struct finder *finder, struct slice name)
{
    const struct loop_edges *edges = finder->edges;
    struct slice value;

    for (uint32_t h = 0; h < edges->hop_first[edges->count]; h++)
        if (!edges->hops[h].leads_nowhere && loop_hop_may_have(finder->arena, finder->plan, &edges->hops[h], name, &value))
            return true;
    return false;
}

/* Thousands of rules as `/q?id=7 -> /q` lead to each other by their paths, and never do: each takes the `id` away. */
static void find_unasked(struct finder *finder)
{
    const struct loop_edges *edges = finder->edges;
    struct {
        struct slice name;
        bool is_brought;
    } names[NAME_LIMIT];
    unsigned count = 0;

    finder->is_unasked = arena_array(finder->arena, edges->count + 1u, sizeof *finder->is_unasked);
    memset(finder->is_unasked, 0, edges->count + 1u);
    for (uint32_t i = 0; i < edges->count; i++) {
        const struct plan_pattern *pattern = plan_pattern(&finder->plan->rules[edges->rules[i]]);

        for (uint32_t k = 0; pattern && k < pattern->parameter_count && !finder->is_unasked[i]; k++) {
            struct slice name = pattern->parameters[k].name;
            unsigned at = 0;

            while (at < count && !slice_equal(names[at].name, name))
                at++;
            if (at == NAME_LIMIT)
                break;
            if (at == count) {
                names[count].name = name;
                names[count++].is_brought = somebody_brings(finder, name);
            }
            finder->is_unasked[i] = !names[at].is_brought;
        }
    }
}

/* ---- rules that leave the path as it is ---- */

static bool is_whole_path(const struct plan_rule *rule, const struct loop_hop *hop)
{
    const struct target_pieces *path = &hop->parts.path;
    const struct plan_pattern *pattern = plan_pattern(rule);

    if (hop->parts.is_https)
        return true;
    if (path->count == 1)
        return path->items[0].kind == PLAN_PIECE_PATH && path->items[0].transforms == 0;
    return path->count == 2 && pattern && pattern->head_count == 0 && pattern->tail == PLAN_TAIL_SUBTREE &&
           path->items[0].kind == PLAN_PIECE_TEXT && slice_equal(path->items[0].text, SLICE("/")) &&
           path->items[1].kind == PLAN_PIECE_CAPTURE && path->items[1].capture == pattern->tail_capture &&
           path->items[1].transforms == 0;
}

static bool keeps_path(const struct finder *finder, uint32_t number)
{
    const struct loop_edges *edges = finder->edges;

    for (uint32_t h = edges->hop_first[number]; h < edges->hop_first[number + 1]; h++)
        if (!edges->hops[h].leads_nowhere &&
            !is_whole_path(&finder->plan->rules[edges->rules[number]], &edges->hops[h]))
            return false;
    return true;
}

/* Paths alone. */
static bool may_bring(struct finder *finder, uint32_t number, uint32_t rule)
{
    const struct loop_edges *edges = finder->edges;

    for (uint32_t h = edges->hop_first[number]; h < edges->hop_first[number + 1]; h++) {
        const struct loop_hop *hop = &edges->hops[h];

        if (hop->leads_nowhere)
            continue;
        path_sets_clear(&finder->sets);
        rule_paths_put_target(&finder->sets, finder->arena, &finder->plan->rules[hop->rule], hop->template, &hop->parts);
        rule_paths_put_source(&finder->sets, finder->arena, &finder->plan->rules[rule]);
        if (finder->pair_count++ >= PAIR_LIMIT || path_sets_meet(&finder->sets))
            return true;
    }
    return false;
}

/* What another rule brings to one of those that keep the path is what comes behind it. `brought` and `keeps`, by
 * number. */
static void find_brought(struct finder *finder, const bool *keeps, bool *brought, uint32_t *found)
{
    struct loop_edges *edges = finder->edges;

    for (uint32_t i = 0; i < edges->count; i++) {
        bool leads_there = false;

        for (uint32_t e = edges->first[i]; e < edges->first[i + 1] && !keeps[i]; e++)
            leads_there |= keeps[edges->to[e]];
        if (!leads_there)
            continue;
        uint32_t count = loop_graph_next(finder->graph, edges->rules[i], found, edges->count);
        for (uint32_t k = 0; k < count; k++) {
            uint32_t number = finder->local[found[k]];

            brought[number] = brought[number] || may_bring(finder, i, found[k]);
        }
    }
}

/* A rule as `/ * -> https:` leads to all rules, it seems. It leads to those only whose path somebody brings to it. */
static void leave_out_unbrought(struct finder *finder, uint32_t *found)
{
    struct loop_edges *edges = finder->edges;
    bool *keeps = arena_array(finder->arena, 2 * (edges->count + 1u), sizeof *keeps), *brought = keeps + edges->count;
    bool has_any = false;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < edges->count; i++)
        has_any |= keeps[i] = keeps_path(finder, i);
    if (!has_any)
        return;
    find_brought(finder, keeps, brought, found);
    for (uint32_t i = 0; i < edges->count; i++) {
        uint32_t from = edges->first[i], to = edges->first[i + 1];

        edges->first[i] = kept;
        for (uint32_t e = from; e < to; e++)
            if (!keeps[i] || keeps[edges->to[e]] || brought[edges->to[e]])
                edges->to[kept++] = edges->to[e];
    }
    edges->first[edges->count] = kept;
}

static void find_hops(struct finder *finder)
{
    struct loop_edges *edges = finder->edges;
    uint32_t room = edges->count;
    struct loop_hop hop;

    for (uint32_t i = 0; i < edges->count; i++) {
        const struct plan_rule *rule = &finder->plan->rules[edges->rules[i]];

        room += plan_choice(rule) ? plan_choice(rule)->line_count : 0;
    }
    edges->hops = arena_array(finder->arena, room, sizeof *edges->hops);
    edges->hop_first = arena_array(finder->arena, edges->count + 1u, sizeof *edges->hop_first);
    uint32_t count = 0;
    for (uint32_t i = 0; i < edges->count; i++) {
        edges->hop_first[i] = count;
        for (uint32_t line = 0; loop_hop_of(finder->arena, finder->plan, edges->rules[i], line, &hop); line++)
            edges->hops[count++] = hop;
    }
    edges->hop_first[edges->count] = count;
}

void loop_edges_find(struct loop_edges *edges, struct arena *arena, const struct plan *plan, struct loop_graph *graph,
                     struct rule_ranks *ranks, uint32_t circle)
{
    struct finder finder = { .edges = edges, .plan = plan, .arena = arena, .graph = graph, .ranks = ranks };
    uint32_t *found;

    *edges = (struct loop_edges){ .plan = plan,
                                  .rules = graph->members + graph->member_first[circle],
                                  .count = graph->member_first[circle + 1] - graph->member_first[circle] };
    finder.local = memory_resize(NULL, plan->rule_count + 1u, sizeof *finder.local);
    for (uint32_t i = 0; i < edges->count; i++)
        finder.local[edges->rules[i]] = i;
    found = memory_resize(NULL, edges->count + 1u, sizeof *found);
    path_sets_open(&finder.sets);
    find_hops(&finder);
    find_unasked(&finder);
    finder.to_room = 4 * edges->count + 4;
    edges->to = arena_array(arena, finder.to_room, sizeof *edges->to);
    edges->first = arena_array(arena, edges->count + 1u, sizeof *edges->first);
    for (uint32_t i = 0; i < edges->count; i++) {
        edges->first[i] = finder.to_count;
        find_edges_of(&finder, i, found);
    }
    edges->first[edges->count] = finder.to_count;
    if (!edges->is_cut_short)
        leave_out_unbrought(&finder, found);
    path_sets_close(&finder.sets);
    free(found);
    free(finder.local);
}
