/* SPDX-License-Identifier: Apache-2.0 */
/* Each question is answered for one hop and the rule behind it: what came before is forgotten, so "certain" is certain
 * whatever it was. */
#include "config.h"

#include "rulec/loop_hop.h"

#include "mod_redir307/url.h"

#include <strings.h>

/* ---- length ---- */

static uint32_t least_size(const struct plan_part *part)
{
    uint32_t size = UINT32_MAX;

    switch (part->kind) {
    case PLAN_PART_SET:
        for (uint32_t i = 0; i < part->set_count; i++)
            if (part->set[i].size < size)
                size = (uint32_t)part->set[i].size;
        return part->set_count ? size : 0;
    case PLAN_PART_UUID:
        return 36;
    case PLAN_PART_DATE:
        return 10;
    case PLAN_PART_VERSION:
        return 3;
    case PLAN_PART_REGEX:
    case PLAN_PART_LITERAL:
        return 0;
    default:
        return 1;
    }
}

/* What the source is made of, as a sum: fixed bytes, and each capture so many times. */
struct measure {
    int64_t least, most;
    bool is_unknown;
};

/* `times` more of something that has at least `size` bytes, and any number more. */
static void add_open(struct measure *measure, int64_t times, uint32_t size)
{
    if (times > 0) {
        measure->least += times * size;
        measure->most = LOOP_HOP_ENDLESS;
    } else if (times < 0) {
        measure->least = -LOOP_HOP_ENDLESS;
        measure->most += times * size;
    }
}

static int64_t uses_of(const struct target_pieces *path, uint8_t capture)
{
    int64_t uses = 0;

    for (uint32_t i = 0; capture != PLAN_NO_CAPTURE && i < path->count; i++)
        uses += path->items[i].kind == PLAN_PIECE_CAPTURE && path->items[i].capture == capture;
    return uses;
}

/* `wholes`: times that the whole path is inserted, less the once that it was there before. */
static void add_segments(struct measure *measure, const struct plan_segment *segments, uint32_t count,
                         const struct target_pieces *path, int64_t wholes)
{
    for (uint32_t i = 0; i < count; i++) {
        measure->least += wholes;
        measure->most += wholes;
        for (uint32_t p = 0; p < segments[i].part_count; p++) {
            const struct plan_part *part = &segments[i].parts[p];

            if (part->kind == PLAN_PART_LITERAL) {
                measure->least += wholes * (int64_t)part->text.size;
                measure->most += wholes * (int64_t)part->text.size;
            } else {
                add_open(measure, wholes + uses_of(path, part->capture), least_size(part));
            }
        }
    }
}

/* How a tail's capture stands in the target: "/{x}/" or "/{x}" at the end takes its slash along, all else may not. */
static bool has_own_segment(const struct target_pieces *path, uint8_t capture)
{
    for (uint32_t i = 0; i < path->count; i++) {
        const struct plan_piece *piece = &path->items[i];
        const struct plan_piece *before = i ? &path->items[i - 1] : NULL;
        const struct plan_piece *after = i + 1 < path->count ? &path->items[i + 1] : NULL;

        if (piece->kind != PLAN_PIECE_CAPTURE || piece->capture != capture)
            continue;
        if (!before || before->kind != PLAN_PIECE_TEXT || before->text.data[before->text.size - 1] != '/' ||
            (after && (after->kind != PLAN_PIECE_TEXT || after->text.data[0] != '/')))
            return false;
    }
    return true;
}

static void add_tail(struct measure *measure, const struct plan_pattern *pattern, const struct target_pieces *path,
                     int64_t wholes)
{
    int64_t uses = uses_of(path, pattern->tail_capture), suffix = (int64_t)pattern->suffix.size;
    bool is_never_empty = pattern->tail == PLAN_TAIL_MANY;

    add_open(measure, wholes + uses, is_never_empty ? 1 : 0);
    measure->least += wholes * suffix;
    measure->most += wholes * suffix;
    if (pattern->tail != PLAN_TAIL_BELOW && has_own_segment(path, pattern->tail_capture) && wholes + uses == 0) {
        measure->least += wholes;
        measure->most += wholes;
        return;
    }
    measure->least -= 2 + 2 * uses;
    measure->most += 2 * uses + (is_never_empty ? wholes : 0);
}

