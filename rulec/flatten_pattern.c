/* SPDX-License-Identifier: Apache-2.0 */
/* A template is a set of paths. Where one rule takes all of them, and no other one takes any of them before it, that rule
 * is the next hop, and its placeholders are filled with pieces of the template: text for text what the requests would
 * have been. */
#include "config.h"

#include "rulec/flatten_pattern.h"

#include "mod_redir307/answer.h"
#include "rulec/loop_graph.h"
#include "rulec/path_set.h"
#include "rulec/rule_paths.h"
#include "rulec/rule_rank.h"

#include <stdlib.h>
#include <strings.h>

enum {
    HOP_LIMIT = 16,
    NEAR_LIMIT = 512, /* rules that could take a part of it: of more, none is certain */
    PIECE_LIMIT = 64
};

struct flatten_patterns {
    const struct plan *plan;
    struct loop_graph graph;
    struct rule_ranks *ranks;
    struct path_sets sets;
};

struct flatten_patterns *flatten_patterns_open(const struct plan *plan)
{
    struct flatten_patterns *patterns = memory_resize(NULL, 1, sizeof *patterns);

    patterns->plan = plan;
    patterns->ranks = rule_ranks_open(plan);
    loop_graph_open(&patterns->graph, plan);
    path_sets_open(&patterns->sets);
    return patterns;
}

void flatten_patterns_close(struct flatten_patterns *patterns)
{
    path_sets_close(&patterns->sets);
    loop_graph_close(&patterns->graph);
    rule_ranks_close(patterns->ranks);
    free(patterns);
}

/* ---- may two hops be one ---- */

/* The first hop's status, seen from one kind of method, stands for both. */
static bool status_stands(unsigned first, unsigned second)
{
    return first == second || (first == 307 && second == 308) || (first == 302 && second == 301) ||
           (first == 303 && second == 301) || (first == 303 && second == 302);
}

bool flatten_may_join(const struct plan *plan, const struct plan_rule *first, const struct plan_rule *second)
{
    const struct plan_action *a = &plan->actions[first->action], *b = &plan->actions[second->action];

    return !b->condition_count && !b->header_count && !b->vary_count && !b->is_pass && !plan_choice(second) &&
           status_stands(a->status_get, b->status_get) && status_stands(a->status_other, b->status_other) &&
           a->cache == b->cache && a->cache_seconds == b->cache_seconds &&
           a->redirects_preflight == b->redirects_preflight &&
           (!plan_pattern(second) || plan_pattern(second)->parameter_count == 0);
}

/* ---- which rule is next ---- */

/* A template on its way: the pieces of its path, in the first rule's captures. */
struct way {
    const struct plan_rule *rule; /* the first */
    struct plan_template template;
    struct target_parts parts;
};

static void put_way(struct flatten_patterns *patterns, const struct way *way)
{
    path_sets_clear(&patterns->sets);
    rule_paths_put_target(&patterns->sets, patterns->plan->arena, way->rule, &way->template, &way->parts);
}

static bool takes_some(struct flatten_patterns *patterns, const struct way *way, uint32_t rule)
{
    put_way(patterns, way);
    rule_paths_put_source(&patterns->sets, patterns->plan->arena, &patterns->plan->rules[rule]);
    return path_sets_meet(&patterns->sets);
}

static bool takes_all(struct flatten_patterns *patterns, const struct way *way, uint32_t rule)
{
    put_way(patterns, way);
    path_put_any(&patterns->sets);
    path_end(&patterns->sets);
    rule_paths_put_source(&patterns->sets, patterns->plan->arena, &patterns->plan->rules[rule]);
    return rule_paths_are_exact(&patterns->plan->rules[rule]) && !path_sets_meet(&patterns->sets);
}

/* Wherever both take a request, `rule` answers. */
static bool is_asked_first(struct flatten_patterns *patterns, uint32_t rule, uint32_t other)
{
    const struct plan *plan = patterns->plan;
    const struct plan_action *a = &plan->actions[plan->rules[rule].action];
    const struct plan_action *b = &plan->actions[plan->rules[other].action];

    if (a->is_override != b->is_override)
        return a->is_override;
    if (a->site != b->site)
        return b->site == 0;
    return rule_ranks_is_before(patterns->ranks, rule, other);
}

