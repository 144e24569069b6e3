/* SPDX-License-Identifier: Apache-2.0 */
/* Each place gets a vertex for each part of it that a target can meet. Rules point to these, and by the parameters of
 * their targets to names and values, so there are no more edges than rules, places and segments, a few times; circles
 * are the strongly connected components. */
#include "config.h"

#include "rulec/loop_graph.h"

#include "rulec/components.h"
#include "rulec/known_hosts.h"
#include "rulec/loop_hop.h"
#include "rulec/loop_places.h"
#include "rulec/site_groups.h"

#include <stdlib.h>

enum { ARENA_ROUND = 4096 /* rules whose targets are looked at before the memory is given back */ };

struct edge {
    uint32_t from, to;
};

struct builder {
    const struct plan *plan;
    struct arena *arena; /* of what one rule needs */
    struct known_hosts *hosts;
    struct site_groups groups;
    struct loop_places places;
    const struct loop_hop *hop; /* that is looked at */
    struct edge *edges;
    size_t edge_count, edge_room;
};

static uint32_t group_of(const struct builder *builder, uint32_t rule)
{
    return builder->groups.group[builder->plan->actions[builder->plan->rules[rule].action].site];
}

static void add_edge(struct builder *builder, uint32_t from, uint32_t to)
{
    if (builder->edge_count == builder->edge_room) {
        builder->edge_room = builder->edge_room ? builder->edge_room * 2 : 4096;
        builder->edges = memory_resize(builder->edges, builder->edge_room, sizeof *builder->edges);
    }
    builder->edges[builder->edge_count++] = (struct edge){ from, to };
}

static uint32_t vertex(const struct builder *builder, uint32_t place, enum loop_places_part part)
{
    return builder->plan->rule_count + LOOP_PLACES_PART_COUNT * place + part;
}

/* Sources at the place that ask for parameters: those that the target may bring. */
static void add_names(struct builder *builder, uint32_t place)
{
    const struct loop_places *places = &builder->places;

    for (uint32_t n = places->items[place].names; n; n = places->names[n - 1].next) {
        const struct loop_name *name = &places->names[n - 1];
        struct slice value;

        if (!loop_hop_may_have(builder->arena, builder->plan, builder->hop, name->text, &value))
            continue;
        if (!value.data) {
            add_edge(builder, builder->hop->rule, vertex(builder, name->place, LOOP_PLACES_ALL));
            continue;
        }
        uint32_t own = loop_places_value(places, name->place, value);
        if (own == LOOP_PLACE_NONE)
            continue;
        add_edge(builder, builder->hop->rule, vertex(builder, own, LOOP_PLACES_UP));
        add_names(builder, own);
    }
}

static void add_place(void *baton, uint32_t place, enum loop_places_part part)
{
    struct builder *builder = baton;
    const struct loop_place *items = builder->places.items;

    add_edge(builder, builder->hop->rule, vertex(builder, place, part));
    if (part != LOOP_PLACES_UP || builder->places.name_count == 0)
        return;
    add_names(builder, place);
    while (items[place].kind == LOOP_PLACE_LEAD && items[place].parent != place) {
        place = items[place].parent;
        add_names(builder, place);
    }
}

static void meet(struct builder *builder, const struct loop_hop *hop, uint32_t group)
{
    loop_places_meet(&builder->places, builder->arena, group, &builder->plan->rules[hop->rule], &hop->parts, add_place,
                     builder);
}

static void add_hop(struct builder *builder, const struct loop_hop *hop)
{
    char buffer[URL_HOST_LIMIT + 1];
    struct plan_host host;

    builder->hop = hop;
    if (loop_hop_host(hop, buffer, &host)) {
        if (known_hosts_knows(builder->hosts, host.name))
            meet(builder, hop, site_groups_of_host(&builder->groups, host.name));
    } else if (hop->parts.has_open_host) {
        for (uint32_t i = 0; i < builder->groups.count; i++)
            meet(builder, hop, i);
    } else if (!hop->parts.has_authority) {
        meet(builder, hop, group_of(builder, hop->rule));
    }
}