static void add_source(struct measure *measure, const struct plan_rule *rule, const struct target_pieces *path,
                       int64_t wholes)
{
    const struct plan_pattern *pattern = plan_pattern(rule);

    if (!pattern) {
        int64_t size = (int64_t)plan_path(rule).size;

        size -= plan_path(rule).size && plan_path(rule).data[plan_path(rule).size - 1] == '/';
        measure->least += wholes * size;
        measure->most += wholes * size;
        return;
    }
    if (pattern->regex.size) {
        for (uint32_t i = 0; i < path->count; i++)
            measure->is_unknown |= path->items[i].kind == PLAN_PIECE_CAPTURE;
        add_open(measure, wholes, 0);
        return;
    }
    add_segments(measure, pattern->head, pattern->head_count, path, wholes);
    add_segments(measure, pattern->rest, pattern->rest_count, path, wholes);
    if (pattern->tail != PLAN_TAIL_NONE)
        add_tail(measure, pattern, path, wholes);
}

static void add_target(struct measure *measure, struct arena *arena, const struct target_pieces *path)
{
    for (uint32_t i = 0; i < path->count; i++) {
        const struct plan_piece *piece = &path->items[i];
        struct slice text;
        int64_t size;

        switch (piece->kind) {
        case PLAN_PIECE_TEXT:
            if (!target_normal_text(arena, piece->text, &text)) {
                measure->is_unknown = true;
                break;
            }
            size = (int64_t)text.size - (i + 1 == path->count && text.data[text.size - 1] == '/');
            measure->least += size;
            measure->most += size;
            break;
        case PLAN_PIECE_CAPTURE:
            if (piece->transforms & PLAN_DASHES)
                measure->least = -LOOP_HOP_ENDLESS;
            break;
        case PLAN_PIECE_PATH:
            if (piece->transforms & PLAN_DASHES)
                measure->least = -LOOP_HOP_ENDLESS;
            measure->most++;
            break;
        default:
            measure->least -= 2;
            measure->most = LOOP_HOP_ENDLESS;
            break;
        }
    }
}

static void find_growth(struct loop_hop *hop, struct arena *arena, const struct plan_rule *rule)
{
    struct measure measure = { 0 };
    int64_t wholes = -1;

    if (hop->parts.is_https)
        return;
    for (uint32_t i = 0; i < hop->parts.path.count; i++)
        wholes += hop->parts.path.items[i].kind == PLAN_PIECE_PATH;
    add_target(&measure, arena, &hop->parts.path);
    add_source(&measure, rule, &hop->parts.path, wholes);
    hop->grows_least = measure.is_unknown || measure.least < -LOOP_HOP_ENDLESS ? -LOOP_HOP_ENDLESS : measure.least;
    hop->grows_most = measure.is_unknown || measure.most > LOOP_HOP_ENDLESS / 2 ? LOOP_HOP_ENDLESS : measure.most;
    if (measure.least < -LOOP_HOP_ENDLESS / 2)
        hop->grows_least = -LOOP_HOP_ENDLESS;
}

bool loop_hop_of(struct arena *arena, const struct plan *plan, uint32_t number, uint32_t line, struct loop_hop *hop)
{
    const struct plan_rule *rule = &plan->rules[number];
    struct slice target;

    *hop = (struct loop_hop){ .rule = number };
    if (!target_line(rule, line, &hop->template, &target))
        return false;
    hop->leads_nowhere = plan->actions[rule->action].is_pass || (!hop->template && target.size == 0);
    if (hop->leads_nowhere)
        return true;
    target_parts_of(arena, hop->template, target, &hop->parts);
    find_growth(hop, arena, rule);
    return true;
}

/* ---- hosts ---- */

static bool ends_below(struct slice name, struct slice domain)
{
    return name.size > domain.size && name.data[name.size - domain.size - 1] == '.' &&
           slice_equal(slice_of(name.data + name.size - domain.size, domain.size), domain);
}

