/* SPDX-License-Identifier: Apache-2.0 */
/* The order of the search: host by host, phase by phase, candidate by candidate. What one phase finds in the indexes
 * is lookup_exact's and lookup_shapes' business. */
#include "mod_redir307/lookup.h"

#include "mod_redir307/index.h"
#include "mod_redir307/lookup_collect.h"

enum { LEVEL_EXACT, LEVEL_APEX, LEVEL_BELOW, LEVEL_ANY, LEVEL_COUNT };
enum { PHASE_WHOLE, PHASE_EXACT, PHASE_SHAPES, PHASE_COUNT };

bool lookup_begin(struct lookup *lookup, const struct ruleset *ruleset, const struct request_key *key,
                  struct probe probe, struct answer_scratch *scratch)
{
    lookup->ruleset = ruleset;
    lookup->key = key;
    lookup->probe = probe;
    lookup->scratch = scratch;
    lookup->path = key->path;
    if (!probe.is_plain && !url_normalize_path(key->path, scratch->path, sizeof scratch->path, &lookup->path)) {
        return false;
    }
    if (lookup->path.size > URL_NORMAL_LIMIT) return false;

    lookup->has_slash = url_has_last_slash(lookup->path);
    lookup->bare = url_without_last_slash(lookup->path);
    lookup->folded_is_done = lookup->segments_are_done = lookup->parameters_are_done = false;
    lookup->parameter_count = 0;
    lookup->in_overrides = ruleset->header.flags & RULESET_HAS_OVERRIDES;
    lookup->port_round = ruleset->header.flags & RULESET_HAS_PORTS ? 0 : 1;
    lookup->host_level = LEVEL_EXACT;
    lookup->host_at = 0;
    lookup->scope = 0;
    lookup->phase = PHASE_COUNT;
    lookup->exact_at = UINT64_MAX;
    lookup->shape_next = lookup->shape_end = 0;
    lookup->found_count = lookup->found_next = 0;
    lookup->has_dropped = lookup->has_last = false;
    return true;
}

/* Sets scope and host_record where a host of that kind and name has rules of the current pass. */
static bool find_host(struct lookup *lookup, unsigned kind, struct slice name, unsigned port)
{
    const struct ruleset *rs = lookup->ruleset;
    uint64_t key = hash_host(name, kind, port, rs->header.seed);
    uint32_t references[INDEX_CANDIDATES];
    unsigned count = index_find(&rs->views[RULESET_HOST_INDEX], key, references);

    for (unsigned i = 0; i < count; i++) {
        struct ruleset_host_view host;
        uint64_t at = (uint64_t)references[i] * 8;

        if (!ruleset_get_host(rs, at, &host) || host.head.kind != kind || host.head.port != port
            || !slice_equal(host.name, name)) {
            continue;
        }
        lookup->scope = lookup->in_overrides ? host.head.override_scope : host.head.scope;
        lookup->host_record = at;
        return lookup->scope != 0;
    }
    return false;
}

/* `*.` names of the request's host, the longest first. */
static bool find_below(struct lookup *lookup, unsigned port)
{
    struct slice host = lookup->key->host;

    while (lookup->host_at < host.size) {
        const char *dot = memchr(host.data + lookup->host_at, '.', host.size - lookup->host_at);

        if (!dot) break;
        lookup->host_at = (size_t)(dot + 1 - host.data);
        struct slice name = slice_of(dot + 1, host.size - lookup->host_at);
        unsigned labels = 1;
        for (size_t i = 0; i < name.size; i++) labels += name.data[i] == '.';
        if (labels <= lookup->ruleset->header.below_label_limit
            && find_host(lookup, RULESET_HOST_BELOW, name, port)) {
            return true;
        }
    }
    return false;
}

static bool find_any(struct lookup *lookup, unsigned port)
{
    const struct ruleset_header *header = &lookup->ruleset->header;

    if (port != 0) return find_host(lookup, RULESET_HOST_ANY, slice_of("", 0), port);
    lookup->scope = lookup->in_overrides ? header->any_override_scope : header->any_scope;
    lookup->host_record = UINT64_MAX;
    return lookup->scope != 0;
}

/* The next scope that the request's host belongs to. */
static bool next_scope(struct lookup *lookup)
{
    uint32_t has = lookup->ruleset->header.flags;

    if (!(has & RULESET_HAS_SCOPES)) { /* `site *` alone, as in small files */
        if (lookup->host_level == LEVEL_COUNT) return false;
        lookup->host_level = LEVEL_COUNT;
        return find_any(lookup, 0);
    }
    for (;;) {
        unsigned port = lookup->port_round == 0 ? lookup->key->port : 0;

        switch (lookup->host_level) {
        case LEVEL_EXACT:
            lookup->host_level = LEVEL_APEX;
            if (has & RULESET_HAS_EXACT_HOSTS && find_host(lookup, RULESET_HOST_EXACT, lookup->key->host, port)) {
                return true;
            }
            break;
        case LEVEL_APEX:
            lookup->host_level = LEVEL_BELOW;
            lookup->host_at = 0;
            if (has & RULESET_HAS_APEX_HOSTS && find_host(lookup, RULESET_HOST_APEX, lookup->key->host, port)) {
                return true;
            }
            break;
        case LEVEL_BELOW:
            if (has & RULESET_HAS_BELOW_HOSTS && find_below(lookup, port)) return true;
            lookup->host_level = LEVEL_ANY;
            break;
        case LEVEL_ANY:
            lookup->host_level = LEVEL_COUNT;
            if (find_any(lookup, port)) return true;
            break;
        default:
            lookup->host_level = LEVEL_EXACT;
            if (lookup->port_round == 0) {
                lookup->port_round = 1;
            } else if (lookup->in_overrides) {
                lookup->in_overrides = false;
                lookup->port_round = has & RULESET_HAS_PORTS ? 0 : 1;
            } else {
                return false;
            }
        }
    }
}

