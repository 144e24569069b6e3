/* SPDX-License-Identifier: Apache-2.0 */
/* Leads (rows of fixed segments) make a tree. A target with the lead L meets sources whose lead stands on the way from
 * the root to L, and where it has a placeholder behind L also those below L. So each lead gets two vertices, "up" and
 * "down", rules point to those, and there are no more edges than rules and leads; circles are Tarjan's strongly
 * connected components. */
#include "config.h"

#include "rulec/loop_graph.h"

#include "mod_redir307/hash.h"
#include "mod_redir307/url.h"
#include "rulec/known_hosts.h"

#include <stdlib.h>

enum { ROOT = 0, NONE = UINT32_MAX };

struct lead {
    uint64_t key;
    uint32_t parent;
};

struct edge {
    uint32_t from, to;
};

struct builder {
    const struct plan *plan;
    struct known_hosts *hosts;
    struct lead *leads;
    uint32_t lead_count, lead_room;
    uint32_t *slots; /* lead + 1 by key; 0: free */
    size_t slot_count;
    struct edge *edges;
    size_t edge_count, edge_room;
    uint32_t *first; /* by vertex: its first edge, sorted; one more at the end */
    uint32_t *to;
};

static char lower(char byte) { return byte >= 'A' && byte <= 'Z' ? (char)(byte | 32) : byte; }

static uint64_t child_key(uint64_t parent, struct slice text)
{
    uint64_t key = parent * HASH_MULTIPLIER + 1;

    for (size_t i = 0; i < text.size; i++)
        key = (key ^ (unsigned char)lower(text.data[i])) * HASH_MULTIPLIER2;
    return hash_mix(key + text.size) | 1;
}

static uint32_t *find_slot(struct builder *builder, uint64_t key)
{
    size_t mask = builder->slot_count - 1, at = key & mask;

    while (builder->slots[at] && builder->leads[builder->slots[at] - 1].key != key)
        at = (at + 1) & mask;
    return &builder->slots[at];
}

static void grow_slots(struct builder *builder)
{
    builder->slot_count = builder->slot_count ? builder->slot_count * 2 : 1024;
    builder->slots = memory_resize(builder->slots, builder->slot_count, sizeof *builder->slots);
    memset(builder->slots, 0, builder->slot_count * sizeof *builder->slots);
    for (uint32_t i = 0; i < builder->lead_count; i++)
        *find_slot(builder, builder->leads[i].key) = i + 1;
}

static uint32_t add_lead(struct builder *builder, uint64_t key, uint32_t parent)
{
    if (builder->lead_count == builder->lead_room) {
        builder->lead_room = builder->lead_room ? builder->lead_room * 2 : 256;
        builder->leads = memory_resize(builder->leads, builder->lead_room, sizeof *builder->leads);
    }
    builder->leads[builder->lead_count] = (struct lead){ .key = key, .parent = parent };
    if (2 * ((size_t)builder->lead_count + 1) > builder->slot_count)
        grow_slots(builder);
    *find_slot(builder, key) = ++builder->lead_count;
    return builder->lead_count - 1;
}

/* The lead behind `parent`; made where `makes`, else NONE where there is none. */
static uint32_t child(struct builder *builder, uint32_t parent, struct slice text, bool makes)
{
    uint64_t key = child_key(builder->leads[parent].key, text);
    uint32_t found = *find_slot(builder, key);

    if (found)
        return found - 1;
    return makes ? add_lead(builder, key, parent) : (uint32_t)NONE;
}

/* Walks along whole segments of a path. *is_whole: all of it was found. */
static uint32_t walk(struct builder *builder, struct slice path, bool makes, bool *is_whole)
{
    uint32_t lead = ROOT;
    const char *at = path.data, *end = at + path.size;

    *is_whole = true;
    while (at < end) {
        const char *start = ++at;

        while (at < end && *at != '/')
            at++;
        if (at == start)
            continue;
        uint32_t next = child(builder, lead, slice_of(start, (size_t)(at - start)), makes);
        if (next == NONE) {
            *is_whole = false;
            break;
        }
        lead = next;
    }
    return lead;
}

static uint32_t source_lead(struct builder *builder, const struct plan_rule *rule)
{
    const struct plan_pattern *pattern = plan_pattern(rule);
    uint32_t lead = ROOT;
    bool is_whole;

    if (!pattern)
        return walk(builder, plan_path(rule), true, &is_whole);
    for (uint32_t i = 0; i < pattern->head_count; i++) {
        bool is_open = pattern->tail == PLAN_TAIL_BELOW && i + 1 == pattern->head_count;

        if (is_open || pattern->head[i].part_count != 1 || pattern->head[i].parts[0].kind != PLAN_PART_LITERAL)
            break;
        lead = child(builder, lead, pattern->head[i].parts[0].text, true);
    }
    return lead;
}

static void add_edge(struct builder *builder, uint32_t from, uint32_t to)
{
    if (builder->edge_count == builder->edge_room) {
        builder->edge_room = builder->edge_room ? builder->edge_room * 2 : 4096;
        builder->edges = memory_resize(builder->edges, builder->edge_room, sizeof *builder->edges);
    }
    builder->edges[builder->edge_count++] = (struct edge){ from, to };
}

static uint32_t up(const struct builder *builder, uint32_t lead) { return builder->plan->rule_count + 2 * lead; }
static uint32_t down(const struct builder *builder, uint32_t lead) { return up(builder, lead) + 1; }