static bool hosts_meet(const struct plan_host *a, const struct plan_host *b)
{
    if (a->port && b->port && a->port != b->port)
        return false;
    if (a->kind == PLAN_HOST_ANY || b->kind == PLAN_HOST_ANY)
        return true;
    if (a->kind == PLAN_HOST_BELOW && b->kind == PLAN_HOST_BELOW)
        return slice_equal(a->name, b->name) || ends_below(a->name, b->name) || ends_below(b->name, a->name);
    if (a->kind == PLAN_HOST_BELOW)
        return ends_below(b->name, a->name);
    if (b->kind == PLAN_HOST_BELOW)
        return ends_below(a->name, b->name);
    return slice_equal(a->name, b->name);
}

bool loop_sites_meet(const struct plan_site *a, const struct plan_site *b)
{
    for (uint32_t i = 0; i < a->host_count; i++)
        for (uint32_t k = 0; k < b->host_count; k++)
            if (hosts_meet(&a->hosts[i], &b->hosts[k]))
                return true;
    return false;
}

/* The host that a target names, as a site would. False: it names none, or one of several. */
bool loop_hop_host(const struct loop_hop *hop, char buffer[URL_HOST_LIMIT + 1], struct plan_host *host)
{
    const struct target_parts *parts = &hop->parts;
    unsigned port = 0;

    *host = (struct plan_host){ .kind = PLAN_HOST_EXACT };
    if (!parts->has_authority || parts->has_open_host || !url_normalize_host(parts->host, buffer, &host->name))
        return false;
    for (size_t i = 0; i < parts->port.size && port <= UINT16_MAX; i++)
        port = port * 10 + (unsigned)(parts->port.data[i] - '0');
    host->port = port && port <= UINT16_MAX ? (uint16_t)port : url_default_port(parts->scheme);
    return true;
}

bool loop_hop_may_be_at(const struct plan *plan, const struct loop_hop *hop, uint32_t number)
{
    const struct plan_site *site = &plan->sites[number], *own = &plan->sites[plan->actions[plan->rules[hop->rule].action].site];
    char buffer[URL_HOST_LIMIT + 1];
    struct plan_host host;

    if (hop->parts.has_open_host)
        return true;
    if (!loop_hop_host(hop, buffer, &host))
        return loop_sites_meet(own, site);
    for (uint32_t i = 0; i < site->host_count; i++)
        if (hosts_meet(&site->hosts[i], &host))
            return true;
    return false;
}

/* ---- scheme ---- */

/* What a rule's conditions say of the scheme; empty: nothing. */
static struct slice asked_scheme(const struct plan_action *action)
{
    for (uint32_t i = 0; i < action->condition_count; i++) {
        const struct plan_condition *condition = &action->conditions[i];

        if (condition->kind != PLAN_CONDITION_SCHEME || condition->value_count != 1)
            continue;
        return slice_equal(condition->values[0], SLICE("http")) != condition->is_unless ? SLICE("http") : SLICE("https");
    }
    return slice_of(NULL, 0);
}

static bool may_have_scheme(const struct plan *plan, const struct loop_hop *hop, uint32_t rule)
{
    struct slice asked = asked_scheme(&plan->actions[plan->rules[rule].action]), given = hop->parts.scheme;

    if (given.size == 0 && !hop->parts.has_authority)
        given = asked_scheme(&plan->actions[plan->rules[hop->rule].action]);
    return asked.size == 0 || given.size == 0 || slice_equal(asked, given);
}

/* ---- query ---- */

static bool is_named(struct slice name, struct slice wanted)
{
    if (wanted.size && wanted.data[wanted.size - 1] == '*')
        return slice_starts_with(name, slice_of(wanted.data, wanted.size - 1));
    return slice_equal(name, wanted);
}

static struct slice decoded(struct arena *arena, struct slice text)
{
    char *buffer = arena_alloc(arena, text.size + 1);

    return slice_of(buffer, url_decode_query(text, buffer));
}

/* Looks for the parameter in the own query. *value: as it is written out, where it is (data NULL: a placeholder is in
 * it). False: it is not there; *is_open: but a placeholder may bring it. */