/* The one rule that answers all that the way leads to. `from`: the rule whose targets those are. UINT32_MAX: none. */
static uint32_t next_rule(struct flatten_patterns *patterns, const struct way *way, uint32_t from)
{
    const struct plan *plan = patterns->plan;
    uint32_t near[NEAR_LIMIT], count = loop_graph_near(&patterns->graph, from, near, NEAR_LIMIT), next = UINT32_MAX;
    uint32_t site = plan->actions[way->rule->action].site;

    if (count == NEAR_LIMIT)
        return UINT32_MAX;
    for (uint32_t i = 0; i < count && next == UINT32_MAX; i++)
        if (plan->actions[plan->rules[near[i]].action].site == site && takes_all(patterns, way, near[i]) &&
            rule_ranks_forms(patterns->ranks, near[i])->count == 1)
            next = near[i];
    if (next == UINT32_MAX)
        return next;
    /* Of several that take all, the one that is asked first; and nothing before that. */
    for (uint32_t i = 0; i < count; i++)
        if (near[i] != next && takes_some(patterns, way, near[i]) && !is_asked_first(patterns, next, near[i])) {
            if (plan->actions[plan->rules[near[i]].action].site != site || !takes_all(patterns, way, near[i]) ||
                rule_ranks_forms(patterns->ranks, near[i])->count != 1 ||
                !is_asked_first(patterns, near[i], next))
                return UINT32_MAX;
            next = near[i];
            i = UINT32_MAX; /* from the start, against this one */
        }
    return next;
}

/* ---- filling in ---- */

struct pieces {
    struct plan_piece items[PIECE_LIMIT];
    uint32_t count;
};

static bool add_piece(struct pieces *pieces, struct plan_piece piece)
{
    if (piece.kind == PLAN_PIECE_TEXT && piece.text.size == 0)
        return true;
    if (pieces->count == PIECE_LIMIT)
        return false;
    pieces->items[pieces->count++] = piece;
    return true;
}

static bool add_text(struct pieces *pieces, struct slice text)
{
    return add_piece(pieces, (struct plan_piece){ .kind = PLAN_PIECE_TEXT, .place = PLAN_IN_PATH,
                                                  .capture = PLAN_NO_CAPTURE, .text = text });
}

/* Cuts the first segment off the pieces behind a "/". False: there is none. */
static bool cut_segment(struct pieces *path, struct pieces *segment)
{
    struct pieces rest = { .count = 0 };
    bool is_in = true;

    segment->count = 0;
    if (path->count == 0 || path->items[0].kind != PLAN_PIECE_TEXT || path->items[0].text.data[0] != '/')
        return false;
    path->items[0].text = slice_of(path->items[0].text.data + 1, path->items[0].text.size - 1);
    for (uint32_t i = 0; i < path->count; i++) {
        struct plan_piece piece = path->items[i];
        const char *slash = is_in && piece.kind == PLAN_PIECE_TEXT && piece.text.size
                                ? memchr(piece.text.data, '/', piece.text.size) : NULL;
        struct plan_piece front = piece;

        if (slash) {
            front.text = slice_of(piece.text.data, (size_t)(slash - piece.text.data));
            piece.text = slice_of(slash, piece.text.size - front.text.size);
            if (!add_piece(segment, front))
                return false;
            is_in = false;
            front = piece;
        }
        if (!add_piece(is_in ? segment : &rest, front))
            return false;
    }
    *path = rest;
    return segment->count > 0;
}

/* What may hold a slash stands at the end: elsewhere two slashes could meet, which a request never has. */
static bool has_calm_tail(const struct way *way)
{
    const struct plan_pattern *own = plan_pattern(way->rule);
    const struct target_pieces *path = &way->parts.path;

    for (uint32_t i = 0; own->tail != PLAN_TAIL_NONE && i < path->count; i++)
        if (path->items[i].kind == PLAN_PIECE_CAPTURE && path->items[i].capture == own->tail_capture &&
            (i + 1 < path->count || own->tail == PLAN_TAIL_BELOW ||
             (own->tail == PLAN_TAIL_SUBTREE && !way->template.drops_last_slash)))
            return false;
    return true;
}