/* Path of a target as far as it is fixed, without query and fragment. */
static struct slice fixed_path(struct slice text, bool *ends)
{
    struct url_parts parts;

    *ends = false;
    if (!url_split(text, &parts))
        return slice_of(NULL, 0);
    *ends = parts.has_query || parts.has_fragment;
    return parts.path;
}

static void add_target(struct builder *builder, uint32_t rule, struct slice text, bool is_open)
{
    bool ends, is_whole;

    if (known_hosts_leave(builder->hosts, text))
        return;
    struct slice path = fixed_path(text, &ends);
    if (is_open && !ends) /* the last segment may go on */
        while (path.size && path.data[path.size - 1] != '/')
            path.size--;
    uint32_t lead = walk(builder, path, false, &is_whole);
    add_edge(builder, rule, up(builder, lead));
    if (is_open && !ends && is_whole)
        add_edge(builder, rule, down(builder, lead));
}

static void add_template(struct builder *builder, uint32_t rule, const struct plan_template *template)
{
    const struct plan_piece *first = template->pieces;

    if (!template->is_https && template->piece_count && first->kind == PLAN_PIECE_TEXT &&
        first->place != PLAN_IN_AUTHORITY) {
        bool is_path = template->piece_count == 1 || first[1].place == PLAN_IN_PATH;

        add_target(builder, rule, first->text, is_path || memchr(first->text.data, '?', first->text.size) == NULL);
        return;
    }
    add_edge(builder, rule, up(builder, ROOT));
    add_edge(builder, rule, down(builder, ROOT));
}

static void add_rule_edges(struct builder *builder, uint32_t number)
{
    const struct plan_rule *rule = &builder->plan->rules[number];

    if (builder->plan->actions[rule->action].is_pass)
        return;
    if (plan_target(rule).size)
        add_target(builder, number, plan_target(rule), false);
    if (plan_template(rule))
        add_template(builder, number, plan_template(rule));
    for (uint32_t i = 0; plan_choice(rule) && i < plan_choice(rule)->line_count; i++) {
        const struct plan_choice_line *line = &plan_choice(rule)->lines[i];

        if (line->target.size)
            add_target(builder, number, line->target, false);
        if (line->template)
            add_template(builder, number, line->template);
    }
}

static void sort_edges(struct builder *builder, uint32_t vertex_count)
{
    builder->first = memory_resize(NULL, vertex_count + 2u, sizeof *builder->first);
    memset(builder->first, 0, (vertex_count + 2u) * sizeof *builder->first);
    builder->to = memory_resize(NULL, builder->edge_count + 1, sizeof *builder->to);
    for (size_t i = 0; i < builder->edge_count; i++)
        builder->first[builder->edges[i].from + 2]++;
    for (uint32_t v = 2; v < vertex_count + 2; v++)
        builder->first[v] += builder->first[v - 1];
    for (size_t i = 0; i < builder->edge_count; i++)
        builder->to[builder->first[builder->edges[i].from + 1]++] = builder->edges[i].to;
}

/* Tarjan's algorithm with a stack of its own. component[v] is set to the number of its root vertex + 1. */
static void find_components(const struct builder *builder, uint32_t vertex_count, uint32_t *component)
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
                next[v] = builder->first[v];
                open[open_count++] = v;
            }
            if (next[v] < builder->first[v + 1]) {
                uint32_t w = builder->to[next[v]++];

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

/* A circle is a component with a rule and another vertex. */
static void number_circles(struct loop_graph *graph, const struct builder *builder, const uint32_t *component,
                           uint32_t vertex_count)
{
    uint32_t rule_count = builder->plan->rule_count;
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
    struct builder builder = { .plan = plan, .hosts = known_hosts_open(plan) };
    uint32_t *at = memory_resize(NULL, plan->rule_count + 1u, sizeof *at);

    add_lead(&builder, 1, ROOT);
    for (uint32_t i = 0; i < plan->rule_count; i++)
        at[i] = plan->actions[plan->rules[i].action].is_pass ? (uint32_t)NONE : source_lead(&builder, &plan->rules[i]);
    uint32_t vertex_count = plan->rule_count + 2 * builder.lead_count;
    for (uint32_t i = 0; i < plan->rule_count; i++) {
        if (at[i] == NONE)
            continue;
        add_rule_edges(&builder, i);
        add_edge(&builder, up(&builder, at[i]), i);
        add_edge(&builder, down(&builder, at[i]), i);
    }
    for (uint32_t l = 1; l < builder.lead_count; l++) {
        add_edge(&builder, up(&builder, l), up(&builder, builder.leads[l].parent));
        add_edge(&builder, down(&builder, builder.leads[l].parent), down(&builder, l));
    }
    sort_edges(&builder, vertex_count);
    uint32_t *component = memory_resize(NULL, vertex_count + 1u, sizeof *component);
    find_components(&builder, vertex_count, component);
    number_circles(graph, &builder, component, vertex_count);

    known_hosts_close(builder.hosts);
    free(component);
    free(at);
    free(builder.leads);
    free(builder.slots);
    free(builder.edges);
    free(builder.first);
    free(builder.to);
}

void loop_graph_close(struct loop_graph *graph)
{
    free(graph->circle);
    free(graph->member_first);
    free(graph->members);
}