static bool find_own(struct arena *arena, const struct loop_hop *hop, struct slice name, struct slice *value,
                     bool *is_open)
{
    const struct target_pieces *query = &hop->parts.query;
    bool in_name = true, is_found = false;

    *is_open = false;
    *value = slice_of(NULL, 0);
    for (uint32_t i = 0; i < query->count; i++) {
        const struct plan_piece *piece = &query->items[i];
        const char *at = piece->text.data, *end = at + piece->text.size;

        if (piece->kind != PLAN_PIECE_TEXT) {
            *is_open |= in_name;
            continue;
        }
        in_name = false;
        while (at < end) {
            const char *stop = memchr(at, '&', (size_t)(end - at)), *limit = stop ? stop : end;
            const char *equals = memchr(at, '=', (size_t)(limit - at));
            /* The piece behind a placeholder goes on with its value. */
            bool is_rest = at == piece->text.data && i > 0 && *at != '&';

            if (!is_rest && at < limit &&
                slice_equal(decoded(arena, slice_of(at, (size_t)((equals ? equals : limit) - at))), name)) {
                bool is_whole = equals && (stop || i + 1 == query->count) && !is_found;

                *value = slice_of(NULL, 0);
                is_found = true;
                if (is_whole)
                    *value = decoded(arena, slice_of(equals + 1, (size_t)(limit - equals - 1)));
            }
            in_name = stop ? stop + 1 == end : !equals && !is_rest;
            at = stop ? stop + 1 : end;
        }
    }
    return is_found;
}

bool loop_hop_may_add(struct arena *arena, const struct loop_hop *hop, struct slice name)
{
    struct slice value;
    bool is_open;

    return find_own(arena, hop, name, &value, &is_open) || is_open;
}

static bool consumes(const struct plan_rule *rule, struct slice name)
{
    for (uint32_t i = 0; plan_pattern(rule) && i < plan_pattern(rule)->parameter_count; i++)
        if (slice_equal(plan_pattern(rule)->parameters[i].name, name))
            return true;
    return false;
}

static bool keeps(const struct plan_query_policy *policy, struct slice name)
{
    bool is_listed = false;

    for (uint32_t i = 0; i < policy->name_count; i++)
        is_listed |= is_named(name, policy->names[i]);
    switch (policy->kind) {
    case PLAN_QUERY_KEEP:
        return true;
    case PLAN_QUERY_DROP:
        return false;
    case PLAN_QUERY_ONLY:
        return is_listed;
    case PLAN_QUERY_EXCEPT:
        break;
    }
    return !is_listed;
}

bool loop_hop_may_have(struct arena *arena, const struct plan *plan, const struct loop_hop *hop, struct slice name,
                       struct slice *value)
{
    const struct plan_rule *rule = &plan->rules[hop->rule];
    bool is_open;

    bool is_own = find_own(arena, hop, name, value, &is_open);

    if (is_open)
        *value = slice_of(NULL, 0); /* a placeholder may bring it once more */
    if (is_own || is_open)
        return true;
    return !consumes(rule, name) && keeps(&plan->actions[rule->action].query, name);
}

static bool may_have_query(struct arena *arena, const struct plan *plan, const struct loop_hop *hop, uint32_t number)
{
    const struct plan_rule *rule = &plan->rules[number];
    const struct plan_action *action = &plan->actions[rule->action];
    struct slice value, wanted;
    bool is_open;

    for (uint32_t i = 0; plan_pattern(rule) && i < plan_pattern(rule)->parameter_count; i++) {
        const struct plan_parameter *parameter = &plan_pattern(rule)->parameters[i];

        if (!loop_hop_may_have(arena, plan, hop, parameter->name, &value))
            return false;
        if (value.data && plan_parameter_value(parameter, &wanted) && !slice_equal(value, wanted))
            return false;
    }
    for (uint32_t i = 0; i < action->condition_count; i++) {
        const struct plan_condition *condition = &action->conditions[i];

        if (condition->kind != PLAN_CONDITION_QUERY)
            continue;
        if (!condition->is_unless && !loop_hop_may_have(arena, plan, hop, condition->name, &value))
            return false;
        if (condition->is_unless && condition->operator == PLAN_PRESENT &&
            find_own(arena, hop, condition->name, &value, &is_open))
            return false;
    }
    return true;
}

bool loop_hop_may_ask(struct arena *arena, const struct plan *plan, const struct loop_hop *hop, uint32_t rule)
{
    return loop_hop_may_be_at(plan, hop, plan->actions[plan->rules[rule].action].site) &&
           may_have_scheme(plan, hop, rule) && may_have_query(arena, plan, hop, rule);
}