static bool enter_scope(struct lookup *lookup)
{
    const struct ruleset *rs = lookup->ruleset;

    while (next_scope(lookup)) {
        if (!ruleset_get(rs, RULESET_SCOPES, (uint64_t)lookup->scope * sizeof lookup->scope_head,
                         &lookup->scope_head, sizeof lookup->scope_head)) {
            continue;
        }
        lookup->walk.is_done = lookup->folded_walk.is_done = false;
        lookup->phase = lookup->key->has_query && lookup->scope_head.whole_shape_count ? PHASE_WHOLE : PHASE_EXACT;
        return true;
    }
    return false;
}

/* Searches a phase from its start, for what comes behind `last`. */
static void search(struct lookup *lookup)
{
    const struct ruleset_scope *scope = &lookup->scope_head;

    lookup->shape_next = lookup->shape_end = 0;
    lookup->found_count = lookup->found_next = 0;
    lookup->has_dropped = false;
    switch (lookup->phase) {
    case PHASE_WHOLE:
        lookup_begin_shapes(lookup, 0, scope->whole_shape_count);
        break;
    case PHASE_EXACT:
        if (scope->flags & RULESET_SCOPE_HAS_EXACT) lookup_collect_exact(lookup);
        break;
    default:
        lookup_begin_shapes(lookup, scope->whole_shape_count, scope->shape_count);
        break;
    }
}

bool lookup_next(struct lookup *lookup, struct lookup_match *match)
{
    for (;;) {
        bool has_shape = lookup->shape_next < lookup->shape_end;

        /* Shapes come best first: what waits and ranks before all of the next one needs none of its probes. */
        if (lookup->found_next < lookup->found_count
            && (!has_shape || lookup->found[lookup->found_next].rank < lookup->shape.best_rank)) {
            *match = lookup->last = lookup->found[lookup->found_next++];
            lookup->has_last = true;
            return true;
        }
        if (has_shape) {
            lookup_collect_shape(lookup);
            continue;
        }
        if (!lookup->has_dropped) {
            lookup->has_last = false;
            if (lookup->phase + 1 < PHASE_COUNT) lookup->phase++;
            else if (!enter_scope(lookup)) return false;
        }
        search(lookup);
    }
}

void lookup_read_parameters(struct lookup *lookup)
{
    struct slice rest = lookup->key->query;
    struct url_parameter raw;
    char *out = lookup->scratch->query;
    size_t room = sizeof lookup->scratch->query;

    if (lookup->parameters_are_done) return;
    lookup->parameters_are_done = true;
    lookup->parameter_count = 0;
    if (!lookup->key->has_query) return;
    while (lookup->parameter_count < LOOKUP_PARAMETER_LIMIT && url_next_parameter(&rest, &raw)) {
        struct pattern_parameter *parameter = &lookup->parameters[lookup->parameter_count];

        if (raw.name.size + raw.value.size > room) break;
        size_t name_size = url_decode_query(raw.name, out);
        size_t value_size = url_decode_query(raw.value, out + name_size);
        parameter->whole = raw.whole;
        parameter->name = slice_of(out, name_size);
        parameter->value = slice_of(out + name_size, value_size);
        parameter->name_hash = hash_bytes(parameter->name, lookup->ruleset->header.seed);
        out += name_size + value_size;
        room -= name_size + value_size;
        lookup->parameter_count++;
    }
}

bool lookup_captures(struct lookup *lookup, const struct ruleset_pattern_view *rule,
                     struct pattern_capture captures[PATTERN_CAPTURE_LIMIT])
{
    unsigned cost;

    for (unsigned i = 0; i < PATTERN_CAPTURE_LIMIT; i++) captures[i].text = slice_of("", 0);
    return lookup_match_pattern(lookup, rule, captures, &cost);
}

struct slice lookup_host_capture(const struct lookup *lookup, unsigned index)
{
    struct ruleset_host_view host;
    struct slice text = slice_of("", 0);

    if (lookup->host_record == UINT64_MAX || !ruleset_get_host(lookup->ruleset, lookup->host_record, &host)
        || index >= host.head.capture_count) {
        return text;
    }
    for (unsigned i = 0; i <= index; i++) text = cursor_slice(&host.captures);
    return text;
}