static void add_place_edges(struct builder *builder, uint32_t place)
{
    uint32_t parent = builder->places.items[place].parent;

    switch (builder->places.items[place].kind) {
    case LOOP_PLACE_LEAD:
        add_edge(builder, vertex(builder, place, LOOP_PLACES_ALL), vertex(builder, place, LOOP_PLACES_BELOW));
        if (place == parent)
            break;
        add_edge(builder, vertex(builder, place, LOOP_PLACES_UP), vertex(builder, parent, LOOP_PLACES_UP));
        add_edge(builder, vertex(builder, parent, LOOP_PLACES_BELOW), vertex(builder, place, LOOP_PLACES_ALL));
        break;
    case LOOP_PLACE_NUMBER:
    case LOOP_PLACE_BEHIND:
    case LOOP_PLACE_NAME:
    case LOOP_PLACE_VALUE:
        add_edge(builder, vertex(builder, parent, LOOP_PLACES_ALL), vertex(builder, place, LOOP_PLACES_ALL));
        break;
    }
}

/* The lists' quick way: most targets are on a host that no site names. */
static bool leaves(struct builder *builder, const struct plan_rule *rule)
{
    return !plan_template(rule) && !plan_choice(rule) && (plan_target(rule).size == 0 || known_hosts_leave(builder->hosts, plan_target(rule)));
}

static void add_rule_edges(struct builder *builder, uint32_t number)
{
    const struct plan_rule *rule = &builder->plan->rules[number];
    struct loop_hop hop;

    if (builder->plan->actions[rule->action].is_pass || leaves(builder, rule))
        return;
    for (uint32_t line = 0; loop_hop_of(builder->arena, builder->plan, number, line, &hop); line++)
        if (!hop.leads_nowhere)
            add_hop(builder, &hop);
    if (number % ARENA_ROUND == ARENA_ROUND - 1) {
        arena_close(builder->arena);
        builder->arena = arena_open();
    }
}

static void sort_edges(struct builder *builder, struct loop_graph *graph)
{
    uint32_t count = graph->vertex_count;

    graph->first = memory_resize(NULL, count + 2u, sizeof *graph->first);
    memset(graph->first, 0, (count + 2u) * sizeof *graph->first);
    graph->to = memory_resize(NULL, builder->edge_count + 1, sizeof *graph->to);
    for (size_t i = 0; i < builder->edge_count; i++)
        graph->first[builder->edges[i].from + 2]++;
    for (uint32_t v = 2; v < count + 2; v++)
        graph->first[v] += graph->first[v - 1];
    for (size_t i = 0; i < builder->edge_count; i++)
        graph->to[graph->first[builder->edges[i].from + 1]++] = builder->edges[i].to;
}

/* A circle is a component with a rule and another vertex. */
static void number_circles(struct loop_graph *graph)
{
    uint32_t rule_count = graph->rule_count, vertex_count = graph->vertex_count;
    const uint32_t *component = graph->component;
    uint32_t *size = memory_resize(NULL, vertex_count + 1u, sizeof *size);
    uint32_t *number = memory_resize(NULL, vertex_count + 1u, sizeof *number);

    memset(size, 0, (vertex_count + 1u) * sizeof *size);
    memset(number, 0, (vertex_count + 1u) * sizeof *number);
    for (uint32_t v = 0; v < vertex_count; v++)
        size[component[v]]++;
    graph->circle = memory_resize(NULL, rule_count + 1u, sizeof *graph->circle);
    graph->circle_count = 0;
    for (uint32_t i = 0; i < rule_count; i++) {
        uint32_t own = component[i];

        if (size[own] > 1 && !number[own])
            number[own] = ++graph->circle_count;
        graph->circle[i] = size[own] > 1 ? number[own] : 0;
    }
    graph->member_first = memory_resize(NULL, graph->circle_count + 2u, sizeof(uint32_t));
    memset(graph->member_first, 0, (graph->circle_count + 2u) * sizeof(uint32_t));
    graph->members = memory_resize(NULL, rule_count + 1u, sizeof *graph->members);
    for (uint32_t i = 0; i < rule_count; i++)
        if (graph->circle[i])
            graph->member_first[graph->circle[i] + 1]++;
    for (uint32_t c = 1; c < graph->circle_count + 2; c++)
        graph->member_first[c] += graph->member_first[c - 1];
    memset(size, 0, (graph->circle_count + 1u) * sizeof *size);
    for (uint32_t i = 0; i < rule_count; i++)
        if (graph->circle[i])
            graph->members[graph->member_first[graph->circle[i]] + size[graph->circle[i]]++] = i;
    free(size);
    free(number);
}