/* What each capture of the next rule is filled with. */
static bool match(const struct way *way, const struct plan_rule *next, struct pieces captures[PLAN_CAPTURE_LIMIT])
{
    const struct plan_pattern *pattern = plan_pattern(next), *own = plan_pattern(way->rule);
    struct pieces path = { .count = 0 };

    for (uint32_t i = 0; i < way->parts.path.count; i++) {
        struct plan_piece piece = way->parts.path.items[i];

        if ((piece.kind != PLAN_PIECE_TEXT && piece.kind != PLAN_PIECE_CAPTURE) || piece.transforms || !add_piece(&path, piece))
            return false;
    }
    if (!has_calm_tail(way))
        return false;
    if (!pattern)
        return true; /* a fixed path that takes all: nothing to fill in */
    if (pattern->regex.size || pattern->rest_count || pattern->suffix.size || pattern->tail == PLAN_TAIL_BELOW)
        return false;
    for (uint32_t i = 0; i < pattern->head_count; i++) {
        const struct plan_part *part = &pattern->head[i].parts[0];
        struct pieces segment;

        if (pattern->head[i].part_count != 1 || !cut_segment(&path, &segment))
            return false;
        for (uint32_t p = 0; p < segment.count; p++)
            if (segment.items[p].kind == PLAN_PIECE_CAPTURE && segment.items[p].capture == own->tail_capture &&
                own->tail != PLAN_TAIL_NONE)
                return false; /* it may be more than one segment, or none */
        if (part->capture < PLAN_CAPTURE_LIMIT)
            captures[part->capture] = segment;
    }
    if (pattern->tail == PLAN_TAIL_NONE)
        return path.count == 0 || (path.count == 1 && path.items[0].kind == PLAN_PIECE_TEXT && path.items[0].text.size == 1);
    if (path.count == 0 || path.items[0].kind != PLAN_PIECE_TEXT || path.items[0].text.data[0] != '/')
        return false;
    path.items[0].text = slice_of(path.items[0].text.data + 1, path.items[0].text.size - 1);
    if (pattern->tail_capture < PLAN_CAPTURE_LIMIT) {
        captures[pattern->tail_capture].count = 0;
        for (uint32_t i = 0; i < path.count; i++)
            if (!add_piece(&captures[pattern->tail_capture], path.items[i]))
                return false;
    }
    return true;
}

/* The next rule's template in the first rule's captures. False: something in it is not text or path. */
static bool compose(struct arena *arena, struct way *way, const struct plan_rule *next,
                    const struct pieces captures[PLAN_CAPTURE_LIMIT])
{
    const struct plan_template *template = plan_template(next);
    struct pieces made = { .count = 0 };

    if (template && template->is_https)
        return false;
    for (uint32_t i = 0; template && i < template->piece_count; i++) {
        const struct plan_piece *piece = &template->pieces[i];

        if (piece->kind == PLAN_PIECE_TEXT) {
            if (!add_text(&made, piece->text))
                return false;
            continue;
        }
        if (piece->kind != PLAN_PIECE_CAPTURE || piece->place != PLAN_IN_PATH || piece->transforms)
            return false;
        for (uint32_t k = 0; k < captures[piece->capture].count; k++) {
            struct plan_piece filled = captures[piece->capture].items[k];
            bool is_good = filled.kind != PLAN_PIECE_TEXT ||
                           target_normal_text(arena, filled.text, &filled.text);

            filled.place = PLAN_IN_PATH;
            if (!is_good || !add_piece(&made, filled))
                return false;
        }
    }
    if (!template && !add_text(&made, plan_target(next)))
        return false;
    /* "/b/ *" has no slash where the star is nothing: both must have it so, at their end. */
    if (way->template.drops_last_slash && (!template || !template->drops_last_slash))
        return false;
    way->template.piece_count = made.count;
    way->template.pieces = arena_array(arena, made.count + 1u, sizeof *made.items);
    memcpy(way->template.pieces, made.items, made.count * sizeof *made.items);
    target_parts_of(arena, &way->template, slice_of(NULL, 0), &way->parts);
    return way->template.piece_count > 0;
}

/* ---- a chain ---- */

static bool has_captures(const struct plan_template *template)
{
    for (uint32_t i = 0; i < template->piece_count; i++)
        if (template->pieces[i].kind != PLAN_PIECE_TEXT)
            return true;
    return false;
}

/* To https on a host of the site, perhaps from http: browsers want that as a hop of its own (RFC 6797, 7.2). */
static bool is_upgrade(const struct plan_site *site, const struct target_parts *parts)
{
    if (!parts->has_authority || parts->scheme.size != 5)
        return false;
    for (uint32_t i = 0; i < site->host_count; i++)
        if (site->hosts[i].kind != PLAN_HOST_EXACT ||
            (site->hosts[i].name.size == parts->host.size &&
             strncasecmp(site->hosts[i].name.data, parts->host.data, parts->host.size) == 0))
            return true;
    return false;
}

static struct slice text_of(struct arena *arena, const struct plan_rule *rule, const struct plan_template *template)
{
    const struct plan_pattern *pattern = plan_pattern(rule);
    const char *text = "";

    for (uint32_t i = 0; i < template->piece_count; i++) {
        const struct plan_piece *piece = &template->pieces[i];
        struct slice name = piece->kind == PLAN_PIECE_CAPTURE ? pattern->captures[piece->capture] : piece->text;
        bool is_plain = piece->kind == PLAN_PIECE_TEXT || slice_equal(name, SLICE("*"));

        text = arena_printf(arena, "%s%s%.*s%s", text, is_plain ? "" : "{", (int)name.size, name.size ? name.data : "",
                            is_plain ? "" : "}");
    }
    return slice_from_string(text);
}

static bool may_begin(const struct plan_rule *rule, const struct target_parts *parts)
{
    const struct plan_pattern *pattern = plan_pattern(rule);

    return pattern && pattern->regex.size == 0 && rule_always_answers(rule) && !parts->is_https &&
           !parts->has_authority && !parts->has_query && !parts->has_fragment;
}

bool flatten_pattern(struct flatten_patterns *patterns, uint32_t number, struct flatten_change *change)
{
    const struct plan *plan = patterns->plan;
    const struct plan_rule *rule = &plan->rules[number];
    const struct plan_action *action = &plan->actions[rule->action];
    struct way way = { .rule = rule, .template = *plan_template(rule) };
    uint32_t from = number;

    target_parts_of(plan->arena, &way.template, slice_of(NULL, 0), &way.parts);
    change->hops = 1;
    while (change->hops < HOP_LIMIT && may_begin(rule, &way.parts)) {
        struct pieces captures[PLAN_CAPTURE_LIMIT] = { { .count = 0 } };
        struct way next_way = way;
        uint32_t next = next_rule(patterns, &way, from);

        if (next == UINT32_MAX || next == number || !flatten_may_join(plan, rule, &plan->rules[next]) ||
            !rule_always_answers(&plan->rules[next]) ||
            (action->query.kind != PLAN_QUERY_DROP &&
             plan->actions[plan->rules[next].action].query.kind != PLAN_QUERY_KEEP) ||
            !match(&way, &plan->rules[next], captures) ||
            !compose(plan->arena, &next_way, &plan->rules[next], captures) ||
            is_upgrade(&plan->sites[action->site], &next_way.parts) || !has_captures(&next_way.template))
            break;
        way = next_way;
        from = next;
        change->hops++;
    }
    if (change->hops == 1 || change->hops == HOP_LIMIT)
        return false;
    change->before = text_of(plan->arena, rule, plan_template(rule));
    change->after = text_of(plan->arena, rule, &way.template);
    change->template = arena_alloc(plan->arena, sizeof *change->template);
    *change->template = way.template;
    return change->after.size <= ANSWER_LOCATION_LIMIT;
}