void loop_graph_open(struct loop_graph *graph, const struct plan *plan)
{
    struct builder builder = { .plan = plan, .arena = arena_open(), .hosts = known_hosts_open(plan) };
    uint32_t *at = memory_resize(NULL, plan->rule_count + 1u, sizeof *at);

    site_groups_open(&builder.groups, plan);
    loop_places_open(&builder.places, builder.groups.count);
    for (uint32_t i = 0; i < plan->rule_count; i++)
        at[i] = loop_places_of_source(&builder.places, group_of(&builder, i), &plan->rules[i]);
    graph->rule_count = plan->rule_count;
    graph->vertex_count = plan->rule_count + LOOP_PLACES_PART_COUNT * builder.places.count;
    for (uint32_t i = 0; i < plan->rule_count; i++) {
        add_rule_edges(&builder, i);
        add_edge(&builder, vertex(&builder, at[i], LOOP_PLACES_UP), i);
        add_edge(&builder, vertex(&builder, at[i], LOOP_PLACES_ALL), i);
    }
    for (uint32_t i = 0; i < builder.places.count; i++)
        add_place_edges(&builder, i);
    sort_edges(&builder, graph);
    graph->component = memory_resize(NULL, graph->vertex_count + 1u, sizeof *graph->component);
    components_find(graph->first, graph->to, graph->vertex_count, graph->component);
    number_circles(graph);
    graph->seen = memory_resize(NULL, graph->vertex_count + 1u, sizeof *graph->seen);
    memset(graph->seen, 0, (graph->vertex_count + 1u) * sizeof *graph->seen);
    graph->open = memory_resize(NULL, graph->vertex_count + 1u, sizeof *graph->open);
    graph->round = 0;

    known_hosts_close(builder.hosts);
    site_groups_close(&builder.groups);
    arena_close(builder.arena);
    loop_places_close(&builder.places);
    free(at);
    free(builder.edges);
}

/* Goes along the edges, nearest places first, and keeps the rules that are reached. */
static uint32_t reach(struct loop_graph *graph, uint32_t rule, bool in_circle, uint32_t *found, uint32_t limit)
{
    uint32_t open_count = 0, count = 0;

    graph->round++;
    graph->open[open_count++] = rule;
    for (uint32_t i = 0; i < open_count && (in_circle || count < limit); i++) {
        uint32_t v = graph->open[i];

        for (uint32_t e = graph->first[v]; e < graph->first[v + 1]; e++) {
            uint32_t w = graph->to[e];

            if (graph->seen[w] == graph->round || (in_circle && graph->component[w] != graph->component[rule]))
                continue;
            graph->seen[w] = graph->round;
            if (w >= graph->rule_count)
                graph->open[open_count++] = w;
            else if (count++ < limit)
                found[count - 1] = w;
        }
    }
    return count;
}

uint32_t loop_graph_next(struct loop_graph *graph, uint32_t rule, uint32_t *found, uint32_t limit)
{
    return reach(graph, rule, true, found, limit);
}

uint32_t loop_graph_near(struct loop_graph *graph, uint32_t rule, uint32_t *found, uint32_t limit)
{
    uint32_t count = reach(graph, rule, false, found, limit);

    return count < limit ? count : limit;
}

void loop_graph_close(struct loop_graph *graph)
{
    free(graph->circle);
    free(graph->member_first);
    free(graph->members);
    free(graph->first);
    free(graph->to);
    free(graph->component);
    free(graph->seen);
    free(graph->open);
}
